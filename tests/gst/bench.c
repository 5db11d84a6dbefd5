/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What clipfilter adds to the engine, per frame: the same picture through the
 * engine alone and through the element, in turn, medians.
 */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "engine/clip.h"

#define WIDTH 1280
#define HEIGHT 720
#define ROUNDS 101

typedef struct {
  GMutex lock;
  GCond cond;
  gboolean done;
} Wait;

static void
job_done (ClipJob *job, const GError *error, gpointer user_data)
{
  Wait *wait = user_data;

  g_assert_no_error (error);
  g_mutex_lock (&wait->lock);
  wait->done = TRUE;
  g_cond_signal (&wait->cond);
  g_mutex_unlock (&wait->lock);
}

static gint64
time_engine (ClipJob *job, ClipLabels *labels, const ClipImage *image)
{
  const gint64 begin = g_get_monotonic_time ();
  Wait wait = { 0 };
  gfloat scores[2];
  guint order[2];

  clip_job_set_image (job, image, CLIP_RESIZE_AUTO, NULL);
  clip_job_submit (job, job_done, &wait);
  g_mutex_lock (&wait.lock);
  while (!wait.done)
    g_cond_wait (&wait.cond, &wait.lock);
  g_mutex_unlock (&wait.lock);
  clip_labels_score (labels, clip_job_get_embedding (job), CLIP_SCORE_AUTO, -1,
      scores);
  clip_scores_rank (scores, 2, 0, 0, order);
  return g_get_monotonic_time () - begin;
}

static gint64
time_element (GstHarness *harness, GstBuffer *buffer)
{
  const gint64 begin = g_get_monotonic_time ();

  gst_harness_push (harness, buffer);
  gst_buffer_unref (gst_harness_pull (harness));
  return g_get_monotonic_time () - begin;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static void
print_times (const gchar *which, const gint64 *engine, const gint64 *element)
{
  g_print ("%s: engine %.3f ms, element %.3f ms, added %.3f ms\n", which,
      *engine / 1e3, *element / 1e3, (*element - *engine) / 1e3);
}

/* Both look at the same memory, so that it is equally near. */
static GstBuffer *
frame (guint8 *pixels, GstClockTime pts)
{
  const gsize size = WIDTH * HEIGHT * 3 / 2;
  GstBuffer *buffer = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY,
      pixels, size, 0, size, NULL, NULL);

  GST_BUFFER_PTS (buffer) = pts;
  return buffer;
}

int
main (int argc, char **argv)
{
  g_autofree gchar *folder = NULL;
  g_autoptr (ClipModel) model = NULL;
  g_autoptr (ClipEncoder) encoder = NULL;
  g_autoptr (ClipLabels) labels = NULL;
  g_autoptr (ClipJob) job = NULL;
  g_autoptr (GError) error = NULL;
  const gchar *names[] = { "a dog", "a car", NULL };
  g_autofree guint8 *pixels = g_malloc (WIDTH * HEIGHT * 3 / 2);
  const ClipImage image = { .format = CLIP_PIXEL_NV12,
    .width = WIDTH,
    .height = HEIGHT,
    .planes = { pixels, pixels + WIDTH * HEIGHT },
    .strides = { WIDTH, WIDTH },
    .matrix = CLIP_MATRIX_BT709 };
  gint64 engine[ROUNDS], element[ROUNDS];
  GstHarness *harness;

  gst_init (&argc, &argv);
  memset (pixels, 90, WIDTH * HEIGHT * 3 / 2);
  folder = clip_model_find_starter (&error);
  model = folder ? clip_model_load (folder, &error) : NULL;
  encoder = model ? clip_encoder_new (model, NULL, &error) : NULL;
  labels = encoder ? clip_labels_new (encoder,
               &(ClipLabelsParams){ .labels = names }, NULL, NULL, &error)
                   : NULL;
  g_assert_no_error (error);
  job = clip_job_new (encoder);
  harness = gst_harness_new_parse ("clipfilter labels=\"a dog, a car\"");
  gst_harness_set_src_caps_str (harness,
      "video/x-raw,format=NV12,width=1280,height=720,framerate=25/1");

  for (gint i = -5; i < ROUNDS; i++) {
    const gint64 e = time_engine (job, labels, &image);
    const gint64 f =
        time_element (harness, frame (pixels, (i + 5) * 40 * GST_MSECOND));

    if (i >= 0) {
      engine[i] = e;
      element[i] = f;
    }
  }
  qsort (engine, ROUNDS, sizeof *engine, compare);
  qsort (element, ROUNDS, sizeof *element, compare);
  g_print ("1280x720 NV12, starter model, %s, %u rounds\n",
      clip_encoder_get_description (encoder), ROUNDS);
  print_times ("median ", &engine[ROUNDS / 2], &element[ROUNDS / 2]);
  print_times ("fastest", engine, element);
  gst_harness_teardown (harness);
  return 0;
}
