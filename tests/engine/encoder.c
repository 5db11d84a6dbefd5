/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Encoders: sharing, jobs and their callbacks, cancelling, concurrent users,
 * and that a picture's embedding does not depend on its company.
 */
#include <math.h>
#include <string.h>

#include "engine/clip.h"

#define SIDE 97

static ClipModel *
load (const gchar *path)
{
  g_autofree gchar *where =
      g_build_filename (g_getenv ("CLIP_SOURCE_ROOT"), path, NULL);
  g_autoptr (GError) error = NULL;
  ClipModel *model = clip_model_load (where, &error);

  g_assert_no_error (error);
  return model;
}

static ClipEncoder *
encoder_for (ClipModel *model, guint n_threads)
{
  g_autoptr (GError) error = NULL;
  ClipEncoder *encoder = clip_encoder_new (model,
      &(ClipEncoderParams){ "cpu", n_threads }, &error);

  g_assert_no_error (error);
  return encoder;
}

/* A picture of its own for every seed. */
static ClipImage
picture (guint seed, guint8 *pixels)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  const guint cell = 4 + seed % 20;

  for (guint i = 0; i < SIDE * SIDE * 3; i++) {
    const guint x = i / 3 % SIDE, y = i / 3 / SIDE;

    pixels[i] = (x / cell * 41 + y / cell * 67 + i % 3 * seed * 13)
        + g_rand_int_range (rand, 0, 9);
  }
  return (ClipImage){ .format = CLIP_PIXEL_RGB,
    .width = SIDE,
    .height = SIDE,
    .planes = { pixels },
    .strides = { SIDE * 3 } };
}

static gdouble
distance (const gfloat *a, const gfloat *b, guint dim)
{
  gdouble sum = 0;

  for (guint i = 0; i < dim; i++)
    sum += ((gdouble) a[i] - b[i]) * ((gdouble) a[i] - b[i]);
  return sqrt (sum);
}

static void
test_sharing (void)
{
  g_autoptr (ClipModel) model = load ("tests/goldens/hf-quickgelu-f32");
  g_autoptr (ClipEncoder) a = encoder_for (model, 1);
  g_autoptr (ClipEncoder) b = encoder_for (model, 1);
  g_autoptr (ClipEncoder) c = encoder_for (model, 2);

  g_assert_true (a == b);
  g_assert_true (a != c);
  g_assert_cmpstr (clip_encoder_get_backend (a), ==, "cpu");
  g_assert_nonnull (strstr (clip_encoder_get_description (a), "cpu"));
  g_assert_true (clip_encoder_get_model (a) == model);
}

static void
test_unknown_backend (void)
{
  g_autoptr (ClipModel) model = load ("tests/goldens/hf-quickgelu-f32");
  g_autoptr (GError) error = NULL;

  g_assert_null (clip_encoder_new (model, &(ClipEncoderParams){ "abacus" },
      &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "abacus"));
}

/* Alone, or anywhere in a batch of any size: the same bits, whichever picture
 * lies beside it. */
static void
test_batch_invariance (gconstpointer path)
{
  enum { N = 11 };
  g_autoptr (ClipModel) model = load (path);
  const guint dim = clip_model_get_embed_dim (model);
  g_autofree gfloat *alone = g_new (gfloat, N * dim);
  g_autofree gfloat *together = g_new (gfloat, N * dim);
  g_autofree guint8 *pixels = g_malloc (N * SIDE * SIDE * 3);
  /* Threads that wait for each other by spinning take forever where a checker
   * runs them one at a time. */
  const guint most_threads = g_getenv ("CLIP_TEST_MEMORY") ? 1 : 3;
  ClipImage images[N];

  for (guint threads = 1; threads <= most_threads; threads++) {
    g_autoptr (ClipEncoder) encoder = encoder_for (model, threads);
    g_autoptr (GError) error = NULL;

    for (guint i = 0; i < N; i++) {
      images[i] = picture (i + 1, pixels + i * SIDE * SIDE * 3);
      clip_encoder_encode_images (encoder, &images[i], 1, CLIP_RESIZE_AUTO,
          alone + i * dim, &error);
      g_assert_no_error (error);
    }
    clip_encoder_encode_images (encoder, images, N, CLIP_RESIZE_AUTO, together,
        &error);
    g_assert_no_error (error);
    g_assert_cmpmem (alone, N * dim * sizeof (gfloat), together,
        N * dim * sizeof (gfloat));
    for (guint i = 1; i < N; i++)
      g_assert_cmpfloat (distance (alone, alone + i * dim, dim), >, 1e-3);
  }
}

typedef struct {
  GMutex lock;
  GCond cond;
  guint done, cancelled, failed;
} Counts;

static void
count (ClipJob *job, const GError *error, gpointer user_data)
{
  Counts *counts = user_data;

  g_mutex_lock (&counts->lock);
  if (!error)
    counts->done++;
  else if (g_error_matches (error, CLIP_ERROR, CLIP_ERROR_CANCELLED))
    counts->cancelled++;
  else
    counts->failed++;
  g_cond_signal (&counts->cond);
  g_mutex_unlock (&counts->lock);
}

/* Many jobs, some called off: every submit is answered once. */
static void
test_cancel (void)
{
  enum { N = 40 };
  g_autoptr (ClipModel) model = load ("tests/goldens/openclip-f32");
  g_autoptr (ClipEncoder) encoder = encoder_for (model, 1);
  g_autofree guint8 *pixels = g_malloc (SIDE * SIDE * 3);
  const ClipImage image = picture (3, pixels);
  Counts counts = { 0 };
  ClipJob *jobs[N];
  guint cancelled = 0;

  for (guint i = 0; i < N; i++) {
    g_autoptr (GError) error = NULL;

    jobs[i] = clip_job_new (encoder);
    clip_job_set_image (jobs[i], &image, CLIP_RESIZE_AUTO, &error);
    g_assert_no_error (error);
    clip_job_submit (jobs[i], count, &counts);
  }
  for (guint i = N; i-- > N / 2;)
    cancelled += clip_job_cancel (jobs[i]);
  g_mutex_lock (&counts.lock);
  while (counts.done == 0)
    g_cond_wait (&counts.cond, &counts.lock);
  g_mutex_unlock (&counts.lock);
  for (guint i = 0; i < N; i++)
    clip_job_free (jobs[i]);
  g_assert_cmpuint (counts.done + counts.cancelled, ==, N);
  g_assert_cmpuint (counts.cancelled, >=, cancelled);
  g_assert_cmpuint (counts.failed, ==, 0);
  g_assert_cmpuint (counts.done, >, 0);
}

static void
test_bad_image (void)
{
  g_autoptr (ClipModel) model = load ("tests/goldens/openclip-f32");
  g_autoptr (ClipEncoder) encoder = encoder_for (model, 1);
  g_autofree gfloat *out = g_new (gfloat, clip_model_get_embed_dim (model));
  g_autofree guint8 *pixels = g_malloc (SIDE * SIDE * 3);
  ClipImage image = picture (3, pixels);
  g_autoptr (GError) error = NULL;

  image.planes[0] = NULL;
  g_assert_false (clip_encoder_encode_images (encoder, &image, 1,
      CLIP_RESIZE_AUTO, out, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
}

/* Texts come from the cache the second time, and the cache knows them whole. */
static void
test_texts (void)
{
  g_autoptr (ClipModel) model = load ("engine/starter");
  g_autoptr (ClipEncoder) encoder = encoder_for (model, 2);
  const guint dim = clip_model_get_embed_dim (model);
  const gchar *texts[] = { "a dog",
    "a photo of a very small red car on a long road in the rain", "", "a cat",
    "a dog" };
  g_autofree gfloat *first = g_new (gfloat, G_N_ELEMENTS (texts) * dim);
  g_autofree gfloat *again = g_new (gfloat, G_N_ELEMENTS (texts) * dim);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  clip_encoder_encode_texts (encoder, texts, G_N_ELEMENTS (texts), first, NULL,
      &error);
  g_assert_no_error (error);
  g_assert_cmpmem (first, dim * sizeof *first, first + 4 * dim,
      dim * sizeof *first);
  g_assert_cmpfloat (distance (first, first + 3 * dim, dim), >, 1e-2);

  g_cancellable_cancel (cancelled);
  clip_encoder_encode_texts (encoder, texts, G_N_ELEMENTS (texts), again,
      cancelled, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (first, sizeof *first * G_N_ELEMENTS (texts) * dim, again,
      sizeof *first * G_N_ELEMENTS (texts) * dim);

  texts[0] = "something not seen before";
  g_assert_false (clip_encoder_encode_texts (encoder, texts, 1, again,
      cancelled, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_CANCELLED);
}

/* What stands behind an end token in the text does not matter. */
static void
test_end_token_in_text (void)
{
  g_autoptr (ClipModel) model = load ("engine/starter");
  g_autoptr (ClipEncoder) encoder = encoder_for (model, 1);
  const guint dim = clip_model_get_embed_dim (model);
  const gchar *texts[] = { "a dog", "a dog<|endoftext|> on a red sofa" };
  g_autofree gfloat *out = g_new (gfloat, 2 * dim);
  g_autoptr (GError) error = NULL;

  clip_encoder_encode_texts (encoder, texts, 2, out, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (distance (out, out + dim, dim), <, 1e-6);
}

static gpointer
encode_some (gpointer data)
{
  ClipEncoder *encoder = data;
  const guint dim = clip_model_get_embed_dim (clip_encoder_get_model (encoder));
  g_autofree gfloat *out = g_new (gfloat, 3 * dim);
  g_autofree guint8 *pixels = g_malloc (SIDE * SIDE * 3);
  const ClipImage image = picture (7, pixels);

  for (guint i = 0; i < 10; i++) {
    g_autofree gchar *text = g_strdup_printf ("a picture of %u things", i);
    const gchar *texts[] = { text, "a", text };
    g_autoptr (GError) error = NULL;

    clip_encoder_encode_texts (encoder, texts, 3, out, NULL, &error);
    g_assert_no_error (error);
    clip_encoder_encode_images (encoder, &image, 1, CLIP_RESIZE_AUTO, out,
        &error);
    g_assert_no_error (error);
  }
  return NULL;
}

static void
test_concurrent_users (void)
{
  g_autoptr (ClipModel) model = load ("tests/goldens/hf-bf16-sharded");
  g_autoptr (ClipEncoder) encoder = encoder_for (model, 2);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("user", encode_some, encoder);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/encoder/sharing", test_sharing);
  g_test_add_func ("/encoder/unknown-backend", test_unknown_backend);
  g_test_add_data_func ("/encoder/batch-invariance/transformer",
      "tests/goldens/hf-quickgelu-f32", test_batch_invariance);
  g_test_add_data_func ("/encoder/batch-invariance/efficientnet",
      "engine/starter", test_batch_invariance);
  g_test_add_func ("/encoder/cancel", test_cancel);
  g_test_add_func ("/encoder/bad-image", test_bad_image);
  g_test_add_func ("/encoder/texts", test_texts);
  g_test_add_func ("/encoder/end-token-in-text", test_end_token_in_text);
  g_test_add_func ("/encoder/concurrent-users", test_concurrent_users);
  return g_test_run ();
}
