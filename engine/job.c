/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pictures on their way through an encoder.
 */
#include "engine/encoder.h"

ClipJob *
clip_job_new (ClipEncoder *encoder)
{
  const ClipModelSpec *spec = clip_model_get_spec (encoder->model);
  ClipJob *job = g_new0 (ClipJob, 1);

  job->encoder = clip_encoder_ref (encoder);
  job->preprocessor = clip_preprocessor_new (&spec->preprocess,
      clip_tower_image_layout (spec), spec->patch);
  job->picture = g_new (gfloat, encoder->picture_length);
  job->embedding = g_new0 (gfloat, spec->embed_dim);
  job->link.data = job;
  return job;
}

void
clip_job_free (ClipJob *job)
{
  ClipEncoder *encoder = job->encoder;

  clip_job_cancel (job);
  clip_mutex_lock (&encoder->lock);
  while (job->state == CLIP_JOB_RUNNING || encoder->calling == job)
    clip_cond_wait (&encoder->finished, &encoder->lock);
  clip_mutex_unlock (&encoder->lock);
  clip_preprocessor_free (job->preprocessor);
  g_free (job->picture);
  g_free (job->embedding);
  g_free (job);
  clip_encoder_unref (encoder);
}

gboolean
clip_job_set_image (ClipJob *job, const ClipImage *image,
    ClipResizeMode resize_mode, GError **error)
{
  return clip_preprocessor_run (job->preprocessor, image, resize_mode,
      job->picture, error);
}

void
clip_job_submit (ClipJob *job, ClipJobFunc done, gpointer user_data)
{
  ClipEncoder *encoder = job->encoder;

  clip_mutex_lock (&encoder->lock);
  g_assert (job->state == CLIP_JOB_IDLE);
  job->done = done;
  job->user_data = user_data;
  job->state = CLIP_JOB_QUEUED;
  g_queue_push_tail_link (&encoder->jobs, &job->link);
  clip_cond_signal (&encoder->wake);
  clip_mutex_unlock (&encoder->lock);
}

gboolean
clip_job_cancel (ClipJob *job)
{
  ClipEncoder *encoder = job->encoder;
  g_autoptr (GError) error = NULL;
  gboolean cancelled;

  clip_mutex_lock (&encoder->lock);
  cancelled = job->state == CLIP_JOB_QUEUED;
  if (cancelled) {
    g_queue_unlink (&encoder->jobs, &job->link);
    job->state = CLIP_JOB_IDLE;
  }
  clip_mutex_unlock (&encoder->lock);
  if (!cancelled)
    return FALSE;
  error = g_error_new_literal (CLIP_ERROR, CLIP_ERROR_CANCELLED,
      "the picture was called off before it was encoded");
  job->done (job, error, job->user_data);
  return TRUE;
}

const gfloat *
clip_job_get_embedding (ClipJob *job)
{
  return job->embedding;
}

/* ------------------------------------------------- many images, waited for */

typedef struct {
  ClipMutex lock;
  ClipCond cond;
  guint waiting;
  GError *error; /* the first */
} Batch;

static void
batch_done (ClipJob *job, const GError *error, gpointer user_data)
{
  Batch *batch = user_data;

  clip_mutex_lock (&batch->lock);
  if (error && !batch->error)
    batch->error = g_error_copy (error);
  batch->waiting--;
  clip_cond_signal (&batch->cond);
  clip_mutex_unlock (&batch->lock);
}

static void
submit_and_wait (ClipJob **jobs, guint n, Batch *batch)
{
  batch->waiting = n;
  for (guint i = 0; i < n; i++)
    clip_job_submit (jobs[i], batch_done, batch);
  clip_mutex_lock (&batch->lock);
  while (batch->waiting > 0)
    clip_cond_wait (&batch->cond, &batch->lock);
  clip_mutex_unlock (&batch->lock);
}

gboolean
clip_encoder_encode_images (ClipEncoder *encoder, const ClipImage *images,
    gsize n, ClipResizeMode resize_mode, gfloat *out, GError **error)
{
  const gsize dim = clip_model_get_embed_dim (encoder->model);
  ClipJob *jobs[CLIP_MAX_BATCH];
  Batch batch = { .lock = CLIP_MUTEX_INIT };
  const guint n_jobs = MIN (n, encoder->max_batch);
  gboolean ok = TRUE;

  clip_cond_init (&batch.cond);
  for (guint i = 0; i < n_jobs; i++)
    jobs[i] = clip_job_new (encoder);
  for (gsize first = 0; ok && first < n; first += n_jobs) {
    const guint count = MIN (n - first, n_jobs);

    for (guint i = 0; ok && i < count; i++)
      ok = clip_job_set_image (jobs[i], &images[first + i], resize_mode, error);
    if (!ok)
      break;
    submit_and_wait (jobs, count, &batch);
    for (guint i = 0; i < count; i++)
      memcpy (out + (first + i) * dim, jobs[i]->embedding, dim * sizeof *out);
    ok = batch.error == NULL;
  }
  for (guint i = 0; i < n_jobs; i++)
    clip_job_free (jobs[i]);
  clip_cond_clear (&batch.cond);
  if (batch.error)
    g_propagate_error (error, batch.error);
  return ok;
}
