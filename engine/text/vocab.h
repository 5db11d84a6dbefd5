/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of a tokenizer say, while they are read: checked on the way
 * in, and turned into a ClipTokenizer at the end.
 */
#pragma once

#include "engine/text/bpe.h"
#include "engine/text/tokenizer.h"
#include "engine/text/unicode.h"

#include <json-glib/json-glib.h>

/* Behind the last symbol of a word, in every file of this kind. */
#define CLIP_VOCAB_END_OF_WORD "</w>"

/* A token that is found in a text as it stands, before words are split. */
typedef struct {
  gchar *content;
  gsize length; /* bytes */
  gint32 id;
  gboolean normalized; /* looked for in the normalised text */
} ClipAddedToken;

typedef struct {
  const gchar *file; /* for messages: where the vocabulary is from */
  GHashTable *ids;   /* token -> id */
  GArray *merges;    /* ClipVocabMerge, by rank */
  GArray *added;     /* ClipAddedToken */
  gint32 unknown;    /* stands for bytes without a symbol; -1: none may */
  ClipNormalizeFlags normalize;
  gboolean special_literals;
} ClipVocab;

typedef struct {
  gint32 left, right, merged;
} ClipVocabMerge;

void clip_vocab_init (ClipVocab *vocab, const gchar *file);
void clip_vocab_clear (ClipVocab *vocab);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ClipVocab, clip_vocab_clear)

/* Takes an object of token: id; `key` names it in messages ("" for a file
 * that is nothing else). */
gboolean clip_vocab_read_ids (ClipVocab *vocab, JsonObject *object,
    const gchar *key, GError **error);
/* The next merge; `file` and `number` are for messages. */
gboolean clip_vocab_add_merge (ClipVocab *vocab, const gchar *left,
    const gchar *right, const gchar *file, guint number, GError **error);
/* A token that was in the vocabulary already must have the same id. */
gboolean clip_vocab_add_token (ClipVocab *vocab, const gchar *content,
    gint32 id, gboolean normalized, GError **error);

/* Checks what only shows at the end: that ids run from 0 without holes, that
 * every byte has its symbols, that the start and end tokens are there. */
ClipTokenizer *clip_vocab_finish (ClipVocab *vocab, GError **error);

/* tokenizer.json, and vocab.json with merges.txt. */
ClipTokenizer *clip_tokenizer_read_json (const gchar *file, GError **error);
ClipTokenizer *clip_tokenizer_read_merges (const gchar *vocab_file,
    const gchar *merges_file, GError **error);

/* Takes bpe; added is ClipAddedToken, shared. */
ClipTokenizer *clip_tokenizer_new (ClipBpe *bpe, GArray *added,
    ClipNormalizeFlags normalize, gboolean special_literals, gint32 start,
    gint32 end, guint size);
