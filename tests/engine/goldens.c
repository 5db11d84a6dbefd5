/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The whole engine against transformers and OpenCLIP: tokens, pixels, unit
 * embeddings, logits. And the bounds themselves: small mistakes that such
 * code is known for must not pass them.
 */
#include <math.h>
#include <string.h>

#include "engine/backends.h"
#include "engine/encoder.h"
#include "tests/engine/golden.h"

#define PIXEL_BOUND 1e-6
#define LOGIT_BOUND 1e-3

static const gchar *const names[] = { "hf-quickgelu-f32",
  "hf-gelu-f16-legacy-eos", "hf-bf16-sharded", "openclip-f32",
  "openclip-f16-quickgelu-squash", "starter" };

/* CLIP_TEST_BACKEND, _DEVICE and _PRECISION (f32, f16) say what to run on; the
 * CPU without them. */
static ClipEncoderParams
params (void)
{
  const gchar *backend = g_getenv ("CLIP_TEST_BACKEND");
  const gchar *precision = g_getenv ("CLIP_TEST_PRECISION");

  return (ClipEncoderParams){ .backend = backend ? backend : "cpu",
    .n_threads = 2,
    .device = g_getenv ("CLIP_TEST_DEVICE"),
    .precision = g_strcmp0 (precision, "f16") == 0 ? CLIP_PRECISION_F16
                                                   : CLIP_PRECISION_F32 };
}

static gdouble
embedding_bound (const gchar *name)
{
  if (params ().precision == CLIP_PRECISION_F16)
    return 3e-3;
  if (g_str_equal (params ().backend, "vulkan"))
    return 1e-5;
  return g_str_equal (name, "starter") ? 1e-5 : 3e-6;
}

static void
test_tokens (gconstpointer name)
{
  g_autoptr (Golden) golden = golden_load (name);

  for (guint i = 0; i < golden->n_texts; i++) {
    g_autoptr (GError) error = NULL;
    gsize n;
    guint found;
    g_autofree gint32 *expected = golden_expected (golden, &n, "tokens.%u", i);
    g_autofree gint32 *ids = clip_model_tokenize (golden->model,
        golden->texts[i], &found, NULL, &error);

    g_assert_no_error (error);
    g_assert_cmpmem (ids, found * sizeof *ids, expected, n * sizeof *ids);
  }
}

static gfloat *
preprocess (const Golden *golden, guint i, ClipLayout layout)
{
  const ClipModelSpec *spec = clip_model_get_spec (golden->model);
  g_autoptr (ClipPreprocessor) pre =
      clip_preprocessor_new (&spec->preprocess, layout, spec->patch);
  g_autoptr (GBytes) pixels = NULL;
  const ClipImage image = golden_image (golden, i, &pixels);
  gfloat *out = g_new (gfloat, 3 * spec->image_size * spec->image_size);
  g_autoptr (GError) error = NULL;

  clip_preprocessor_run (pre, &image, CLIP_RESIZE_AUTO, out, &error);
  g_assert_no_error (error);
  return out;
}

static void
test_pixels (gconstpointer name)
{
  g_autoptr (Golden) golden = golden_load (name);

  for (guint i = 0; i < golden->n_images; i++) {
    gsize n;
    g_autofree gfloat *expected = golden_expected (golden, &n, "pixels.%u", i);
    g_autofree gfloat *found = preprocess (golden, i, CLIP_LAYOUT_PLANAR);
    gdouble worst = 0;

    for (gsize j = 0; j < n; j++)
      worst = MAX (worst, fabs ((gdouble) found[j] - expected[j]));
    g_test_message ("image %u: pixels differ by at most %g", i, worst);
    g_assert_cmpfloat (worst, <=, PIXEL_BOUND);
  }
}

static ClipEncoder *
open_encoder (ClipModel *model)
{
  const ClipEncoderParams wanted = params ();
  g_autoptr (GError) error = NULL;
  ClipEncoder *encoder = clip_encoder_new (model, &wanted, &error);

  g_assert_no_error (error);
  g_test_message ("%s", clip_encoder_get_description (encoder));
  g_assert_null (clip_encoder_get_warning (encoder));
  return encoder;
}

static gfloat *
encode_images (const Golden *golden, ClipEncoder *encoder)
{
  const guint dim = clip_model_get_embed_dim (golden->model);
  g_autofree ClipImage *images = g_new (ClipImage, golden->n_images);
  g_autofree GBytes **pixels = g_new (GBytes *, golden->n_images);
  gfloat *out = g_new (gfloat, golden->n_images * dim);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < golden->n_images; i++)
    images[i] = golden_image (golden, i, &pixels[i]);
  clip_encoder_encode_images (encoder, images, golden->n_images,
      CLIP_RESIZE_AUTO, out, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < golden->n_images; i++)
    g_bytes_unref (pixels[i]);
  return out;
}

static gdouble
worst_distance (const gfloat *found, const gfloat *expected, guint n, guint dim)
{
  gdouble worst = 0;

  for (guint i = 0; i < n; i++)
    worst =
        MAX (worst, golden_distance (found + i * dim, expected + i * dim, dim));
  return worst;
}

static void
check_logits (const Golden *golden, const gfloat *images, const gfloat *texts)
{
  const guint dim = clip_model_get_embed_dim (golden->model);
  /* What two vectors that are each within their bound can make of it. */
  const gdouble bound = params ().precision == CLIP_PRECISION_F16
      ? 2 * embedding_bound (NULL) * clip_model_get_logit_scale (golden->model)
      : LOGIT_BOUND;
  gsize n;
  g_autofree gfloat *expected = golden_expected (golden, &n, "logits");

  for (guint i = 0; i < golden->n_images; i++)
    for (guint t = 0; t < golden->n_texts; t++) {
      gdouble dot = 0;

      for (guint k = 0; k < dim; k++)
        dot += (gdouble) images[i * dim + k] * texts[t * dim + k];
      g_assert_cmpfloat_with_epsilon (dot
              * clip_model_get_logit_scale (golden->model),
          expected[i * golden->n_texts + t], bound);
    }
}

static void
test_embeddings (gconstpointer name)
{
  g_autoptr (Golden) golden = golden_load (name);
  g_autoptr (ClipEncoder) encoder = open_encoder (golden->model);
  const guint dim = clip_model_get_embed_dim (golden->model);
  gsize n;
  g_autofree gfloat *expected_images =
      golden_expected (golden, &n, "image_embeds");
  g_autofree gfloat *expected_texts =
      golden_expected (golden, &n, "text_embeds");
  g_autofree gfloat *images = encode_images (golden, encoder);
  g_autofree gfloat *texts = g_new (gfloat, golden->n_texts * dim);
  g_autoptr (GError) error = NULL;
  gdouble worst_image, worst_text;

  clip_encoder_encode_texts (encoder, (const gchar *const *) golden->texts,
      golden->n_texts, texts, NULL, &error);
  g_assert_no_error (error);
  worst_image = worst_distance (images, expected_images, golden->n_images, dim);
  worst_text = worst_distance (texts, expected_texts, golden->n_texts, dim);
  g_test_message ("distances: images %g, texts %g", worst_image, worst_text);
  g_assert_cmpfloat (worst_image, <=, embedding_bound (name));
  g_assert_cmpfloat (worst_text, <=, embedding_bound (name));
  check_logits (golden, images, texts);
}

/* A picture alone is the same picture in any place of any batch. */
static void
test_places (gconstpointer name)
{
  const gdouble bound = params ().precision == CLIP_PRECISION_F16 ? 1e-3 : 1e-6;
  g_autoptr (Golden) golden = golden_load (name);
  g_autoptr (ClipEncoder) encoder = open_encoder (golden->model);
  const guint dim = clip_model_get_embed_dim (golden->model);
  g_autofree gfloat *together = encode_images (golden, encoder);
  g_autofree gfloat *alone = g_new (gfloat, dim);

  for (guint i = 0; i < golden->n_images; i++) {
    g_autoptr (GBytes) pixels = NULL;
    const ClipImage image = golden_image (golden, i, &pixels);
    g_autoptr (GError) error = NULL;

    clip_encoder_encode_images (encoder, &image, 1, CLIP_RESIZE_AUTO, alone,
        &error);
    g_assert_no_error (error);
    g_assert_cmpfloat (golden_distance (alone, together + i * dim, dim), <=,
        bound);
  }
}

/* ---------------------------------------------------------------- mutations */

typedef struct {
  const gchar *golden;
  void (*mutate) (ClipModelSpec *spec);
  gboolean shift; /* the picture by one pixel */
  gboolean texts; /* look at the text tower instead */
} Mutation;

static void
wrong_image_epsilon (ClipModelSpec *spec)
{
  spec->image.epsilon = 1e-6f;
}

static void
wrong_text_epsilon (ClipModelSpec *spec)
{
  spec->text.epsilon = 1e-6f;
}

static ClipActivation
other_gelu (ClipActivation act)
{
  return act == CLIP_ACT_QUICK_GELU ? CLIP_ACT_GELU_ERF : CLIP_ACT_QUICK_GELU;
}

static void
wrong_image_gelu (ClipModelSpec *spec)
{
  spec->image.act = other_gelu (spec->image.act);
}

static void
tanh_gelu (ClipModelSpec *spec)
{
  spec->image.act = CLIP_ACT_GELU_TANH;
}

static void
wrong_text_gelu (ClipModelSpec *spec)
{
  spec->text.act = other_gelu (spec->text.act);
}

static void
skip_last_image_layer (ClipModelSpec *spec)
{
  spec->image.layers--;
}

static void
skip_last_text_layer (ClipModelSpec *spec)
{
  spec->text.layers--;
}

static void
no_change (ClipModelSpec *spec)
{
}

/* A crop that is off by one pixel, in patch rows (c, y, x): every patch gets
 * the pixel to its right, except in the picture's last column. */
static void
shift_patch_rows (const ClipModelSpec *spec, gfloat *rows)
{
  const guint p = spec->patch, side = spec->image_size / p;
  const gsize row = 3 * (gsize) p * p;

  for (guint patch = 0; patch < side * side; patch++)
    for (guint line = 0; line < 3 * p; line++) {
      gfloat *at = rows + patch * row + line * p;

      memmove (at, at + 1, (p - 1) * sizeof *at);
      if (patch % side + 1 < side)
        at[p - 1] = at[row];
    }
}

static void
run_tower (ClipModel *model, ClipPlan *plan, gconstpointer const *inputs,
    guint n, gfloat *out)
{
  const ClipEncoderParams wanted = params ();
  g_autoptr (GError) error = NULL;
  ClipBackend *backend = clip_backend_new (&wanted, &error);
  ClipTower tower = { 0 };

  g_assert_no_error (error);
  clip_tower_init (&tower, model, backend, plan, &error);
  g_assert_no_error (error);
  backend->ops->run (tower.program, n, inputs, (gpointer[]){ out }, NULL, NULL,
      &error);
  g_assert_no_error (error);
  clip_tower_clear (&tower, backend);
  backend->ops->free (backend);
}

/* Distance of picture 0's embedding under a specification. */
static gdouble
image_distance (const Golden *golden, const ClipModelSpec *spec, gboolean shift)
{
  gsize n;
  g_autofree gfloat *expected = golden_expected (golden, &n, "image_embeds");
  g_autofree gfloat *rows = preprocess (golden, 0, CLIP_LAYOUT_PATCHES);
  g_autofree gfloat *out = g_new (gfloat, spec->embed_dim);

  if (shift)
    shift_patch_rows (spec, rows);
  run_tower (golden->model, clip_tower_image (spec, 1, FALSE, TRUE),
      (gconstpointer[]){ rows }, 1, out);
  return golden_distance (out, expected, spec->embed_dim);
}

static gdouble
text_distance (const Golden *golden, const ClipModelSpec *spec)
{
  gsize n;
  g_autofree gfloat *expected = golden_expected (golden, &n, "text_embeds");
  g_autofree gint32 *ids = golden_expected (golden, &n, "tokens.0");
  const gint32 end = (gint32) n - 1;
  g_autofree gfloat *out = g_new (gfloat, spec->embed_dim);

  run_tower (golden->model, clip_tower_text (spec, 1, n, TRUE),
      (gconstpointer[]){ ids, &end }, 1, out);
  return golden_distance (out, expected, spec->embed_dim);
}

static gdouble
mutated_distance (const Golden *golden, const Mutation *mutation,
    void (*mutate) (ClipModelSpec *), gboolean shift)
{
  ClipModelSpec spec = *clip_model_get_spec (golden->model);

  mutate (&spec);
  return mutation->texts ? text_distance (golden, &spec)
                         : image_distance (golden, &spec, shift);
}

/* Unchanged, the same path passes; changed, it does not. Poisoned arenas and
 * guarded tensors come along: an operation that reads what was never written,
 * or writes beside its tensor, fails here. */
static void
test_mutation (gconstpointer data)
{
  const Mutation *mutation = data;
  g_autoptr (Golden) golden = golden_load (mutation->golden);
  const gdouble right = mutated_distance (golden, mutation, no_change, FALSE);
  const gdouble wrong =
      mutated_distance (golden, mutation, mutation->mutate, mutation->shift);

  g_test_message ("right %g, wrong %g", right, wrong);
  g_assert_cmpfloat (right, <=, embedding_bound (mutation->golden));
  g_assert_cmpfloat (wrong, >, embedding_bound (mutation->golden));
}

static void
add_mutations (void)
{
  static const struct {
    const gchar *name;
    Mutation mutation;
  } kinds[] = {
    { "image-epsilon", { .mutate = wrong_image_epsilon } },
    { "image-gelu", { .mutate = wrong_image_gelu } },
    { "image-tanh-gelu", { .mutate = tanh_gelu } },
    { "image-last-layer", { .mutate = skip_last_image_layer } },
    { "crop-off-by-one", { .mutate = no_change, .shift = TRUE } },
    { "text-epsilon", { .mutate = wrong_text_epsilon, .texts = TRUE } },
    { "text-gelu", { .mutate = wrong_text_gelu, .texts = TRUE } },
    { "text-last-layer", { .mutate = skip_last_text_layer, .texts = TRUE } },
  };
  static Mutation mutations[G_N_ELEMENTS (names)][G_N_ELEMENTS (kinds)];

  /* The starter's image tower is no transformer. */
  for (guint i = 0; i + 1 < G_N_ELEMENTS (names); i++)
    for (guint k = 0; k < G_N_ELEMENTS (kinds); k++) {
      g_autofree gchar *path =
          g_strdup_printf ("/goldens/%s/mutation/%s", names[i], kinds[k].name);

      mutations[i][k] = kinds[k].mutation;
      mutations[i][k].golden = names[i];
      g_test_add_data_func (path, &mutations[i][k], test_mutation);
    }
}

/* What meson takes for a test that could not run. */
#define SKIPPED 77

/* Whether what CLIP_TEST_BACKEND and _DEVICE name is there at all. */
static gboolean
has_device (void)
{
  const ClipEncoderParams wanted = params ();
  g_autoptr (GError) error = NULL;
  ClipBackend *backend = clip_backend_new (&wanted, &error);

  if (backend)
    backend->ops->free (backend);
  else
    g_print ("skipped: %s\n", error->message);
  return backend != NULL;
}

int
main (int argc, char **argv)
{
  static const struct {
    const gchar *name;
    GTestDataFunc func;
  } tests[] = { { "tokens", test_tokens }, { "pixels", test_pixels },
    { "embeddings", test_embeddings }, { "places", test_places } };

  /* A checker of memory, which is slow, learns nothing from the same pictures
   * again, nor from mistakes in numbers. */
  const gboolean for_memory = g_getenv ("CLIP_TEST_MEMORY") != NULL;

  if (!has_device ())
    return SKIPPED;
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    for (guint t = 0; t < G_N_ELEMENTS (tests); t++) {
      if (for_memory && tests[t].func != test_embeddings)
        continue;
      g_autofree gchar *path =
          g_strdup_printf ("/goldens/%s/%s", names[i], tests[t].name);

      g_test_add_data_func (path, names[i], tests[t].func);
    }
  if (params ().precision == CLIP_PRECISION_F32 && !for_memory)
    add_mutations ();
  return g_test_run ();
}
