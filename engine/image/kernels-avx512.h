/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The two passes with 512-bit vectors; part of kernels-x86.c.
 */
#pragma once

/* Pixels that one multiplication takes. */
#define GROUP 8

INLINE __m512i
join_halves (__m512i high, __m512i low)
{
  return _mm512_add_epi32 (_mm512_slli_epi32 (high, 12), low);
}

INLINE __m512i
load512 (gconstpointer data)
{
  return _mm512_loadu_si512 (data);
}

/* The four sums in a's quarters, and b's, to two of each. */
INLINE __m512i
reduce (__m512i a, __m512i b)
{
  return _mm512_add_epi32 (_mm512_shuffle_i32x4 (a, b, 0x44),
      _mm512_shuffle_i32x4 (a, b, 0xee));
}

/* One sum of each of four lines, a line a quarter. */
INLINE __m512i
reduce_again (__m512i ab, __m512i cd)
{
  return _mm512_add_epi32 (_mm512_shuffle_i32x4 (ab, cd, 0x88),
      _mm512_shuffle_i32x4 (ab, cd, 0xdd));
}

INLINE __m512i
round_sum (__m512i sum)
{
  return _mm512_srai_epi32 (_mm512_add_epi32 (sum,
                                _mm512_set1_epi32 (1
                                    << (CLIP_WEIGHT_BITS - 1))),
      CLIP_WEIGHT_BITS);
}

static void
horizontal (const ClipAxis *axis, const gint16 *const rows[CLIP_LINES_AT_ONCE],
    guint8 *const out[CLIP_LINES_AT_ONCE])
{
  for (guint i = 0; i < axis->n; i++) {
    const __m512i *weights =
        (const __m512i *) (axis->packed + i * axis->packed_stride);
    const guint pixels = (axis->first[i] & 1) + axis->count[i];
    const gsize start = (gsize) (axis->first[i] & ~1u) * 4;
    __m512i high[CLIP_LINES_AT_ONCE], low[CLIP_LINES_AT_ONCE];
    __m128i pixel;

#pragma GCC unroll 4
    for (guint line = 0; line < CLIP_LINES_AT_ONCE; line++)
      high[line] = low[line] = _mm512_setzero_si512 ();
    for (guint k = 0; k < pixels; k += GROUP, weights += 2) {
      const __m512i weight_high = load512 (weights);
      const __m512i weight_low = load512 (weights + 1);

#pragma GCC unroll 4
      for (guint line = 0; line < CLIP_LINES_AT_ONCE; line++) {
        const __m512i data = load512 (rows[line] + start + (gsize) k * 4);

        high[line] = _mm512_add_epi32 (high[line],
            _mm512_madd_epi16 (data, weight_high));
        low[line] =
            _mm512_add_epi32 (low[line], _mm512_madd_epi16 (data, weight_low));
      }
    }
#pragma GCC unroll 4
    for (guint line = 0; line < CLIP_LINES_AT_ONCE; line++)
      low[line] = join_halves (high[line], low[line]);
    pixel = _mm512_cvtusepi32_epi8 (
        _mm512_max_epi32 (round_sum (reduce_again (reduce (low[0], low[1]),
                              reduce (low[2], low[3]))),
            _mm512_setzero_si512 ()));
    store_pixel (out[0] + i * 4, _mm_cvtsi128_si32 (pixel));
    store_pixel (out[1] + i * 4, _mm_extract_epi32 (pixel, 1));
    store_pixel (out[2] + i * 4, _mm_extract_epi32 (pixel, 2));
    store_pixel (out[3] + i * 4, _mm_extract_epi32 (pixel, 3));
  }
}

/* Sixty-four bytes of an output line. */
INLINE __m512i
vertical_block (const gint16 *weights, guint count, const guint8 *const *lines,
    gsize x)
{
  const __m512i zero = _mm512_setzero_si512 ();
  __m512i high[4] = { zero, zero, zero, zero };
  __m512i low[4] = { zero, zero, zero, zero };

  for (guint k = 0; k < count; k += 2, weights += 4) {
    const __m512i a = load512 (lines[k] + x), b = load512 (lines[k + 1] + x);
    const __m512i first = _mm512_unpacklo_epi8 (a, b);
    const __m512i second = _mm512_unpackhi_epi8 (a, b);
    const __m512i data[4] = { _mm512_unpacklo_epi8 (first, zero),
      _mm512_unpackhi_epi8 (first, zero), _mm512_unpacklo_epi8 (second, zero),
      _mm512_unpackhi_epi8 (second, zero) };
    gint pair[2];

    memcpy (pair, weights, sizeof pair);
#pragma GCC unroll 4
    for (guint i = 0; i < 4; i++) {
      high[i] = _mm512_add_epi32 (high[i],
          _mm512_madd_epi16 (data[i], _mm512_set1_epi32 (pair[0])));
      low[i] = _mm512_add_epi32 (low[i],
          _mm512_madd_epi16 (data[i], _mm512_set1_epi32 (pair[1])));
    }
  }
#pragma GCC unroll 4
  for (guint i = 0; i < 4; i++)
    low[i] = round_sum (join_halves (high[i], low[i]));
  return _mm512_packus_epi16 (_mm512_packs_epi32 (low[0], low[1]),
      _mm512_packs_epi32 (low[2], low[3]));
}

static void
vertical (const ClipAxis *axis, guint i, const guint8 *const *lines,
    guint8 *out, guint bytes)
{
  const gint16 *weights = axis->packed + i * axis->packed_stride;
  const guint count = axis->count[i];
  guint x = 0;

  for (; x + 64 <= bytes; x += 64)
    _mm512_storeu_si512 (out + x, vertical_block (weights, count, lines, x));
  if (x < bytes) {
    guint8 rest[64];

    _mm512_storeu_si512 (rest, vertical_block (weights, count, lines, x));
    memcpy (out + x, rest, bytes - x);
  }
}
