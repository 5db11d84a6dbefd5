/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The encoder's thread: takes what is queued, runs it, calls back.
 */
#include "engine/encoder.h"

#include <math.h>
#include <string.h>

gboolean
clip_encoder_check_finite (const gfloat *values, gsize n, const gchar *tower,
    GError **error)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (values[i])) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
          "the %s tower's result is not a finite number", tower);
      return FALSE;
    }
  return TRUE;
}

gboolean
clip_encoder_run_jobs (ClipEncoder *encoder, ClipJob **jobs, guint n,
    GError **error)
{
  const gsize dim = clip_model_get_embed_dim (encoder->model);
  const gfloat *pictures = n == 1 ? jobs[0]->picture : encoder->staging;
  g_autoptr (GError) failure = NULL;

  for (guint i = 0; n > 1 && i < n; i++)
    memcpy (encoder->staging + i * encoder->picture_length, jobs[i]->picture,
        encoder->picture_length * sizeof (gfloat));
  while (!clip_encoder_run_tower (encoder, &encoder->image, n,
      (gconstpointer[]){ pictures }, "image", &failure))
    if (!clip_encoder_recover (encoder, &failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    memcpy (jobs[i]->embedding, encoder->results + i * dim,
        dim * sizeof (gfloat));
  return TRUE;
}

/* A job may be submitted again or freed as soon as its callback has told its
 * owner, so it is idle before the call and not touched after it. */
static void
call_back (ClipEncoder *encoder, ClipJob *job, const GError *error)
{
  clip_mutex_lock (&encoder->lock);
  job->state = CLIP_JOB_IDLE;
  encoder->calling = job;
  clip_mutex_unlock (&encoder->lock);
  job->done (job, error, job->user_data);
  clip_mutex_lock (&encoder->lock);
  encoder->calling = NULL;
  clip_cond_broadcast (&encoder->finished);
  clip_mutex_unlock (&encoder->lock);
}

/* Called and returns with the lock held. */
static void
serve_jobs (ClipEncoder *encoder)
{
  ClipJob *jobs[CLIP_MAX_BATCH];
  g_autoptr (GError) error = NULL;
  guint n = 0;

  while (n < encoder->max_batch && encoder->jobs.head) {
    jobs[n] = g_queue_pop_head_link (&encoder->jobs)->data;
    jobs[n++]->state = CLIP_JOB_RUNNING;
  }
  if (n == 0)
    return;
  clip_mutex_unlock (&encoder->lock);
  clip_encoder_run_jobs (encoder, jobs, n, &error);
  for (guint i = 0; i < n; i++)
    call_back (encoder, jobs[i], error);
  clip_mutex_lock (&encoder->lock);
}

/* Called and returns with the lock held. The request stays at the head of the
 * queue until it is finished; only its owner waits for it. */
static void
serve_texts (ClipEncoder *encoder)
{
  ClipTextRequest *request = g_queue_peek_head (&encoder->requests);

  if (!request)
    return;
  clip_mutex_unlock (&encoder->lock);
  if (g_cancellable_is_cancelled (request->cancellable))
    g_set_error_literal (&request->error, CLIP_ERROR, CLIP_ERROR_CANCELLED,
        "the texts were called off before they were encoded");
  else
    request->next += clip_encoder_run_texts (encoder, request, &request->error);
  clip_mutex_lock (&encoder->lock);
  if (request->error || request->next == request->n_which) {
    g_queue_pop_head (&encoder->requests);
    request->finished = TRUE;
    clip_cond_broadcast (&encoder->finished);
  }
}

gpointer
clip_encoder_thread (gpointer data)
{
  ClipEncoder *encoder = data;

  clip_mutex_lock (&encoder->lock);
  while (!encoder->quit) {
    serve_jobs (encoder);
    serve_texts (encoder);
    while (!encoder->quit && !encoder->jobs.head && !encoder->requests.head)
      clip_cond_wait (&encoder->wake, &encoder->lock);
  }
  clip_mutex_unlock (&encoder->lock);
  return NULL;
}
