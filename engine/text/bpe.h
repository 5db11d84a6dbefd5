/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Byte-pair encoding of one word: bytes become symbols, and neighbours are
 * merged in the order of the merges' ranks.
 */
#pragma once

#include <glib.h>

/* Built once, then immutable; any thread. */
typedef struct _ClipBpe ClipBpe;

/* symbols[last][byte]: the id of a byte inside a word, and at its end. */
ClipBpe *clip_bpe_new (gint32 symbols[2][256], guint n_merges);
void clip_bpe_free (ClipBpe *bpe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipBpe, clip_bpe_free)
/* A pair that comes again gets the later rank. At most n_merges calls. */
void clip_bpe_add_merge (ClipBpe *bpe, gint32 left, gint32 right, guint32 rank,
    gint32 merged);

/* Working memory of clip_bpe_encode (), kept between the words of a text. */
typedef struct {
  GArray *symbols, *queue;
} ClipBpeScratch;

void clip_bpe_scratch_init (ClipBpeScratch *scratch);
void clip_bpe_scratch_clear (ClipBpeScratch *scratch);

/* Encodes the n bytes of a word into at most `room` ids; returns how many
 * there are in all. n log n steps; n < 2^31. */
guint clip_bpe_encode (const ClipBpe *bpe, ClipBpeScratch *scratch,
    const guint8 *word, gsize n, gint32 *ids, guint room);

/* The character, as Unicode, by which byte-level vocabularies write a byte:
 * itself where it can be seen, else one from U+0100 on. */
gunichar clip_bpe_byte_char (guint8 byte);
