/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/textcache.h"

#include <string.h>

#include "engine/thread.h"

struct _ClipTextCache {
  ClipMutex lock;
  GHashTable *embeddings; /* text -> gfloat [dim]; owns both */
  GQueue order;           /* the table's keys, oldest first */
  gsize dim;
};

static void
text_cache_free (gpointer data)
{
  ClipTextCache *cache = data;

  g_queue_clear (&cache->order);
  g_hash_table_unref (cache->embeddings);
  clip_mutex_clear (&cache->lock);
  g_free (cache);
}

static gpointer
text_cache_new (ClipModel *model, gpointer user_data, GError **error)
{
  ClipTextCache *cache = g_new0 (ClipTextCache, 1);

  clip_mutex_init (&cache->lock);
  g_queue_init (&cache->order);
  cache->embeddings =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  cache->dim = clip_model_get_embed_dim (model);
  return cache;
}

ClipTextCache *
clip_text_cache_get (ClipModel *model, gboolean narrow)
{
  return clip_model_get_attached (model,
      narrow ? "text-cache-narrow" : "text-cache", text_cache_new, NULL,
      text_cache_free, NULL);
}

gboolean
clip_text_cache_lookup (ClipTextCache *cache, const gchar *text, gfloat *out)
{
  const gfloat *found;

  clip_mutex_lock (&cache->lock);
  found = g_hash_table_lookup (cache->embeddings, text);
  if (found)
    memcpy (out, found, cache->dim * sizeof *out);
  clip_mutex_unlock (&cache->lock);
  return found != NULL;
}

void
clip_text_cache_insert (ClipTextCache *cache, const gchar *text,
    const gfloat *embedding)
{
  const gsize bytes = cache->dim * sizeof *embedding;

  clip_mutex_lock (&cache->lock);
  if (!g_hash_table_contains (cache->embeddings, text)) {
    gchar *key = g_strdup (text);

    g_hash_table_insert (cache->embeddings, key, g_memdup2 (embedding, bytes));
    g_queue_push_tail (&cache->order, key);
    while (g_queue_get_length (&cache->order) * bytes > CLIP_TEXT_CACHE_BYTES)
      g_hash_table_remove (cache->embeddings, g_queue_pop_head (&cache->order));
  }
  clip_mutex_unlock (&cache->lock);
}
