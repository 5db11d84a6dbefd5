/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The built-in negative labels with the starter model: a label that is asked
 * for alone is found where it is shown, and nowhere else. Pictures come as the
 * embeddings that the reference gives them.
 */
#include "engine/clip.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* The pictures of tests/goldens/starter/images. The second is the outline of
 * a horse without its head, which may be any animal. */
enum { ROCKET, HALF_HORSE, ELEPHANT, NOISE, BLACK, N_PICTURES };

static ClipEncoder *encoder;
static gfloat *embeddings; /* [N_PICTURES x dim] */

static gchar *
source_path (const gchar *relative)
{
  return g_build_filename (g_getenv ("CLIP_SOURCE_ROOT"), relative, NULL);
}

static gfloat *
read_embeddings (gsize dim)
{
  g_autofree gchar *path =
      source_path ("tests/goldens/starter/expected.safetensors");
  g_autofree gchar *data = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  const gsize size = N_PICTURES * dim * sizeof (gfloat);
  JsonObject *tensor;
  JsonArray *offsets;
  gsize length;
  guint64 header;
  gint64 begin;

  g_file_get_contents (path, &data, &length, &error);
  g_assert_no_error (error);
  memcpy (&header, data, sizeof header);
  header = GUINT64_FROM_LE (header);
  json_parser_load_from_data (parser, data + 8, (gssize) header, &error);
  g_assert_no_error (error);
  tensor = json_object_get_object_member (
      json_node_get_object (json_parser_get_root (parser)), "image_embeds");
  offsets = json_object_get_array_member (tensor, "data_offsets");
  begin = json_array_get_int_element (offsets, 0);
  g_assert_cmpint (json_array_get_int_element (offsets, 1) - begin, ==,
      (gint64) size);
  g_assert_cmpuint (8 + header + begin + size, <=, length);
  return g_memdup2 (data + 8 + header + begin, size);
}

static ClipLabels *
make (const gchar *const *names, const gchar *const *negatives)
{
  g_autoptr (GError) error = NULL;
  ClipLabels *labels = clip_labels_new (encoder,
      &(ClipLabelsParams){ .labels = names, .negatives = negatives }, NULL,
      NULL, &error);

  g_assert_no_error (error);
  return labels;
}

static void
test_alone (void)
{
  static const struct {
    const gchar *label;
    guint shown;
  } labels[] = { { "rocket", ROCKET }, { "elephant", ELEPHANT },
    { "black screen", BLACK } };
  const gsize dim = clip_model_get_embed_dim (clip_encoder_get_model (encoder));

  for (guint i = 0; i < G_N_ELEMENTS (labels); i++) {
    const gchar *const names[] = { labels[i].label, NULL };
    g_autoptr (ClipLabels) one = make (names, NULL);

    for (guint picture = 0; picture < N_PICTURES; picture++) {
      gfloat score;

      clip_labels_score (one, embeddings + picture * dim, CLIP_SCORE_SOFTMAX,
          -1, &score);
      g_test_message ("%s, picture %u: %.3f", names[0], picture, score);
      if (picture == labels[i].shown)
        g_assert_cmpfloat (score, >, 0.5);
      else if (picture != HALF_HORSE)
        g_assert_cmpfloat (score, <, 0.5);
    }
  }
}

/* Without negative labels one label alone says nothing. */
static void
test_without (void)
{
  const gchar *const names[] = { "rocket", NULL }, *const none[] = { NULL };
  g_autoptr (ClipLabels) one = make (names, none);
  gfloat score;

  clip_labels_score (one, embeddings, CLIP_SCORE_SOFTMAX, -1, &score);
  g_assert_cmpfloat (score, ==, 1);
}

/* Among many labels the negative ones leave the right one its score. */
static void
test_many (void)
{
  const gchar *const *names =
      clip_model_get_default_labels (clip_encoder_get_model (encoder));
  const gchar *const none[] = { NULL };
  const gsize dim = clip_model_get_embed_dim (clip_encoder_get_model (encoder));
  g_autoptr (ClipLabels) with = make (names, NULL);
  g_autoptr (ClipLabels) without = make (names, none);
  const guint n = clip_labels_get_n_labels (with);
  g_autofree gfloat *a = g_new (gfloat, n), *b = g_new (gfloat, n);
  guint first_a, first_b;

  g_assert_cmpuint (n, >, 50);
  clip_labels_score (with, embeddings + BLACK * dim, CLIP_SCORE_SOFTMAX, -1, a);
  clip_labels_score (without, embeddings + BLACK * dim, CLIP_SCORE_SOFTMAX, -1,
      b);
  g_assert_cmpuint (clip_scores_rank (a, n, 0, 1, &first_a), ==, 1);
  g_assert_cmpuint (clip_scores_rank (b, n, 0, 1, &first_b), ==, 1);
  g_assert_cmpuint (first_a, ==, first_b);
  g_assert_cmpstr (clip_labels_get_label (with, first_a), ==, "black screen");
  g_assert_cmpfloat (a[first_a], >, 0.9 * b[first_b]);
}

int
main (int argc, char **argv)
{
  g_autofree gchar *folder = source_path ("engine/starter");
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipModel) model = NULL;
  gint status;

  g_test_init (&argc, &argv, NULL);
  model = clip_model_load (folder, &error);
  g_assert_no_error (error);
  encoder = clip_encoder_new (model, &(ClipEncoderParams){ 0 }, &error);
  g_assert_no_error (error);
  embeddings = read_embeddings (clip_model_get_embed_dim (model));
  g_test_add_func ("/labels-starter/alone", test_alone);
  g_test_add_func ("/labels-starter/without", test_without);
  g_test_add_func ("/labels-starter/many", test_many);
  status = g_test_run ();
  clip_encoder_unref (encoder);
  g_free (embeddings);
  return status;
}
