/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Texts on their way through an encoder: look up, tokenise, run in chunks.
 */
#include "engine/encoder.h"

#include <string.h>

/* Token ids of a chunk of texts, padded to a bucket's length. */
typedef struct {
  gint32 *ids[CLIP_TEXT_CHUNK];
  guint lengths[CLIP_TEXT_CHUNK];
  gint32 ends[CLIP_TEXT_CHUNK]; /* where the text is pooled */
  guint n, longest;
} Chunk;

static void
chunk_clear (Chunk *chunk)
{
  for (guint i = 0; i < chunk->n; i++)
    g_free (chunk->ids[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Chunk, chunk_clear)

/* The references pool at the first end token, and a text may hold others. */
static gint32
first_end (const gint32 *ids, guint length)
{
  guint i = 0;

  while (ids[i] != ids[length - 1])
    i++;
  return (gint32) i;
}

static gboolean
chunk_tokenize (Chunk *chunk, ClipModel *model, const ClipTextRequest *request,
    GError **error)
{
  while (chunk->n < CLIP_TEXT_CHUNK
      && request->next + chunk->n < request->n_which) {
    const gsize which = request->which[request->next + chunk->n];
    guint length;
    gint32 *ids = clip_model_tokenize (model, request->texts[which], &length,
        NULL, error);

    if (!ids)
      return FALSE;
    chunk->ids[chunk->n] = ids;
    chunk->ends[chunk->n] = first_end (ids, length);
    chunk->lengths[chunk->n++] = length;
    chunk->longest = MAX (chunk->longest, length);
  }
  return TRUE;
}

/* *bucket_tokens: the length that ids must be padded to. */
static ClipTower *
text_tower (ClipEncoder *encoder, guint tokens, guint *bucket_tokens,
    GError **error)
{
  const ClipModelSpec *spec = clip_model_get_spec (encoder->model);
  const guint bucket = (tokens - 1) / CLIP_TEXT_BUCKET;
  ClipTower *tower = &encoder->text[bucket];

  *bucket_tokens = MIN ((bucket + 1) * CLIP_TEXT_BUCKET, spec->context);
  if (!tower->program
      && !clip_tower_init (tower, encoder->model, encoder->backend,
          clip_tower_text (spec, CLIP_TEXT_CHUNK, *bucket_tokens, FALSE),
          error))
    return NULL;
  return tower;
}

static gboolean
run_chunk (ClipEncoder *encoder, const Chunk *chunk, GError **error)
{
  g_autofree gint32 *ids = NULL;
  ClipTower *tower;
  guint tokens;

  if (!clip_encoder_has_device (encoder, error))
    return FALSE;
  tower = text_tower (encoder, chunk->longest, &tokens, error);
  if (!tower)
    return FALSE;
  ids = g_new0 (gint32, (gsize) chunk->n * tokens);
  for (guint i = 0; i < chunk->n; i++)
    memcpy (ids + (gsize) i * tokens, chunk->ids[i],
        chunk->lengths[i] * sizeof *ids);
  return clip_encoder_run_tower (encoder, tower, chunk->n,
      (gconstpointer[]){ ids, chunk->ends }, "text", error);
}

gsize
clip_encoder_run_texts (ClipEncoder *encoder, ClipTextRequest *request,
    GError **error)
{
  const gsize dim = clip_model_get_embed_dim (encoder->model);
  g_auto (Chunk) chunk = { .n = 0 };
  g_autoptr (GError) failure = NULL;

  if (!chunk_tokenize (&chunk, encoder->model, request, error))
    return 0;
  while (!run_chunk (encoder, &chunk, &failure))
    if (!clip_encoder_recover (encoder, &failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return 0;
    }
  for (guint i = 0; i < chunk.n; i++) {
    const gsize which = request->which[request->next + i];

    memcpy (request->out + which * dim, encoder->results + i * dim,
        dim * sizeof (gfloat));
    clip_text_cache_insert (encoder->text_cache, request->texts[which],
        encoder->results + i * dim);
  }
  return chunk.n;
}

gboolean
clip_encoder_encode_texts (ClipEncoder *encoder, const gchar *const *texts,
    gsize n, gfloat *out, GCancellable *cancellable, GError **error)
{
  const gsize dim = clip_model_get_embed_dim (encoder->model);
  g_autofree gsize *which = g_new (gsize, n);
  ClipTextRequest request = {
    .texts = texts, .out = out, .which = which, .cancellable = cancellable
  };
  ClipTextCache *cache;

  clip_mutex_lock (&encoder->lock);
  cache = encoder->text_cache;
  clip_mutex_unlock (&encoder->lock);
  for (gsize i = 0; i < n; i++)
    if (!clip_text_cache_lookup (cache, texts[i], out + i * dim))
      which[request.n_which++] = i;
  if (request.n_which == 0)
    return TRUE;

  clip_mutex_lock (&encoder->lock);
  g_queue_push_tail (&encoder->requests, &request);
  clip_cond_signal (&encoder->wake);
  while (!request.finished)
    clip_cond_wait (&encoder->finished, &encoder->lock);
  clip_mutex_unlock (&encoder->lock);
  if (request.error)
    g_propagate_error (error, request.error);
  return request.error == NULL;
}
