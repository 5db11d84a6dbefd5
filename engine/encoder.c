/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Making, sharing and unmaking encoders.
 */
#include "engine/encoder.h"

#include "engine/cpu/cpu.h"
#include "engine/weights.h"

/* Encoders in use, so that equal requests share one. `creating` is held while
 * one is made, which takes long; `registry` only for the list and counts. */
static ClipMutex creating = CLIP_MUTEX_INIT;
static ClipMutex registry = CLIP_MUTEX_INIT;
static GSList *encoders;

gboolean
clip_tower_init (ClipTower *tower, ClipModel *model, ClipBackend *backend,
    ClipPlan *plan, GError **error)
{
  tower->plan = plan;
  tower->weights = clip_weights_prepare (model, backend, plan, error);
  if (tower->weights)
    tower->program =
        backend->ops->prepare (backend, plan, tower->weights, error);
  if (tower->program)
    return TRUE;
  clip_tower_clear (tower, backend);
  return FALSE;
}

void
clip_tower_clear (ClipTower *tower, ClipBackend *backend)
{
  if (tower->program)
    backend->ops->free_program (tower->program);
  tower->program = NULL;
  g_clear_pointer (&tower->weights, g_free);
  g_clear_pointer (&tower->plan, clip_plan_free);
}

static void
encoder_free (ClipEncoder *encoder)
{
  if (encoder->backend) {
    clip_tower_clear (&encoder->image, encoder->backend);
    for (guint i = 0; i < encoder->n_text; i++)
      clip_tower_clear (&encoder->text[i], encoder->backend);
    encoder->backend->ops->free (encoder->backend);
  }
  g_free (encoder->text);
  g_free (encoder->staging);
  g_free (encoder->results);
  g_free (encoder->backend_name);
  clip_model_unref (encoder->model);
  clip_cond_clear (&encoder->wake);
  clip_cond_clear (&encoder->finished);
  clip_mutex_clear (&encoder->lock);
  g_free (encoder);
}

/* The largest batch whose arena stays within the limit. */
static ClipPlan *
plan_image_tower (ClipModel *model)
{
  const gboolean bias = clip_model_has_weight (model, "image.projection.bias");

  for (guint batch = CLIP_MAX_BATCH;; batch /= 2) {
    ClipPlan *plan =
        clip_tower_image (clip_model_get_spec (model), batch, bias, FALSE);

    if (batch == 1 || plan->arena_size <= CLIP_ARENA_LIMIT)
      return plan;
    clip_plan_free (plan);
  }
}

/* The weights of the text tower are prepared with the encoder, so that a
 * broken file is found at start and the first label does not wait for them. */
static gboolean
prepare_text_tower (ClipEncoder *encoder, GError **error)
{
  const ClipModelSpec *spec = clip_model_get_spec (encoder->model);
  g_autoptr (ClipPlan) plan = clip_tower_text (spec, 1, 1, FALSE);
  g_autofree ClipWeight **weights =
      clip_weights_prepare (encoder->model, encoder->backend, plan, error);

  encoder->n_text = (spec->context + CLIP_TEXT_BUCKET - 1) / CLIP_TEXT_BUCKET;
  encoder->text = g_new0 (ClipTower, encoder->n_text);
  return weights != NULL;
}

static gboolean
encoder_prepare (ClipEncoder *encoder, GError **error)
{
  const ClipModelSpec *spec = clip_model_get_spec (encoder->model);
  ClipPlan *plan;

  encoder->backend = clip_cpu_backend_new (encoder->n_threads, error);
  if (!encoder->backend)
    return FALSE;
  plan = plan_image_tower (encoder->model);
  encoder->max_batch = plan->max_batch;
  if (!clip_tower_init (&encoder->image, encoder->model, encoder->backend, plan,
          error)
      || !prepare_text_tower (encoder, error))
    return FALSE;
  encoder->picture_length = 3 * (gsize) spec->image_size * spec->image_size;
  encoder->staging =
      g_new (gfloat, encoder->max_batch * encoder->picture_length);
  encoder->results = g_new (gfloat,
      MAX (encoder->max_batch, CLIP_TEXT_CHUNK) * (gsize) spec->embed_dim);
  encoder->text_cache = clip_text_cache_get (encoder->model);
  return TRUE;
}

static ClipEncoder *
encoder_create (ClipModel *model, const gchar *backend, guint n_threads,
    GError **error)
{
  ClipEncoder *encoder = g_new0 (ClipEncoder, 1);

  encoder->ref_count = 1;
  encoder->model = clip_model_ref (model);
  encoder->backend_name = g_strdup (backend);
  encoder->n_threads = n_threads;
  clip_mutex_init (&encoder->lock);
  clip_cond_init (&encoder->wake);
  clip_cond_init (&encoder->finished);
  g_queue_init (&encoder->jobs);
  g_queue_init (&encoder->requests);
  if (!encoder_prepare (encoder, error)) {
    encoder_free (encoder);
    return NULL;
  }
  if (pthread_create (&encoder->thread, NULL, clip_encoder_thread, encoder)) {
    g_set_error_literal (error, CLIP_ERROR, CLIP_ERROR_MEMORY,
        "the encoder's thread could not be started");
    encoder_free (encoder);
    return NULL;
  }
  return encoder;
}

static ClipEncoder *
registry_find (ClipModel *model, guint n_threads)
{
  ClipEncoder *found = NULL;

  clip_mutex_lock (&registry);
  for (GSList *l = encoders; l && !found; l = l->next) {
    ClipEncoder *encoder = l->data;

    if (encoder->model == model && encoder->n_threads == n_threads) {
      encoder->ref_count++;
      found = encoder;
    }
  }
  clip_mutex_unlock (&registry);
  return found;
}

ClipEncoder *
clip_encoder_new (ClipModel *model, const ClipEncoderParams *params,
    GError **error)
{
  const gchar *backend = params && params->backend ? params->backend : "auto";
  const guint n_threads = params ? params->n_threads : 0;
  ClipEncoder *encoder;

  if (!g_str_equal (backend, "auto") && !g_str_equal (backend, "cpu")) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
        "there is no backend \"%s\"; this build has: auto, cpu", backend);
    return NULL;
  }
  clip_mutex_lock (&creating);
  encoder = registry_find (model, n_threads);
  if (!encoder) {
    encoder = encoder_create (model, "cpu", n_threads, error);
    if (encoder) {
      clip_mutex_lock (&registry);
      encoders = g_slist_prepend (encoders, encoder);
      clip_mutex_unlock (&registry);
    }
  }
  clip_mutex_unlock (&creating);
  return encoder;
}

ClipEncoder *
clip_encoder_ref (ClipEncoder *encoder)
{
  clip_mutex_lock (&registry);
  encoder->ref_count++;
  clip_mutex_unlock (&registry);
  return encoder;
}

void
clip_encoder_unref (ClipEncoder *encoder)
{
  gboolean last;

  clip_mutex_lock (&registry);
  last = --encoder->ref_count == 0;
  if (last)
    encoders = g_slist_remove (encoders, encoder);
  clip_mutex_unlock (&registry);
  if (!last)
    return;

  clip_mutex_lock (&encoder->lock);
  encoder->quit = TRUE;
  clip_cond_signal (&encoder->wake);
  clip_mutex_unlock (&encoder->lock);
  pthread_join (encoder->thread, NULL);
  encoder_free (encoder);
}

ClipModel *
clip_encoder_get_model (ClipEncoder *encoder)
{
  return encoder->model;
}

const gchar *
clip_encoder_get_backend (ClipEncoder *encoder)
{
  return encoder->backend_name;
}

const gchar *
clip_encoder_get_description (ClipEncoder *encoder)
{
  return encoder->backend->description;
}

const gchar *
clip_encoder_get_warning (ClipEncoder *encoder)
{
  return encoder->backend->warning;
}
