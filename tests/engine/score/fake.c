/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake.h"

#include <math.h>
#include <string.h>

Fake fake;

void
fake_reset (void)
{
  if (fake.encoded != NULL)
    g_ptr_array_unref (fake.encoded);
  fake = (Fake){ .mode = CLIP_SCORE_SOFTMAX, .logit_scale = 10 };
  fake.encoded = g_ptr_array_new_with_free_func (g_free);
}

void
fake_embed (const gchar *text, gfloat out[FAKE_DIM])
{
  const gboolean opposite = fake.cancel && *text == '-';
  guint32 state = g_str_hash (text + opposite);
  gdouble squares = 0;

  for (guint i = 0; i < FAKE_DIM; i++) {
    state = state * 1664525u + 1013904223u;
    out[i] = (gfloat) ((gdouble) state / G_MAXUINT32 - 0.5);
    squares += (gdouble) out[i] * out[i];
  }
  for (guint i = 0; i < FAKE_DIM; i++)
    out[i] = (gfloat) ((opposite ? -1 : 1) * out[i] / sqrt (squares));
}

ClipModel *
clip_encoder_get_model (ClipEncoder *encoder)
{
  return (ClipModel *) &fake;
}

gboolean
clip_encoder_encode_texts (ClipEncoder *encoder, const gchar *const *texts,
    gsize n, gfloat *out, GCancellable *cancellable, GError **error)
{
  if (g_cancellable_is_cancelled (cancellable)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_CANCELLED, "cancelled");
    return FALSE;
  }
  if (fake.fail) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE, "no device");
    return FALSE;
  }
  fake.largest_call = MAX (fake.largest_call, n);
  for (gsize i = 0; i < n; i++) {
    g_ptr_array_add (fake.encoded, g_strdup (texts[i]));
    fake_embed (texts[i], out + i * FAKE_DIM);
  }
  return TRUE;
}

guint
clip_model_get_embed_dim (ClipModel *model)
{
  return FAKE_DIM;
}

guint
clip_model_get_context (ClipModel *model)
{
  return FAKE_CONTEXT;
}

gfloat
clip_model_get_logit_scale (ClipModel *model)
{
  return fake.logit_scale;
}

gfloat
clip_model_get_logit_bias (ClipModel *model)
{
  return fake.logit_bias;
}

ClipScoreMode
clip_model_get_score_mode (ClipModel *model)
{
  return fake.mode;
}

gint32 *
clip_model_tokenize (ClipModel *model, const gchar *text, guint *n,
    gboolean *truncated, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  guint n_words = g_strv_length (words);

  *n = MIN (n_words + 2, FAKE_CONTEXT);
  *truncated = n_words + 2 > FAKE_CONTEXT;
  return g_new0 (gint32, *n);
}
