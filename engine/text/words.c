/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/text/words.h"
#include "engine/text/unicode.h"

#include <string.h>

static gsize
prefix_length (const gchar *text, const gchar *end,
    const gchar *const *prefixes)
{
  for (; *prefixes != NULL; prefixes++) {
    gsize n = strlen (*prefixes);

    if ((gsize) (end - text) >= n && memcmp (text, *prefixes, n) == 0)
      return n;
  }
  return 0;
}

static const gchar *
skip_class (const gchar *text, const gchar *end, ClipCharClass class)
{
  while (text < end && clip_char_class (g_utf8_get_char (text)) == class)
    text = g_utf8_next_char (text);
  return text;
}

gboolean
clip_words_next (ClipWords *words, const gchar **word, gsize *n)
{
  static const gchar *const contractions[] = { "'s", "'t", "'re", "'ve", "'m",
    "'ll", "'d", NULL };
  static const gchar *const literals[] = { "<|startoftext|>", "<|endoftext|>",
    NULL };
  const gchar *start = skip_class (words->next, words->end, CLIP_CHAR_SPACE);
  const gchar *end = words->end;
  ClipCharClass class;
  gsize contraction;

  if (start == end)
    return FALSE;

  if (words->special_literals
      && (words->literal_end == NULL || start >= words->literal_end)) {
    gsize literal = prefix_length (start, end, literals);

    words->literal_end = literal > 0 ? start + literal : NULL;
  }
  if (words->literal_end != NULL)
    end = words->literal_end;

  class = clip_char_class (g_utf8_get_char (start));
  contraction = prefix_length (start, end, contractions);
  if (contraction > 0)
    words->next = start + contraction;
  else if (class == CLIP_CHAR_NUMBER)
    words->next = g_utf8_next_char (start);
  else
    words->next = skip_class (start, end, class);
  *word = start;
  *n = words->next - start;
  return TRUE;
}
