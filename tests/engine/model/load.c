/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Models from end to end: what a user names, what comes out, who shares it.
 */
#include "engine/model/model.h"

#include "tests/engine/model/tiny.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static gchar *
source_path (const gchar *name)
{
  return g_build_filename (g_getenv ("CLIP_SOURCE_ROOT"), name, NULL);
}

static ClipModel *
load (const gchar *where)
{
  g_autoptr (GError) error = NULL;
  ClipModel *model = clip_model_load (where, &error);
  g_assert_no_error (error);
  g_assert_nonnull (model);
  return model;
}

static void
assert_fails (const gchar *where, gint code, const gchar *complaint)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (clip_model_load (where, &error));
  g_assert_nonnull (error);
  if (!g_error_matches (error, CLIP_ERROR, code)
      || strstr (error->message, complaint) == NULL)
    g_error ("\"%s\" (%d) does not say \"%s\" (%d)", error->message,
        error->code, complaint, code);
}

/* --------------------------------------------------------------- goldens */

static const struct {
  const gchar *folder;
  guint embed_dim, image_size, patch, context;
  guint image_width, image_heads, text_layers;
  ClipActivation act;
  ClipResizeMode mode;
  ClipCropRounding rounding;
  gfloat mean; /* of red */
} goldens[] = {
  { "tests/goldens/hf-quickgelu-f32", 48, 64, 16, 77, 96, 3, 2,
      CLIP_ACT_QUICK_GELU, CLIP_RESIZE_CROP, CLIP_CROP_FLOOR, 0.48145466f },
  { "tests/goldens/hf-gelu-f16-legacy-eos", 64, 56, 14, 77, 128, 2, 2,
      CLIP_ACT_GELU_ERF, CLIP_RESIZE_CROP, CLIP_CROP_FLOOR, 0.48145466f },
  { "tests/goldens/hf-bf16-sharded", 40, 64, 32, 32, 80, 1, 1,
      CLIP_ACT_GELU_ERF, CLIP_RESIZE_CROP, CLIP_CROP_FLOOR, 0.48145466f },
  { "tests/goldens/openclip-f32", 32, 64, 16, 77, 128, 2, 2, CLIP_ACT_GELU_ERF,
      CLIP_RESIZE_CROP, CLIP_CROP_HALF_EVEN, 0.5f },
  { "tests/goldens/openclip-f16-quickgelu-squash", 32, 48, 12, 77, 104, 2, 3,
      CLIP_ACT_QUICK_GELU, CLIP_RESIZE_SQUASH, CLIP_CROP_HALF_EVEN,
      0.48145466f },
};

/* The scale that the references computed with. */
static gfloat
expected_scale (const gchar *folder)
{
  g_autofree gchar *path =
      g_build_filename (folder, "expected.safetensors", NULL);
  g_autofree gchar *data = NULL;
  gsize length;
  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  const gchar *entry =
      g_strstr_len (data + 8, (gssize) length - 8, "\"logit_scale\"");
  const gchar *offsets = strstr (entry, "\"data_offsets\":[");
  guint64 header,
      begin =
          g_ascii_strtoull (offsets + strlen ("\"data_offsets\":["), NULL, 10);
  gfloat scale;
  memcpy (&header, data, sizeof header);
  memcpy (&scale, data + 8 + GUINT64_FROM_LE (header) + begin, sizeof scale);
  return scale;
}

static void
test_goldens (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (goldens); i++) {
    g_autofree gchar *folder = source_path (goldens[i].folder);
    g_autofree gchar *name = g_path_get_basename (folder);
    g_autoptr (ClipModel) model = load (folder);
    const ClipModelSpec *spec = clip_model_get_spec (model);
    g_assert_cmpstr (clip_model_get_name (model), ==, name);
    g_assert_cmpstr (clip_model_get_directory (model), ==, folder);
    g_assert_cmpuint (clip_model_get_embed_dim (model), ==,
        goldens[i].embed_dim);
    g_assert_cmpuint (clip_model_get_context (model), ==, goldens[i].context);
    g_assert_cmpuint (spec->image_size, ==, goldens[i].image_size);
    g_assert_cmpuint (spec->patch, ==, goldens[i].patch);
    g_assert_cmpuint (spec->image.width, ==, goldens[i].image_width);
    g_assert_cmpuint (spec->image.heads, ==, goldens[i].image_heads);
    g_assert_cmpuint (spec->text.layers, ==, goldens[i].text_layers);
    g_assert_cmpint (spec->image.act, ==, goldens[i].act);
    g_assert_cmpint (spec->text.act, ==, goldens[i].act);
    g_assert_cmpint (spec->preprocess.mode, ==, goldens[i].mode);
    g_assert_cmpint (spec->preprocess.rounding, ==, goldens[i].rounding);
    g_assert_cmpuint (spec->preprocess.crop, ==, goldens[i].image_size);
    g_assert_cmpfloat (spec->preprocess.mean[0], ==, goldens[i].mean);
    g_assert_cmpint (clip_model_get_score_mode (model), ==, CLIP_SCORE_SOFTMAX);
    g_assert_null (clip_model_get_default_labels (model));
    gfloat scale = expected_scale (folder);
    g_assert_cmpfloat_with_epsilon (clip_model_get_logit_scale (model), scale,
        scale * 1e-6f);
  }
}

static void
test_starter (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *folder = source_path ("engine/starter");
  g_autofree gchar *golden = source_path ("tests/goldens/starter");
  g_autoptr (ClipModel) model = load (folder);
  const ClipModelSpec *spec = clip_model_get_spec (model);
  g_assert_cmpint (spec->image_kind, ==, CLIP_TOWER_EFFICIENTNET);
  g_assert_cmpuint (spec->image_size, ==, 160);
  g_assert_cmpuint (spec->context, ==, 32);
  gfloat scale = expected_scale (golden);
  g_assert_cmpfloat_with_epsilon (spec->logit_scale, scale, scale * 1e-6f);
  const gchar *const *labels = clip_model_get_default_labels (model);
  g_assert_nonnull (labels);
  g_assert_cmpuint (g_strv_length ((gchar **) labels), >, 10);
  g_assert_false (clip_model_has_weight (model, "image.projection.bias"));
  g_assert_true (clip_model_has_weight (model, "image.blocks.1.0.expand.bias"));
  g_assert_false (clip_model_has_weight (model,
      "image.blocks.0.0.expand.bias"));

  guint n;
  gboolean truncated;
  g_autofree gint32 *ids =
      clip_model_tokenize (model, "a dog", &n, &truncated, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 4);
  g_assert_false (truncated);
  g_assert_cmpint (ids[0], ==,
      clip_tokenizer_get_start (clip_model_get_tokenizer (model)));
  g_assert_null (clip_model_tokenize (model, "\xff", &n, NULL, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);

  g_auto (ClipHostTensor) tensor = { 0 };
  g_assert_false (clip_model_read_weight (model, "image.nothing", &tensor,
      &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
}

/* --------------------------------------------------------------- sharing */

static void
test_shared (void)
{
  gchar *folder = tiny_hf_new ();
  g_autofree gchar *file = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gchar *link = g_strconcat (folder, "-link", NULL);
  g_assert_cmpint (symlink (folder, link), ==, 0);
  ClipModel *a = load (folder), *b = load (file), *c = load (link);
  g_assert_true (a == b && b == c);
  clip_model_unref (b);
  clip_model_unref (c);

  /* A file that has changed is another model, while the old one lives on. */
  g_autoptr (GPtrArray) tensors = tiny_hf_tensors ();
  *(gfloat *) (gpointer) tiny_find (tensors, "logit_scale")->data->data = 2;
  tiny_write_safetensors (folder, "model.safetensors", tensors);
  ClipModel *d = load (folder);
  g_assert_true (d != a);
  g_assert_cmpfloat (clip_model_get_logit_scale (a), ==, 1);
  g_assert_cmpfloat (clip_model_get_logit_scale (d), ==, (gfloat) exp (2));
  clip_model_unref (a);
  /* So are the same weights with another configuration. */
  tiny_write_text (folder, "preprocessor_config.json",
      "{\"size\": 9, \"crop_size\": 8}");
  ClipModel *e = load (folder);
  g_assert_true (e != d);
  clip_model_unref (d);
  clip_model_unref (e);
  /* Nobody has it any more: it is loaded anew, not remembered. */
  g_autoptr (ClipModel) f = load (folder);
  g_assert_cmpuint (clip_model_get_spec (f)->preprocess.resize, ==, 9);
  g_remove (link);
  tiny_folder_remove (folder);
}

#define N_THREADS 8

static gpointer
load_in_thread (gpointer folder)
{
  return load (folder);
}

static gpointer
load_and_drop (gpointer folder)
{
  for (guint i = 0; i < 20; i++)
    clip_model_unref (load (folder));
  return NULL;
}

static void
test_shared_threads (void)
{
  gchar *folder = tiny_hf_new ();
  GThread *threads[N_THREADS];
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("load", load_in_thread, folder);
  ClipModel *models[N_THREADS];
  for (guint i = 0; i < N_THREADS; i++)
    models[i] = g_thread_join (threads[i]);
  for (guint i = 0; i < N_THREADS; i++)
    g_assert_true (models[i] == models[0]);
  for (guint i = 0; i < N_THREADS; i++)
    clip_model_unref (models[i]);
  /* The last unref races with the next load. */
  for (guint i = 0; i < 2; i++)
    threads[i] = g_thread_new ("load", load_and_drop, folder);
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  tiny_folder_remove (folder);
}

static GString *destroyed;

static gpointer
create_attached (ClipModel *model, gpointer user_data, GError **error)
{
  guint *calls = user_data;
  if ((*calls)++ == 0) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MEMORY, "not yet");
    return NULL;
  }
  return g_strdup_printf ("%u", *calls);
}

static void
destroy_attached (gpointer object)
{
  g_string_append (destroyed, object);
  g_free (object);
}

static gpointer
attach (ClipModel *model, const gchar *key, guint *calls, GError **error)
{
  return clip_model_get_attached (model, key, create_attached, calls,
      destroy_attached, error);
}

static void
test_attached (void)
{
  g_autoptr (GError) error = NULL;
  ClipModel *model = clip_model_new_random ("ViT-B-32", 1, &error);
  g_assert_no_error (error);
  guint calls = 0;
  destroyed = g_string_new (NULL);
  g_assert_null (attach (model, "a", &calls, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_MEMORY);
  g_clear_error (&error);
  const gchar *a = attach (model, "a", &calls, &error);
  const gchar *b = attach (model, "b", &calls, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (a, ==, "2");
  g_assert_cmpstr (b, ==, "3");
  g_assert_true (attach (model, "a", &calls, &error) == a);
  g_assert_cmpuint (calls, ==, 3);
  clip_model_unref (clip_model_ref (model));
  g_assert_cmpstr (destroyed->str, ==, "");
  clip_model_unref (model);
  g_assert_cmpstr (destroyed->str, ==, "32");
  g_string_free (destroyed, TRUE);
}

static void
test_sigmoid (void)
{
  gchar *folder = tiny_hf_new ();
  g_autoptr (GPtrArray) tensors = tiny_hf_tensors ();
  TinyTensor *bias = tiny_add (tensors, "logit_bias", "F32", "[1]");
  *(gfloat *) (gpointer) bias->data->data = -10.5f;
  tiny_add (tensors, "text_model.embeddings.position_ids", "I64", "[1, 16]");
  tiny_write_safetensors (folder, "model.safetensors", tensors);
  g_autoptr (ClipModel) model = load (folder);
  g_assert_cmpint (clip_model_get_score_mode (model), ==, CLIP_SCORE_SIGMOID);
  g_assert_cmpfloat (clip_model_get_logit_bias (model), ==, -10.5f);
  tiny_folder_remove (folder);
}

/* ------------------------------------------------------------------- hub */

/* A cache with one model, "org/tiny-clip", as Hugging Face's tools lay it
 * out. */
static gchar *
make_hub (const gchar *hub)
{
  gchar *model = g_build_filename (hub, "models--org--tiny-clip", NULL);
  g_autofree gchar *snapshot =
      g_build_filename (model, "snapshots", "0123abcd", NULL);
  g_autofree gchar *refs = g_build_filename (model, "refs", NULL);
  g_autofree gchar *parent = g_path_get_dirname (snapshot);
  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (refs, 0700), ==, 0);
  tiny_write_text (refs, "main", "0123abcd\n");
  g_autofree gchar *folder = tiny_hf_new ();
  g_assert_cmpint (g_rename (folder, snapshot), ==, 0);
  return model;
}

static void
test_hub (void)
{
  gchar *folder = tiny_folder_new ();
  g_autofree gchar *hub = g_build_filename (folder, "hub", NULL);
  g_autofree gchar *in_home = make_hub (hub);
  g_autofree gchar *in_cache = make_hub (folder);
  g_autofree gchar *default_hub =
      g_build_filename (g_get_user_cache_dir (), "huggingface", "hub", NULL);
  g_autofree gchar *in_default = make_hub (default_hub);

  g_unsetenv ("HF_HUB_CACHE");
  g_unsetenv ("HUGGINGFACE_HUB_CACHE");
  g_unsetenv ("HF_HOME");
  g_autoptr (ClipModel) a = load ("org/tiny-clip");
  g_assert_cmpstr (clip_model_get_name (a), ==, "org/tiny-clip");
  g_assert_true (g_str_has_prefix (clip_model_get_directory (a), in_default));
  g_setenv ("HF_HOME", folder, TRUE);
  g_autoptr (ClipModel) b = load ("org/tiny-clip");
  g_assert_true (g_str_has_prefix (clip_model_get_directory (b), in_home));
  g_setenv ("HF_HUB_CACHE", folder, TRUE);
  g_autoptr (ClipModel) c = load ("org/tiny-clip");
  g_assert_true (g_str_has_prefix (clip_model_get_directory (c), in_cache));

  assert_fails ("org/absent", CLIP_ERROR_NOT_FOUND, folder);
  assert_fails ("org/absent", CLIP_ERROR_NOT_FOUND,
      "huggingface-cli download org/absent");
  static const gchar *const not_ids[] = { "org", "../x", "org/..", "a/b/c",
    "org/", "/x", "org/a b" };
  for (guint i = 0; i < G_N_ELEMENTS (not_ids); i++)
    assert_fails (not_ids[i], CLIP_ERROR_NOT_FOUND, "no such file or folder");

  g_autofree gchar *refs = g_build_filename (in_cache, "refs", NULL);
  tiny_write_text (refs, "main", "../../etc");
  assert_fails ("org/tiny-clip", CLIP_ERROR_FORMAT,
      "does not hold the name of a revision");
  tiny_write_text (refs, "main", "ffff");
  assert_fails ("org/tiny-clip", CLIP_ERROR_NOT_FOUND, "ffff: no such folder");
  g_unsetenv ("HF_HUB_CACHE");
  g_unsetenv ("HF_HOME");
  tiny_folder_remove (folder);
}

/* ---------------------------------------------------------------- random */

static void
test_random (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipModel) model = clip_model_new_random ("ViT-L-14", 3, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (clip_model_get_spec (model)->image.layers, ==, 24);
  g_assert_cmpuint (clip_model_get_embed_dim (model), ==, 768);
  g_assert_null (clip_model_get_tokenizer (model));
  g_assert_null (clip_model_get_directory (model));
  guint n;
  g_assert_null (clip_model_tokenize (model, "a dog", &n, NULL, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (clip_model_new_random ("RN50", 3, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED);
  g_clear_error (&error);

  g_autoptr (ClipModel) again = clip_model_new_random ("ViT-L-14", 3, NULL);
  g_autoptr (ClipModel) other = clip_model_new_random ("ViT-L-14", 4, NULL);
  g_auto (ClipHostTensor) a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 },
                          gain = { 0 };
  const gchar *name = "image.blocks.23.qkv.weight";
  g_assert_true (clip_model_read_weight (model, name, &a, NULL));
  g_assert_true (clip_model_read_weight (again, name, &b, NULL));
  g_assert_true (clip_model_read_weight (other, name, &c, NULL));
  g_assert_true (clip_model_read_weight (model, "image.blocks.22.qkv.weight",
      &d, NULL));
  g_assert_true (clip_model_read_weight (model, "text.post_norm.weight", &gain,
      NULL));
  g_assert_cmpuint (a.rows, ==, 3 * 1024);
  g_assert_cmpuint (a.columns, ==, 1024);
  gsize count = a.rows * a.columns;
  g_assert_cmpmem (a.data, count * 4, b.data, count * 4);
  g_assert_cmpint (memcmp (a.data, c.data, count * 4), !=, 0);
  g_assert_cmpint (memcmp (a.data, d.data, count * 4), !=, 0);
  g_assert_cmpfloat_with_epsilon (*(gfloat *) gain.data, 1.0f, 0.1f);
  gdouble sum = 0, squares = 0;
  for (gsize i = 0; i < count; i++) {
    gdouble value = ((gfloat *) a.data)[i];
    sum += value;
    squares += value * value;
  }
  g_assert_cmpfloat_with_epsilon (sum / count, 0.0, 1e-4);
  g_assert_cmpfloat_with_epsilon (sqrt (squares / count), 0.02, 1e-4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Before GLib looks at it for the first time. */
  gchar *cache_home = tiny_folder_new ();
  g_setenv ("XDG_CACHE_HOME", cache_home, TRUE);
  /* The environment changes only before there are threads. */
  g_test_add_func ("/load/hub", test_hub);
  g_test_add_func ("/load/goldens", test_goldens);
  g_test_add_func ("/load/starter", test_starter);
  g_test_add_func ("/load/shared", test_shared);
  g_test_add_func ("/load/shared-threads", test_shared_threads);
  g_test_add_func ("/load/attached", test_attached);
  g_test_add_func ("/load/sigmoid", test_sigmoid);
  g_test_add_func ("/load/random", test_random);
  int result = g_test_run ();
  tiny_folder_remove (cache_home);
  return result;
}
