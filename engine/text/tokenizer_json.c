/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tokenizer.json, as Hugging Face's tokenizers write it. Steps that CLIP's
 * tokenizer does not have are refused, not skipped.
 */
#include "engine/clip.h"
#include "engine/model/json.h"
#include "engine/text/vocab.h"

#define WORDS "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"
#define LITERALS "<\\|startoftext\\|>|<\\|endoftext\\|>|"

/* Whether a string has the only value that CLIP's tokenizer knows for it. */
static gboolean
require_string (const ClipJson *json, const gchar *key, const gchar *expected,
    GError **error)
{
  g_autofree gchar *quoted = g_strdup_printf ("\"%s\"", expected);
  const gchar *found = NULL;

  if (!clip_json_get_string (json, key, &found, error))
    return FALSE;
  return g_strcmp0 (found, expected) == 0
      || clip_json_unsupported (json, key, quoted, error);
}

static gboolean
require_boolean (const ClipJson *json, const gchar *key, gboolean fallback,
    gboolean expected, GError **error)
{
  gboolean found = fallback;

  if (!clip_json_get_boolean (json, key, &found, error))
    return FALSE;
  return found == expected
      || clip_json_unsupported (json, key, expected ? "true" : "false", error);
}

/* The array at `key`, borrowed. */
static JsonArray *
get_array (const ClipJson *json, const gchar *key, GError **error)
{
  JsonNode *node = clip_json_find (json, key);

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node)) {
    clip_json_refuse (json, key, "an array", error);
    return NULL;
  }
  return json_node_get_array (node);
}

static JsonObject *
get_element (const ClipJson *json, const gchar *key, JsonArray *array, guint i,
    GError **error)
{
  JsonNode *element = json_array_get_element (array, i);

  if (!JSON_NODE_HOLDS_OBJECT (element)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: %s%s[%u] is a %s, expected an object", json->file, json->prefix,
        key, i, json_node_type_name (element));
    return NULL;
  }
  return json_node_get_object (element);
}

/* Borrowed; NULL where the step has no regular expression. */
static const gchar *
get_regex (const ClipJson *json)
{
  ClipJson pattern = { json->file, NULL, json->prefix };
  const gchar *regex = NULL;

  if (!clip_json_get_object (json, "pattern", &pattern.object, NULL)
      || !clip_json_get_string (&pattern, "Regex", &regex, NULL))
    return NULL;
  return regex;
}

static gboolean
read_normalizer (const ClipJson *step, ClipVocab *vocab, GError **error)
{
  const gchar *type = NULL;
  ClipNormalizeFlags flag;

  if (!clip_json_get_string (step, "type", &type, error))
    return FALSE;
  if (g_strcmp0 (type, "NFC") == 0) {
    flag = CLIP_NORMALIZE_NFC;
  } else if (g_strcmp0 (type, "Lowercase") == 0) {
    flag = CLIP_NORMALIZE_LOWER;
  } else if (g_strcmp0 (type, "Replace") == 0) {
    flag = CLIP_NORMALIZE_SPACES;
    if (g_strcmp0 (get_regex (step), "\\s+") != 0)
      return clip_json_unsupported (step, "pattern", "{\"Regex\":\"\\\\s+\"}",
          error);
    if (!require_string (step, "content", " ", error))
      return FALSE;
  } else {
    return clip_json_unsupported (step, "type",
        "\"NFC\", \"Replace\" or \"Lowercase\"", error);
  }
  /* The flags are bits in the order in which they are applied: a step behind
   * a later one, or behind itself, would be another normalisation. */
  if ((guint) vocab->normalize >= (guint) flag)
    return clip_json_unsupported (step, "type",
        "steps in the order \"NFC\", \"Replace\", \"Lowercase\"", error);
  vocab->normalize |= flag;
  return TRUE;
}

static gboolean
read_normalizers (const ClipJson *root, ClipVocab *vocab, GError **error)
{
  ClipJson step = { root->file, NULL, "normalizer." };
  const gchar *type = NULL;
  JsonArray *steps;

  if (!clip_json_get_object (root, "normalizer", &step.object, error))
    return FALSE;
  if (step.object == NULL)
    return TRUE;
  if (!clip_json_get_string (&step, "type", &type, error))
    return FALSE;
  if (g_strcmp0 (type, "Sequence") != 0)
    return read_normalizer (&step, vocab, error);

  if ((steps = get_array (&step, "normalizers", error)) == NULL)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (steps); i++) {
    ClipJson element = { root->file, NULL, "normalizer.normalizers[]." };

    element.object = get_element (&step, "normalizers", steps, i, error);
    if (element.object == NULL || !read_normalizer (&element, vocab, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_split (const ClipJson *step, ClipVocab *vocab, GError **error)
{
  const gchar *regex = get_regex (step);

  vocab->special_literals = g_strcmp0 (regex, LITERALS WORDS) == 0;
  if (!vocab->special_literals && g_strcmp0 (regex, WORDS) != 0)
    return clip_json_unsupported (step, "pattern",
        "CLIP's, \"" LITERALS WORDS "\"", error);
  return require_string (step, "type", "Split", error)
      && require_string (step, "behavior", "Removed", error)
      && require_boolean (step, "invert", FALSE, TRUE, error);
}

static gboolean
read_pre_tokenizers (const ClipJson *root, ClipVocab *vocab, GError **error)
{
  ClipJson sequence = { root->file, NULL, "pre_tokenizer." };
  ClipJson split = { root->file, NULL, "pre_tokenizer.pretokenizers[0]." };
  ClipJson bytes = { root->file, NULL, "pre_tokenizer.pretokenizers[1]." };
  JsonArray *steps;

  if (!clip_json_get_object (root, "pre_tokenizer", &sequence.object, error)
      || !require_string (&sequence, "type", "Sequence", error)
      || (steps = get_array (&sequence, "pretokenizers", error)) == NULL)
    return FALSE;
  if (json_array_get_length (steps) != 2)
    return clip_json_unsupported (&sequence, "pretokenizers",
        "\"Split\" and \"ByteLevel\"", error);
  split.object = get_element (&sequence, "pretokenizers", steps, 0, error);
  if (split.object == NULL)
    return FALSE;
  bytes.object = get_element (&sequence, "pretokenizers", steps, 1, error);
  if (bytes.object == NULL)
    return FALSE;
  return read_split (&split, vocab, error)
      && require_string (&bytes, "type", "ByteLevel", error)
      && require_boolean (&bytes, "add_prefix_space", TRUE, FALSE, error)
      && require_boolean (&bytes, "use_regex", TRUE, TRUE, error);
}

/* A merge is "a b", or, in newer files, ["a", "b"]. */
static gboolean
read_merge (JsonNode *node, guint number, ClipVocab *vocab, GError **error)
{
  const gchar *tokens[2] = { NULL, NULL };
  g_auto (GStrv) parts = NULL;

  if (JSON_NODE_HOLDS_ARRAY (node)
      && json_array_get_length (json_node_get_array (node)) == 2) {
    for (guint i = 0; i < 2; i++) {
      JsonNode *part = json_array_get_element (json_node_get_array (node), i);

      if (json_node_get_value_type (part) == G_TYPE_STRING)
        tokens[i] = json_node_get_string (part);
    }
  } else if (json_node_get_value_type (node) == G_TYPE_STRING) {
    parts = g_strsplit (json_node_get_string (node), " ", 3);
    if (g_strv_length (parts) == 2) {
      tokens[0] = parts[0];
      tokens[1] = parts[1];
    }
  }
  if (tokens[0] == NULL || tokens[1] == NULL) {
    g_autofree gchar *found = json_to_string (node, FALSE);

    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: model.merges[%u] is %.200s, expected two tokens", vocab->file,
        number, found);
    return FALSE;
  }
  return clip_vocab_add_merge (vocab, tokens[0], tokens[1], vocab->file, number,
      error);
}

/* Bytes without a symbol in the vocabulary become the unknown token. */
static gboolean
read_unknown (const ClipJson *model, ClipVocab *vocab, GError **error)
{
  const gchar *token = NULL;
  gpointer id;

  if (!clip_json_get_string (model, "unk_token", &token, error))
    return FALSE;
  if (token == NULL)
    return TRUE;
  if (!g_hash_table_lookup_extended (vocab->ids, token, NULL, &id))
    return clip_json_refuse (model, "unk_token", "a token of model.vocab",
        error);
  vocab->unknown = GPOINTER_TO_INT (id);
  return TRUE;
}

static gboolean
read_model (const ClipJson *root, ClipVocab *vocab, GError **error)
{
  ClipJson model = { root->file, NULL, "model." };
  JsonObject *ids = NULL;
  const gchar *prefix = NULL;
  JsonArray *merges;

  if (!clip_json_get_object (root, "model", &model.object, error)
      || !require_string (&model, "type", "BPE", error))
    return FALSE;
  if (clip_json_find (&model, "dropout") != NULL)
    return clip_json_unsupported (&model, "dropout", "null", error);
  if (!clip_json_get_string (&model, "continuing_subword_prefix", &prefix,
          error))
    return FALSE;
  if (prefix != NULL && *prefix != '\0')
    return clip_json_unsupported (&model, "continuing_subword_prefix", "\"\"",
        error);
  if (!require_string (&model, "end_of_word_suffix", CLIP_VOCAB_END_OF_WORD,
          error)
      || !require_boolean (&model, "fuse_unk", FALSE, FALSE, error)
      || !require_boolean (&model, "byte_fallback", FALSE, FALSE, error)
      || !require_boolean (&model, "ignore_merges", FALSE, FALSE, error)
      || !clip_json_get_object (&model, "vocab", &ids, error))
    return FALSE;
  if (ids == NULL)
    return clip_json_refuse (&model, "vocab", "an object", error);
  if (!clip_vocab_read_ids (vocab, ids, "model.vocab.", error)
      || !read_unknown (&model, vocab, error)
      || (merges = get_array (&model, "merges", error)) == NULL)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (merges); i++)
    if (!read_merge (json_array_get_element (merges, i), i, vocab, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_added_tokens (const ClipJson *root, ClipVocab *vocab, GError **error)
{
  JsonArray *tokens = get_array (root, "added_tokens", error);

  if (tokens == NULL)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (tokens); i++) {
    g_autofree gchar *prefix = g_strdup_printf ("added_tokens[%u].", i);
    ClipJson token = { root->file, NULL, prefix };
    guint id = G_MAXUINT;
    const gchar *content = NULL;
    gboolean normalized = FALSE;

    token.object = get_element (root, "added_tokens", tokens, i, error);
    if (token.object == NULL
        || !clip_json_get_uint (&token, "id", 0, G_MAXINT32, &id, error)
        || !clip_json_get_string (&token, "content", &content, error)
        || !clip_json_get_boolean (&token, "normalized", &normalized, error)
        || !require_boolean (&token, "single_word", FALSE, FALSE, error))
      return FALSE;
    if (id == G_MAXUINT)
      return clip_json_refuse (&token, "id", "an integer", error);
    if (content == NULL)
      return clip_json_refuse (&token, "content", "a string", error);
    if (!clip_vocab_add_token (vocab, content, (gint32) id, normalized, error))
      return FALSE;
  }
  return TRUE;
}

ClipTokenizer *
clip_tokenizer_read_json (const gchar *file, GError **error)
{
  g_autoptr (JsonObject) object = clip_json_load (file, error);
  ClipJson root = { file, object, "" };
  g_auto (ClipVocab) vocab = { 0 };

  clip_vocab_init (&vocab, file);
  if (object == NULL || !read_model (&root, &vocab, error)
      || !read_normalizers (&root, &vocab, error)
      || !read_pre_tokenizers (&root, &vocab, error)
      || !read_added_tokens (&root, &vocab, error))
    return NULL;
  return clip_vocab_finish (&vocab, error);
}
