/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A text becomes ids in the steps of Hugging Face's tokenizers: added tokens
 * are found in the text as it is; what is between them is normalised; more
 * added tokens are found in that; the rest is split into words, and those
 * into ids.
 */
#include "engine/text/tokenizer.h"

#include "engine/clip.h"
#include "engine/text/bpe.h"
#include "engine/text/unicode.h"
#include "engine/text/vocab.h"
#include "engine/text/words.h"

#include <string.h>

/* Of a text; working memory is some fifty times that at worst. */
#define MAX_TEXT_BYTES (16 * 1024 * 1024)

struct _ClipTokenizer {
  ClipBpe *bpe;
  GArray *added; /* ClipAddedToken */
  /* The bytes that an added token of either kind may begin with. */
  gboolean begins_added[2][256];
  ClipNormalizeFlags normalize;
  gboolean special_literals;
  gint32 start, end;
  guint size;
};

ClipTokenizer *
clip_tokenizer_new (ClipBpe *bpe, GArray *added, ClipNormalizeFlags normalize,
    gboolean special_literals, gint32 start, gint32 end, guint size)
{
  ClipTokenizer *tokenizer = g_new0 (ClipTokenizer, 1);

  tokenizer->bpe = bpe;
  tokenizer->added = g_array_ref (added);
  tokenizer->normalize = normalize;
  tokenizer->special_literals = special_literals;
  tokenizer->start = start;
  tokenizer->end = end;
  tokenizer->size = size;
  for (guint i = 0; i < added->len; i++) {
    const ClipAddedToken *token = &g_array_index (added, ClipAddedToken, i);

    tokenizer->begins_added[token->normalized][(guint8) *token->content] = TRUE;
  }
  return tokenizer;
}

ClipTokenizer *
clip_tokenizer_load (const gchar *directory, GError **error)
{
  g_autofree gchar *json = g_build_filename (directory, "tokenizer.json", NULL);
  g_autofree gchar *vocab = g_build_filename (directory, "vocab.json", NULL);
  g_autofree gchar *merges = g_build_filename (directory, "merges.txt", NULL);

  if (g_file_test (json, G_FILE_TEST_EXISTS))
    return clip_tokenizer_read_json (json, error);
  if (g_file_test (vocab, G_FILE_TEST_EXISTS))
    return clip_tokenizer_read_merges (vocab, merges, error);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
      "%s: no tokenizer: expected tokenizer.json, or vocab.json and merges.txt",
      directory);
  return NULL;
}

void
clip_tokenizer_free (ClipTokenizer *tokenizer)
{
  clip_bpe_free (tokenizer->bpe);
  g_array_unref (tokenizer->added);
  g_free (tokenizer);
}

gint32
clip_tokenizer_get_start (ClipTokenizer *tokenizer)
{
  return tokenizer->start;
}

gint32
clip_tokenizer_get_end (ClipTokenizer *tokenizer)
{
  return tokenizer->end;
}

guint
clip_tokenizer_get_vocab_size (ClipTokenizer *tokenizer)
{
  return tokenizer->size;
}

/* A text on its way: nothing more is done once there are more ids than room,
 * which is how a cut is noticed. */
typedef struct {
  const ClipTokenizer *tokenizer;
  ClipBpeScratch scratch;
  gint32 *ids;
  guint n, room;
} Encoding;

static gboolean
is_full (const Encoding *encoding)
{
  return encoding->n > encoding->room;
}

static void
put_word (Encoding *encoding, const gchar *word, gsize n)
{
  encoding->n += clip_bpe_encode (encoding->tokenizer->bpe, &encoding->scratch,
      (const guint8 *) word, n, encoding->ids + encoding->n,
      encoding->room - encoding->n);
}

static void
put_words (Encoding *encoding, const gchar *text, const gchar *end)
{
  ClipWords words = { .next = text,
    .end = end,
    .special_literals = encoding->tokenizer->special_literals };
  const gchar *word;
  gsize n;

  while (!is_full (encoding) && clip_words_next (&words, &word, &n))
    put_word (encoding, word, n);
}

/* The first added token of a kind in a text, the longest one where several
 * begin at the same place; NULL where there is none. */
static const ClipAddedToken *
find_added (const ClipTokenizer *tokenizer, gboolean normalized,
    const gchar *text, const gchar *end, const gchar **where)
{
  const ClipAddedToken *found = NULL;

  for (; text < end && found == NULL; text++) {
    if (!tokenizer->begins_added[normalized][(guint8) *text])
      continue;
    *where = text;
    for (guint i = 0; i < tokenizer->added->len; i++) {
      const ClipAddedToken *token =
          &g_array_index (tokenizer->added, ClipAddedToken, i);

      if (token->normalized == normalized
          && token->length <= (gsize) (end - text)
          && memcmp (text, token->content, token->length) == 0
          && (found == NULL || token->length > found->length))
        found = token;
    }
  }
  return found;
}

/* Takes a text apart at the added tokens of a kind: first those of the text as
 * it is, then, in each normalised part, the others. */
static void
put_text (Encoding *encoding, gboolean normalized, const gchar *text,
    const gchar *end)
{
  while (!is_full (encoding) && text < end) {
    const gchar *where = end;
    const ClipAddedToken *token =
        find_added (encoding->tokenizer, normalized, text, end, &where);
    const gchar *part_end = token != NULL ? where : end;

    if (normalized) {
      put_words (encoding, text, part_end);
    } else {
      g_autoptr (GString) part = g_string_new (NULL);

      clip_text_normalize (text, part_end - text,
          encoding->tokenizer->normalize, part);
      put_text (encoding, TRUE, part->str, part->str + part->len);
    }
    if (token == NULL)
      return;
    if (encoding->n < encoding->room)
      encoding->ids[encoding->n] = token->id;
    encoding->n++;
    text = where + token->length;
  }
}

guint
clip_tokenizer_encode (ClipTokenizer *tokenizer, const gchar *text,
    guint context, gint32 *ids, gboolean *truncated, GError **error)
{
  gsize length = strlen (text);
  const gchar *valid;
  Encoding encoding = { .tokenizer = tokenizer, .ids = ids + 1 };

  if (context < 2 || length > MAX_TEXT_BYTES) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "a text of %" G_GSIZE_FORMAT " bytes for %u tokens; expected at most "
        "%d bytes and at least 2 tokens",
        length, context, MAX_TEXT_BYTES);
    return 0;
  }
  if (!g_utf8_validate_len (text, length, &valid)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "a text is not UTF-8 at byte %" G_GSIZE_FORMAT, (gsize) (valid - text));
    return 0;
  }

  encoding.room = context - 2;
  clip_bpe_scratch_init (&encoding.scratch);
  put_text (&encoding, FALSE, text, text + length);
  clip_bpe_scratch_clear (&encoding.scratch);

  if (truncated != NULL)
    *truncated = is_full (&encoding);
  ids[0] = tokenizer->start;
  ids[MIN (encoding.n, encoding.room) + 1] = tokenizer->end;
  return MIN (encoding.n, encoding.room) + 2;
}
