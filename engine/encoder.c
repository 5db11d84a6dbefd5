/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Making, sharing and unmaking encoders.
 */
#include "engine/encoder.h"

/* Encoders in use, so that equal requests share one. `creating` is held while
 * one is made, which takes long; `registry` only for the list and counts. */
static ClipMutex creating = CLIP_MUTEX_INIT;
static ClipMutex registry = CLIP_MUTEX_INIT;
static GSList *encoders;

static void
encoder_free (ClipEncoder *encoder)
{
  clip_encoder_clear_device (encoder);
  g_free (encoder->text);
  g_free (encoder->staging);
  g_free (encoder->results);
  g_free (encoder->wanted_backend);
  g_free (encoder->wanted_device);
  clip_model_unref (encoder->model);
  clip_cond_clear (&encoder->wake);
  clip_cond_clear (&encoder->finished);
  clip_mutex_clear (&encoder->lock);
  g_free (encoder);
}

static ClipEncoder *
encoder_create (ClipModel *model, const ClipEncoderParams *params,
    GError **error)
{
  ClipEncoder *encoder = g_new0 (ClipEncoder, 1);

  encoder->ref_count = 1;
  encoder->model = clip_model_ref (model);
  encoder->wanted_backend = g_strdup (params->backend);
  encoder->wanted_device = g_strdup (params->device);
  encoder->precision = params->precision;
  encoder->n_threads = params->n_threads;
  clip_mutex_init (&encoder->lock);
  clip_cond_init (&encoder->wake);
  clip_cond_init (&encoder->finished);
  g_queue_init (&encoder->jobs);
  g_queue_init (&encoder->requests);
  if (!clip_encoder_init_device (encoder, error)) {
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

static gboolean
is_same (const ClipEncoder *encoder, const ClipModel *model,
    const ClipEncoderParams *params)
{
  return encoder->model == model && encoder->n_threads == params->n_threads
      && encoder->precision == params->precision
      && g_str_equal (encoder->wanted_backend, params->backend)
      && g_strcmp0 (encoder->wanted_device, params->device) == 0;
}

static ClipEncoder *
registry_find (ClipModel *model, const ClipEncoderParams *params)
{
  ClipEncoder *found = NULL;

  clip_mutex_lock (&registry);
  for (GSList *l = encoders; l && !found; l = l->next) {
    ClipEncoder *encoder = l->data;

    if (is_same (encoder, model, params)) {
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
  ClipEncoderParams wanted = params ? *params : (ClipEncoderParams){ 0 };
  ClipEncoder *encoder;

  if (!wanted.backend)
    wanted.backend = "auto";
  clip_mutex_lock (&creating);
  encoder = registry_find (model, &wanted);
  if (!encoder) {
    encoder = encoder_create (model, &wanted, error);
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

static const gchar *
get_string (ClipEncoder *encoder, const gchar *const *string)
{
  const gchar *now;

  clip_mutex_lock (&encoder->lock);
  now = *string;
  clip_mutex_unlock (&encoder->lock);
  return now;
}

const gchar *
clip_encoder_get_backend (ClipEncoder *encoder)
{
  return get_string (encoder, &encoder->backend_name);
}

const gchar *
clip_encoder_get_description (ClipEncoder *encoder)
{
  return get_string (encoder, &encoder->description);
}

const gchar *
clip_encoder_get_warning (ClipEncoder *encoder)
{
  return get_string (encoder, &encoder->warning);
}
