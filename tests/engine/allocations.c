/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The way of a frame through the engine allocates nothing once it has run.
 */
#include "tests/allocations.h"

#include "engine/clip.h"

#define WIDTH 321
#define HEIGHT 183

typedef struct {
  GMutex lock;
  GCond cond;
  gboolean done, failed;
} Wait;

static void
job_done (ClipJob *job, const GError *error, gpointer user_data)
{
  Wait *wait = user_data;

  g_mutex_lock (&wait->lock);
  wait->done = TRUE;
  wait->failed = error != NULL;
  g_cond_signal (&wait->cond);
  g_mutex_unlock (&wait->lock);
}

static void
score_frame (ClipJob *job, ClipLabels *labels, const ClipImage *image,
    gfloat *scores, guint *order)
{
  Wait wait = { 0 };

  g_assert_true (clip_job_set_image (job, image, CLIP_RESIZE_AUTO, NULL));
  clip_job_submit (job, job_done, &wait);
  g_mutex_lock (&wait.lock);
  while (!wait.done)
    g_cond_wait (&wait.cond, &wait.lock);
  g_mutex_unlock (&wait.lock);
  g_assert_false (wait.failed);
  clip_labels_score (labels, clip_job_get_embedding (job), CLIP_SCORE_AUTO, -1,
      scores);
  clip_scores_rank (scores, clip_labels_get_n_labels (labels), 0, 0, order);
}

static void
test_steady_state (gconstpointer path)
{
  g_autofree gchar *where =
      g_build_filename (g_getenv ("CLIP_SOURCE_ROOT"), path, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipModel) model = clip_model_load (where, &error);
  g_autoptr (ClipEncoder) encoder = clip_encoder_new (model, NULL, &error);
  const gchar *names[] = { "a dog", "a cat", "a car", NULL };
  g_autoptr (ClipLabels) labels = clip_labels_new (encoder,
      &(ClipLabelsParams){ .labels = names }, NULL, NULL, &error);
  g_autoptr (ClipJob) job = clip_job_new (encoder);
  g_autofree guint8 *pixels = g_malloc0 (WIDTH * HEIGHT * 3);
  const ClipImage image = { .format = CLIP_PIXEL_RGB,
    .width = WIDTH,
    .height = HEIGHT,
    .planes = { pixels },
    .strides = { WIDTH * 3 } };
  gfloat scores[3];
  guint order[3];
  guint64 before;

  g_assert_no_error (error);
  if (!allocations_are_counted ()) {
    g_test_skip ("another malloc () is in place, which counts for itself");
    return;
  }
  for (guint i = 0; i < 3; i++)
    score_frame (job, labels, &image, scores, order);
  before = allocations_count ();
  for (guint i = 0; i < 50; i++)
    score_frame (job, labels, &image, scores, order);
  g_assert_cmpuint (allocations_count () - before, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/allocations/transformer",
      "tests/goldens/hf-quickgelu-f32", test_steady_state);
  g_test_add_data_func ("/allocations/efficientnet", "engine/starter",
      test_steady_state);
  return g_test_run ();
}
