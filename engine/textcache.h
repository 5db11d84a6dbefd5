/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A model's memory of the texts it has encoded, so that none is encoded
 * twice: labels come and go, and prompts repeat. Bounded: beyond
 * CLIP_TEXT_CACHE_BYTES of embeddings the oldest are forgotten.
 */
#pragma once

#include "engine/model/model.h"

#define CLIP_TEXT_CACHE_BYTES (32u << 20)

typedef struct _ClipTextCache ClipTextCache;

/* Owned by the model. Any thread. */
ClipTextCache *clip_text_cache_get (ClipModel *model, gboolean narrow);
/* Copies the embedding [dim] to out and returns TRUE where it is known. */
gboolean clip_text_cache_lookup (ClipTextCache *cache, const gchar *text,
    gfloat *out);
void clip_text_cache_insert (ClipTextCache *cache, const gchar *text,
    const gfloat *embedding);
