/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The character classes and the clean-up that CLIP's tokenizer is defined on,
 * with the Unicode version of GLib.
 */
#pragma once

#include <glib.h>

typedef enum {
  CLIP_CHAR_SPACE,  /* White_Space, the \s of the tokenizer's pattern */
  CLIP_CHAR_LETTER, /* \p{L} */
  CLIP_CHAR_NUMBER, /* \p{N} */
  CLIP_CHAR_OTHER,
} ClipCharClass;

ClipCharClass clip_char_class (gunichar c);

/* What is done to a text before it is split, in this order. */
typedef enum {
  CLIP_NORMALIZE_NFC = 1 << 0,
  CLIP_NORMALIZE_SPACES = 1 << 1, /* runs of white space become one space */
  CLIP_NORMALIZE_LOWER = 1 << 2,
} ClipNormalizeFlags;

/* Appends the n bytes of valid UTF-8, normalised, to out; n log n. Lower-casing
 * is character by character, without context (a final sigma is as any other),
 * as in Hugging Face's tokenizers. */
void clip_text_normalize (const gchar *text, gsize n, ClipNormalizeFlags flags,
    GString *out);
