/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an encoder runs on, and what takes its place when that fails.
 */
#include "engine/encoder.h"

#include <math.h>
#include <string.h>

#include "engine/backends.h"
#include "engine/weights.h"

/* Unit embeddings of two pictures that have nothing in common are farther
 * apart than this; what a broken driver answers to both is the same. */
#define DIFFERENT 1e-4

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

/* The largest batch whose arena stays within the limit; once chosen, it stays
 * what it is. */
static ClipPlan *
plan_image_tower (ClipEncoder *encoder)
{
  const ClipModelSpec *spec = clip_model_get_spec (encoder->model);
  const gboolean bias =
      clip_model_has_weight (encoder->model, "image.projection.bias");
  guint batch = encoder->max_batch > 0 ? encoder->max_batch : CLIP_MAX_BATCH;

  for (;; batch /= 2) {
    ClipPlan *plan = clip_tower_image (spec, batch, bias, FALSE);

    if (batch == 1 || plan->arena_size <= CLIP_ARENA_LIMIT) {
      encoder->max_batch = batch;
      return plan;
    }
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

  return weights != NULL;
}

void
clip_encoder_clear_device (ClipEncoder *encoder)
{
  if (!encoder->backend)
    return;
  clip_tower_clear (&encoder->image, encoder->backend);
  for (guint i = 0; i < encoder->n_text; i++)
    clip_tower_clear (&encoder->text[i], encoder->backend);
  encoder->backend->ops->free (encoder->backend);
  encoder->backend = NULL;
}

/* What other threads see; they may still hold what they saw before. */
static void
publish (ClipEncoder *encoder, const gchar *warning)
{
  const ClipBackend *backend = encoder->backend;
  ClipTextCache *cache = clip_text_cache_get (encoder->model, backend->narrow);

  clip_mutex_lock (&encoder->lock);
  encoder->backend_name = backend->name;
  encoder->description = g_intern_string (backend->description);
  encoder->warning = g_intern_string (warning);
  encoder->text_cache = cache;
  clip_mutex_unlock (&encoder->lock);
}

static gboolean
init_device (ClipEncoder *encoder, const ClipEncoderParams *params,
    const gchar *warning, GError **error)
{
  encoder->backend = clip_backend_new (params, error);
  if (!encoder->backend)
    return FALSE;
  if (!clip_tower_init (&encoder->image, encoder->model, encoder->backend,
          plan_image_tower (encoder), error)
      || !prepare_text_tower (encoder, error)) {
    clip_encoder_clear_device (encoder);
    return FALSE;
  }
  publish (encoder, warning ? warning : encoder->backend->warning);
  return TRUE;
}

static ClipEncoderParams
asked_for (const ClipEncoder *encoder)
{
  return (ClipEncoderParams){ .backend = encoder->wanted_backend,
    .n_threads = encoder->n_threads,
    .device = encoder->wanted_device,
    .precision = encoder->precision };
}

/* Under "auto", the CPU takes the place of whatever does not work. */
static gboolean
may_fall_back (const ClipEncoder *encoder, const GError *failure)
{
  return g_str_equal (encoder->wanted_backend, "auto")
      && (g_error_matches (failure, CLIP_ERROR, CLIP_ERROR_DEVICE)
          || g_error_matches (failure, CLIP_ERROR, CLIP_ERROR_MEMORY)
          || g_error_matches (failure, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED));
}

static gboolean
fall_back (ClipEncoder *encoder, const GError *failure, GError **error)
{
  const ClipEncoderParams cpu = { .backend = "cpu",
    .n_threads = encoder->n_threads };
  g_autofree gchar *warning =
      g_strdup_printf ("the GPU failed, the CPU goes on: %s", failure->message);

  clip_encoder_clear_device (encoder);
  return init_device (encoder, &cpu, warning, error);
}

static gboolean
widen (ClipEncoder *encoder, GError **error)
{
  ClipEncoderParams params = asked_for (encoder);

  params.backend = "vulkan";
  params.precision = CLIP_PRECISION_F32;
  clip_encoder_clear_device (encoder);
  return init_device (encoder, &params,
      "this model has values that do not fit into 16 bits: it runs in 32",
      error);
}

gboolean
clip_encoder_recover (ClipEncoder *encoder, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (encoder->backend && encoder->backend->overflowed) {
    g_clear_error (error);
    if (widen (encoder, error))
      return TRUE;
  }
  if (!may_fall_back (encoder, *error)
      || (encoder->backend && g_str_equal (encoder->backend->name, "cpu")))
    return FALSE;
  failure = g_steal_pointer (error);
  return fall_back (encoder, failure, error);
}

/* Where recovering failed, nothing has taken the device's place. */
gboolean
clip_encoder_has_device (const ClipEncoder *encoder, GError **error)
{
  if (encoder->backend)
    return TRUE;
  g_set_error_literal (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
      "the device failed before, and nothing could take its place");
  return FALSE;
}

gboolean
clip_encoder_run_tower (ClipEncoder *encoder, const ClipTower *tower, guint n,
    gconstpointer const *inputs, const gchar *name, GError **error)
{
  const gsize dim = clip_model_get_embed_dim (encoder->model);
  ClipBackend *backend = encoder->backend;

  if (!clip_encoder_has_device (encoder, error)
      || !backend->ops->run (tower->program, n, inputs,
          (gpointer[]){ encoder->results }, NULL, NULL, error))
    return FALSE;
  if (clip_encoder_check_finite (encoder->results, n * dim, name, error))
    return TRUE;
  backend->overflowed = backend->narrow;
  return FALSE;
}

/* ---------------------------------------------------------------- at start */

static gboolean
check_pictures (ClipEncoder *encoder, GError **error)
{
  const gsize dim = clip_model_get_embed_dim (encoder->model);
  g_autofree gfloat *grey = g_new (gfloat, dim);
  g_autofree gfloat *picture = g_new0 (gfloat, encoder->picture_length);
  gconstpointer inputs[] = { picture };
  gdouble distance = 0;

  if (!clip_encoder_run_tower (encoder, &encoder->image, 1, inputs, "image",
          error))
    return FALSE;
  memcpy (grey, encoder->results, dim * sizeof *grey);
  for (gsize i = 0; i < encoder->picture_length; i++)
    picture[i] = (gfloat) (i * 7919 % 31) / 10 - 1.5f;
  if (!clip_encoder_run_tower (encoder, &encoder->image, 1, inputs, "image",
          error))
    return FALSE;
  for (gsize i = 0; i < dim; i++)
    distance += fabs ((gdouble) grey[i] - encoder->results[i]);
  if (distance > DIFFERENT)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
      "%s answers the same to two different pictures",
      encoder->backend->description);
  return FALSE;
}

gboolean
clip_encoder_init_device (ClipEncoder *encoder, GError **error)
{
  const ClipModelSpec *spec = clip_model_get_spec (encoder->model);
  const ClipEncoderParams params = asked_for (encoder);
  g_autoptr (GError) failure = NULL;
  gboolean ok;

  encoder->n_text = (spec->context + CLIP_TEXT_BUCKET - 1) / CLIP_TEXT_BUCKET;
  encoder->text = g_new0 (ClipTower, encoder->n_text);
  encoder->picture_length = 3 * (gsize) spec->image_size * spec->image_size;
  encoder->results = g_new (gfloat,
      MAX (CLIP_MAX_BATCH, CLIP_TEXT_CHUNK) * (gsize) spec->embed_dim);
  ok = init_device (encoder, &params, NULL, &failure)
      || clip_encoder_recover (encoder, &failure);
  while (ok && !g_str_equal (encoder->backend->name, "cpu")
      && !check_pictures (encoder, &failure))
    ok = clip_encoder_recover (encoder, &failure);
  if (ok)
    encoder->staging =
        g_new (gfloat, encoder->max_batch * encoder->picture_length);
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return ok;
}
