/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CLIP's byte-level BPE, from the files people have.
 */
#pragma once

#include <glib.h>

/* Immutable; any thread. */
typedef struct _ClipTokenizer ClipTokenizer;

/* Reads tokenizer.json of the folder, else vocab.json and merges.txt. */
ClipTokenizer *clip_tokenizer_load (const gchar *directory, GError **error);
void clip_tokenizer_free (ClipTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipTokenizer, clip_tokenizer_free)

gint32 clip_tokenizer_get_start (ClipTokenizer *tokenizer);
gint32 clip_tokenizer_get_end (ClipTokenizer *tokenizer);
/* One more than the largest id. */
guint clip_tokenizer_get_vocab_size (ClipTokenizer *tokenizer);

/* Start token, text, end token into ids [context]; returns how many were
 * written. A longer text is cut, the end token kept, and *truncated (may be
 * NULL) set. Returns 0 with an error for a text that is not UTF-8. */
guint clip_tokenizer_encode (ClipTokenizer *tokenizer, const gchar *text,
    guint context, gint32 *ids, gboolean *truncated, GError **error);
