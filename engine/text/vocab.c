/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/text/vocab.h"

#include "engine/clip.h"

#include <string.h>

/* Ids reach the token table and arrays of this size. */
#define MAX_TOKENS (1 << 24)
/* Each is looked for at every place of a text. */
#define MAX_ADDED_TOKENS 1024

static void
added_token_clear (gpointer token)
{
  g_free (((ClipAddedToken *) token)->content);
}

void
clip_vocab_init (ClipVocab *vocab, const gchar *file)
{
  *vocab = (ClipVocab){
    .file = file,
    .ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
    .merges = g_array_new (FALSE, FALSE, sizeof (ClipVocabMerge)),
    .added = g_array_new (FALSE, FALSE, sizeof (ClipAddedToken)),
    .unknown = -1,
  };
  g_array_set_clear_func (vocab->added, added_token_clear);
}

void
clip_vocab_clear (ClipVocab *vocab)
{
  g_hash_table_unref (vocab->ids);
  g_array_unref (vocab->merges);
  g_array_unref (vocab->added);
}

static gboolean
lookup (const ClipVocab *vocab, const gchar *token, gint32 *id)
{
  gpointer value;

  if (!g_hash_table_lookup_extended (vocab->ids, token, NULL, &value))
    return FALSE;
  *id = GPOINTER_TO_INT (value);
  return TRUE;
}

gboolean
clip_vocab_read_ids (ClipVocab *vocab, JsonObject *object, const gchar *key,
    GError **error)
{
  JsonObjectIter iter;
  const gchar *token;
  JsonNode *node;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &token, &node)) {
    gint64 id = -1;

    if (JSON_NODE_HOLDS_VALUE (node)
        && json_node_get_value_type (node) == G_TYPE_INT64)
      id = json_node_get_int (node);
    if (id < 0 || id >= MAX_TOKENS) {
      g_autofree gchar *found = json_to_string (node, FALSE);

      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "%s: %s\"%.100s\" is %.100s, expected an id from 0 to %d",
          vocab->file, key, token, found, MAX_TOKENS - 1);
      return FALSE;
    }
    g_hash_table_insert (vocab->ids, g_strdup (token),
        GINT_TO_POINTER ((gint32) id));
  }
  return TRUE;
}

gboolean
clip_vocab_add_merge (ClipVocab *vocab, const gchar *left, const gchar *right,
    const gchar *file, guint number, GError **error)
{
  g_autofree gchar *merged = g_strconcat (left, right, NULL);
  const gchar *tokens[] = { left, right, merged };
  gint32 ids[3];

  for (guint i = 0; i < 3; i++) {
    if (!lookup (vocab, tokens[i], &ids[i])) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "%s: merge %u, \"%.100s\" \"%.100s\": \"%.200s\" is not in the "
          "vocabulary",
          file, number, left, right, tokens[i]);
      return FALSE;
    }
  }
  g_array_append_val (vocab->merges,
      ((ClipVocabMerge){ ids[0], ids[1], ids[2] }));
  return TRUE;
}

gboolean
clip_vocab_add_token (ClipVocab *vocab, const gchar *content, gint32 id,
    gboolean normalized, GError **error)
{
  ClipAddedToken token = { NULL, 0, id, normalized };
  GString *text;
  gint32 known;

  if (*content == '\0' || id < 0 || id >= MAX_TOKENS
      || vocab->added->len >= MAX_ADDED_TOKENS) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: added_tokens: \"%.100s\" with id %d; expected at most %d tokens "
        "with contents and ids from 0 to %d",
        vocab->file, content, id, MAX_ADDED_TOKENS, MAX_TOKENS - 1);
    return FALSE;
  }
  if (!lookup (vocab, content, &known)) {
    g_hash_table_insert (vocab->ids, g_strdup (content), GINT_TO_POINTER (id));
  } else if (known != id) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: added_tokens: \"%.100s\" has id %d, but %d in the vocabulary",
        vocab->file, content, id, known);
    return FALSE;
  }

  text = g_string_new (NULL);
  if (normalized)
    clip_text_normalize (content, strlen (content), vocab->normalize, text);
  else
    g_string_append (text, content);
  token.length = text->len;
  token.content = g_string_free (text, FALSE);
  g_array_append_val (vocab->added, token);
  return TRUE;
}

static gboolean
check_ids (const ClipVocab *vocab, GError **error)
{
  guint n = g_hash_table_size (vocab->ids);
  g_autofree const gchar **tokens = g_new0 (const gchar *, n);
  GHashTableIter iter;
  gpointer token, value;

  g_hash_table_iter_init (&iter, vocab->ids);
  while (g_hash_table_iter_next (&iter, &token, &value)) {
    guint id = GPOINTER_TO_UINT (value);

    if (id >= n) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "%s: token \"%.100s\" has id %u, expected ids from 0 to %u without "
          "holes for %u tokens",
          vocab->file, (const gchar *) token, id, n - 1, n);
      return FALSE;
    }
    if (tokens[id] != NULL) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "%s: tokens \"%.100s\" and \"%.100s\" have the same id %u",
          vocab->file, tokens[id], (const gchar *) token, id);
      return FALSE;
    }
    tokens[id] = token;
  }
  return TRUE;
}

static gboolean
find_symbols (const ClipVocab *vocab, gint32 symbols[2][256], GError **error)
{
  for (guint last = 0; last < 2; last++) {
    for (guint byte = 0; byte < 256; byte++) {
      gchar symbol[16] = { 0 };
      gint n = g_unichar_to_utf8 (clip_bpe_byte_char (byte), symbol);

      if (last)
        g_strlcpy (symbol + n, CLIP_VOCAB_END_OF_WORD, sizeof symbol - n);
      if (lookup (vocab, symbol, &symbols[last][byte]))
        continue;
      if (vocab->unknown < 0) {
        g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
            "%s: the vocabulary has no \"%s\", which stands for byte 0x%02x, "
            "and no unknown token",
            vocab->file, symbol, byte);
        return FALSE;
      }
      symbols[last][byte] = vocab->unknown;
    }
  }
  return TRUE;
}

static gboolean
find_added (const ClipVocab *vocab, const gchar *content, gint32 *id,
    GError **error)
{
  for (guint i = 0; i < vocab->added->len; i++) {
    const ClipAddedToken *token =
        &g_array_index (vocab->added, ClipAddedToken, i);

    if (g_str_equal (token->content, content)) {
      *id = token->id;
      return TRUE;
    }
  }
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "%s: added_tokens has no \"%s\"", vocab->file, content);
  return FALSE;
}

ClipTokenizer *
clip_vocab_finish (ClipVocab *vocab, GError **error)
{
  gint32 symbols[2][256], start, end;
  ClipBpe *bpe;

  if (!check_ids (vocab, error) || !find_symbols (vocab, symbols, error)
      || !find_added (vocab, "<|startoftext|>", &start, error)
      || !find_added (vocab, "<|endoftext|>", &end, error))
    return NULL;

  bpe = clip_bpe_new (symbols, vocab->merges->len);
  for (guint i = 0; i < vocab->merges->len; i++) {
    const ClipVocabMerge *merge =
        &g_array_index (vocab->merges, ClipVocabMerge, i);

    clip_bpe_add_merge (bpe, merge->left, merge->right, i, merge->merged);
  }
  return clip_tokenizer_new (bpe, vocab->added, vocab->normalize,
      vocab->special_literals, start, end, g_hash_table_size (vocab->ids));
}
