/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The two passes with 256-bit vectors; part of kernels-x86.c.
 */
#pragma once

/* Pixels that one multiplication takes. */
#define GROUP 4

INLINE __m256i
join_halves (__m256i high, __m256i low)
{
  return _mm256_add_epi32 (_mm256_slli_epi32 (high, 12), low);
}

/* Sums of two lines, each in both halves of its vector, to one in each. */
INLINE __m256i
reduce (__m256i a, __m256i b)
{
  return _mm256_add_epi32 (_mm256_permute2x128_si256 (a, b, 0x20),
      _mm256_permute2x128_si256 (a, b, 0x31));
}

INLINE __m256i
round_sum (__m256i sum)
{
  return _mm256_srai_epi32 (_mm256_add_epi32 (sum,
                                _mm256_set1_epi32 (1
                                    << (CLIP_WEIGHT_BITS - 1))),
      CLIP_WEIGHT_BITS);
}

static void
horizontal (const ClipAxis *axis, const gint16 *const rows[CLIP_LINES_AT_ONCE],
    guint8 *const out[CLIP_LINES_AT_ONCE])
{
  for (guint i = 0; i < axis->n; i++) {
    const __m256i *weights =
        (const __m256i *) (axis->packed + i * axis->packed_stride);
    const guint pixels = (axis->first[i] & 1) + axis->count[i];
    const gsize start = (gsize) (axis->first[i] & ~1u) * 4;
    __m256i high[CLIP_LINES_AT_ONCE], low[CLIP_LINES_AT_ONCE], bytes;
    __m128i even, odd;

#pragma GCC unroll 4
    for (guint line = 0; line < CLIP_LINES_AT_ONCE; line++)
      high[line] = low[line] = _mm256_setzero_si256 ();
    for (guint k = 0; k < pixels; k += GROUP, weights += 2) {
      const __m256i weight_high = _mm256_loadu_si256 (weights);
      const __m256i weight_low = _mm256_loadu_si256 (weights + 1);

#pragma GCC unroll 4
      for (guint line = 0; line < CLIP_LINES_AT_ONCE; line++) {
        const __m256i data =
            load ((const guint8 *) (rows[line] + start + (gsize) k * 4));

        high[line] = _mm256_add_epi32 (high[line],
            _mm256_madd_epi16 (data, weight_high));
        low[line] =
            _mm256_add_epi32 (low[line], _mm256_madd_epi16 (data, weight_low));
      }
    }
#pragma GCC unroll 4
    for (guint line = 0; line < CLIP_LINES_AT_ONCE; line++)
      low[line] = join_halves (high[line], low[line]);
    bytes = _mm256_packs_epi32 (round_sum (reduce (low[0], low[1])),
        round_sum (reduce (low[2], low[3])));
    bytes = _mm256_packus_epi16 (bytes, bytes);
    even = _mm256_castsi256_si128 (bytes);
    odd = _mm256_extracti128_si256 (bytes, 1);
    store_pixel (out[0] + i * 4, _mm_cvtsi128_si32 (even));
    store_pixel (out[1] + i * 4, _mm_cvtsi128_si32 (odd));
    store_pixel (out[2] + i * 4, _mm_extract_epi32 (even, 1));
    store_pixel (out[3] + i * 4, _mm_extract_epi32 (odd, 1));
  }
}

/* Thirty-two bytes of an output line. */
INLINE __m256i
vertical_block (const gint16 *weights, guint count, const guint8 *const *lines,
    gsize x)
{
  const __m256i zero = _mm256_setzero_si256 ();
  __m256i high[4] = { zero, zero, zero, zero };
  __m256i low[4] = { zero, zero, zero, zero };

  for (guint k = 0; k < count; k += 2, weights += 4) {
    const __m256i a = load (lines[k] + x), b = load (lines[k + 1] + x);
    const __m256i first = _mm256_unpacklo_epi8 (a, b);
    const __m256i second = _mm256_unpackhi_epi8 (a, b);
    const __m256i data[4] = { _mm256_unpacklo_epi8 (first, zero),
      _mm256_unpackhi_epi8 (first, zero), _mm256_unpacklo_epi8 (second, zero),
      _mm256_unpackhi_epi8 (second, zero) };
    gint pair[2];

    memcpy (pair, weights, sizeof pair);
#pragma GCC unroll 4
    for (guint i = 0; i < 4; i++) {
      high[i] = _mm256_add_epi32 (high[i],
          _mm256_madd_epi16 (data[i], _mm256_set1_epi32 (pair[0])));
      low[i] = _mm256_add_epi32 (low[i],
          _mm256_madd_epi16 (data[i], _mm256_set1_epi32 (pair[1])));
    }
  }
#pragma GCC unroll 4
  for (guint i = 0; i < 4; i++)
    low[i] = round_sum (join_halves (high[i], low[i]));
  return _mm256_packus_epi16 (_mm256_packs_epi32 (low[0], low[1]),
      _mm256_packs_epi32 (low[2], low[3]));
}

static void
vertical (const ClipAxis *axis, guint i, const guint8 *const *lines,
    guint8 *out, guint bytes)
{
  const gint16 *weights = axis->packed + i * axis->packed_stride;
  const guint count = axis->count[i];
  guint x = 0;

  for (; x + 32 <= bytes; x += 32)
    _mm256_storeu_si256 ((__m256i *) (out + x),
        vertical_block (weights, count, lines, x));
  if (x < bytes) {
    guint8 rest[32];

    _mm256_storeu_si256 ((__m256i *) rest,
        vertical_block (weights, count, lines, x));
    memcpy (out + x, rest, bytes - x);
  }
}
