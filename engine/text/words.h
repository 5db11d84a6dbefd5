/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CLIP's split of a text into the words that byte-pair encoding works on:
 * 's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
 */
#pragma once

#include <glib.h>

/* A walk over valid UTF-8; the text is the caller's and must outlive it. */
typedef struct {
  const gchar *next, *end;
  /* Some files put <|startoftext|>|<|endoftext|> before the pattern. Where it
   * matches, the byte-level step behind it splits it again into <|, the name
   * and |>; it only keeps |> from growing into what follows. */
  gboolean special_literals;
  const gchar *literal_end; /* NULL at the start */
} ClipWords;

/* FALSE at the end of the text; else *word is the next word [*n bytes]. */
gboolean clip_words_next (ClipWords *words, const gchar **word, gsize *n);
