/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vocab.json and merges.txt, which OpenAI's vocabulary was first converted to.
 * They say less than a tokenizer.json: the rest is as in CLIP's.
 */
#include "engine/clip.h"
#include "engine/model/file.h"
#include "engine/model/json.h"
#include "engine/text/vocab.h"

#include <string.h>

#define MAX_MERGES_BYTES (64 * 1024 * 1024)
/* What a vocabulary has besides one token for each merge: a symbol for every
 * byte, inside and at the end of a word, and the start and end tokens. */
#define TOKENS_WITHOUT_MERGE (2 * 256 + 2)

/* OpenAI's original list is longer than the vocabulary made from it; what is
 * beyond is no merge of this tokenizer. */
static gboolean
read_merges (ClipVocab *vocab, gchar *text, const gchar *file, GError **error)
{
  guint n = g_hash_table_size (vocab->ids), number = 0;

  n = n > TOKENS_WITHOUT_MERGE ? n - TOKENS_WITHOUT_MERGE : 0;
  for (gchar *line = text, *next; line != NULL && vocab->merges->len < n;
       line = next) {
    gchar *space;

    if ((next = strchr (line, '\n')) != NULL)
      *next++ = '\0';
    g_strchomp (line);
    number++;
    if (*line == '\0' || (number == 1 && strstr (line, "#version") != NULL))
      continue;
    space = strchr (line, ' ');
    if (space == NULL || strchr (space + 1, ' ') != NULL) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "%s: line %u is \"%.200s\", expected two tokens and a space between "
          "them",
          file, number, line);
      return FALSE;
    }
    *space = '\0';
    if (!clip_vocab_add_merge (vocab, line, space + 1, file, number, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
add_special (ClipVocab *vocab, const gchar *content, gboolean normalized,
    GError **error)
{
  gpointer id;

  if (!g_hash_table_lookup_extended (vocab->ids, content, NULL, &id)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT, "%s: no token \"%s\"",
        vocab->file, content);
    return FALSE;
  }
  return clip_vocab_add_token (vocab, content, GPOINTER_TO_INT (id), normalized,
      error);
}

ClipTokenizer *
clip_tokenizer_read_merges (const gchar *vocab_file, const gchar *merges_file,
    GError **error)
{
  g_autoptr (JsonObject) ids = clip_json_load (vocab_file, error);
  g_auto (ClipVocab) vocab = { 0 };
  g_autofree gchar *merges = NULL;
  const gchar *valid;
  gsize length;

  clip_vocab_init (&vocab, vocab_file);
  vocab.normalize =
      CLIP_NORMALIZE_NFC | CLIP_NORMALIZE_SPACES | CLIP_NORMALIZE_LOWER;
  vocab.special_literals = TRUE;
  if (ids == NULL || !clip_vocab_read_ids (&vocab, ids, "", error))
    return NULL;

  merges = clip_file_read_all (merges_file, MAX_MERGES_BYTES, &length, error);
  if (merges == NULL)
    return NULL;
  if (!g_utf8_validate_len (merges, length, &valid)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: not UTF-8 at byte %" G_GSIZE_FORMAT, merges_file,
        (gsize) (valid - merges));
    return NULL;
  }
  if (!read_merges (&vocab, merges, merges_file, error)
      || !add_special (&vocab, "<|startoftext|>", TRUE, error)
      || !add_special (&vocab, "<|endoftext|>", FALSE, error))
    return NULL;
  return clip_vocab_finish (&vocab, error);
}
