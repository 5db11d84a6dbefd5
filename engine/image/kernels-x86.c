/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inner loops with AVX2, and with AVX-512 where the compiler is told that
 * it may; compiled once for each. Weights come as two 16-bit halves, whose
 * products and sums are exact modulo 2^32, so the bytes are those of plain C.
 */
#include <immintrin.h>
#include <string.h>

#include "engine/image/kernels.h"

#define INLINE static inline __attribute__ ((always_inline))

/* Pixels that one step of a conversion takes. */
#define BLOCK 32

typedef struct {
  __m256i y_offset, y_scale, r_cr, g_cb, g_cr, b_cb;
} Factors;

/* Bytes from one sample to the next, or from one pair of packed or interleaved
 * samples to the next for `chroma`, and where chroma has full resolution. */
typedef struct {
  guint luma, chroma;
  gboolean full, planar;
} Steps;

INLINE Steps
steps_of (ClipPixelFormat format)
{
  switch (format) {
    case CLIP_PIXEL_NV12:
    case CLIP_PIXEL_NV21:
      return (Steps){ 1, 2, FALSE, FALSE };
    case CLIP_PIXEL_Y444:
      return (Steps){ 1, 1, TRUE, TRUE };
    case CLIP_PIXEL_YUY2:
    case CLIP_PIXEL_UYVY:
      return (Steps){ 2, 0, FALSE, FALSE };
    case CLIP_PIXEL_GRAY8:
      return (Steps){ 1, 0, FALSE, FALSE };
    case CLIP_PIXEL_P010_10LE:
      return (Steps){ 2, 4, FALSE, FALSE };
    case CLIP_PIXEL_I420_10LE:
      return (Steps){ 2, 2, FALSE, TRUE };
    default:
      return (Steps){ 1, 1, FALSE, TRUE };
  }
}

INLINE __m256i
load (const guint8 *bytes)
{
  return _mm256_loadu_si256 ((const __m256i *) bytes);
}

/* Sixteen bytes as words. */
INLINE __m256i
load_bytes (const guint8 *bytes)
{
  return _mm256_cvtepu8_epi16 (_mm_loadu_si128 ((const __m128i *) bytes));
}

/* Words shifted up to the chroma scale, made signed. */
INLINE __m256i
to_chroma (__m256i words)
{
  return _mm256_xor_si256 (words, _mm256_set1_epi16 ((gint16) 0x8000));
}

/* Two vectors of signed words, first and second of a pair alternating. */
INLINE void
split_pairs (__m256i a, __m256i b, __m256i *first, __m256i *second)
{
  const __m256i low =
      _mm256_packs_epi32 (_mm256_srai_epi32 (_mm256_slli_epi32 (a, 16), 16),
          _mm256_srai_epi32 (_mm256_slli_epi32 (b, 16), 16));
  const __m256i high =
      _mm256_packs_epi32 (_mm256_srai_epi32 (a, 16), _mm256_srai_epi32 (b, 16));

  *first = _mm256_permute4x64_epi64 (low, 0xd8);
  *second = _mm256_permute4x64_epi64 (high, 0xd8);
}

INLINE void
load_luma (ClipPixelFormat format, const guint8 *y, __m256i luma[2])
{
#pragma GCC unroll 4
  for (guint i = 0; i < 2; i++) {
    switch (format) {
      case CLIP_PIXEL_YUY2:
        luma[i] = _mm256_slli_epi16 (_mm256_and_si256 (load (y + i * 32),
                                         _mm256_set1_epi16 (0xff)),
            7);
        break;
      case CLIP_PIXEL_UYVY:
        luma[i] =
            _mm256_slli_epi16 (_mm256_srli_epi16 (load (y + i * 32), 8), 7);
        break;
      case CLIP_PIXEL_P010_10LE:
        luma[i] = _mm256_and_si256 (_mm256_srli_epi16 (load (y + i * 32), 1),
            _mm256_set1_epi16 (0x7fe0));
        break;
      case CLIP_PIXEL_I420_10LE:
        luma[i] =
            _mm256_srli_epi16 (_mm256_slli_epi16 (load (y + i * 32), 6), 1);
        break;
      default:
        luma[i] = _mm256_slli_epi16 (load_bytes (y + i * 16), 7);
    }
  }
}

/* The sixteen chroma samples of a block, for formats that halve them. */
INLINE void
load_chroma (ClipPixelFormat format, const guint8 *y, const guint8 *u,
    const guint8 *v, __m256i *cb, __m256i *cr)
{
  const __m256i high_bytes = _mm256_set1_epi16 ((gint16) 0xff00);
  const __m256i high_bits = _mm256_set1_epi16 ((gint16) 0xffc0);
  __m256i first, second;

  switch (format) {
    case CLIP_PIXEL_NV12:
    case CLIP_PIXEL_NV21:
      first = to_chroma (_mm256_slli_epi16 (load (u), 8));
      second = to_chroma (_mm256_and_si256 (load (u), high_bytes));
      *cb = format == CLIP_PIXEL_NV12 ? first : second;
      *cr = format == CLIP_PIXEL_NV12 ? second : first;
      break;
    case CLIP_PIXEL_YUY2:
      split_pairs (to_chroma (_mm256_and_si256 (load (y), high_bytes)),
          to_chroma (_mm256_and_si256 (load (y + 32), high_bytes)), cb, cr);
      break;
    case CLIP_PIXEL_UYVY:
      split_pairs (to_chroma (_mm256_slli_epi16 (load (y), 8)),
          to_chroma (_mm256_slli_epi16 (load (y + 32), 8)), cb, cr);
      break;
    case CLIP_PIXEL_P010_10LE:
      split_pairs (to_chroma (_mm256_and_si256 (load (u), high_bits)),
          to_chroma (_mm256_and_si256 (load (u + 32), high_bits)), cb, cr);
      break;
    case CLIP_PIXEL_I420_10LE:
      *cb = to_chroma (_mm256_slli_epi16 (load (u), 6));
      *cr = to_chroma (_mm256_slli_epi16 (load (v), 6));
      break;
    case CLIP_PIXEL_GRAY8:
      *cb = *cr = _mm256_setzero_si256 ();
      break;
    default:
      *cb = to_chroma (_mm256_slli_epi16 (load_bytes (u), 8));
      *cr = to_chroma (_mm256_slli_epi16 (load_bytes (v), 8));
  }
}

INLINE __m256i
finish_channel (__m256i luma, __m256i chroma)
{
  const __m256i sum = _mm256_srai_epi16 (_mm256_adds_epi16 (luma, chroma), 6);

  return _mm256_min_epi16 (_mm256_max_epi16 (sum, _mm256_setzero_si256 ()),
      _mm256_set1_epi16 (255));
}

/* Sixteen pixels into a pair row. */
INLINE void
store_pairs (__m256i r, __m256i g, __m256i b, gint16 *pairs)
{
  const __m256i zero = _mm256_setzero_si256 ();
  const __m256i rg_low = _mm256_unpacklo_epi32 (r, g);
  const __m256i rg_high = _mm256_unpackhi_epi32 (r, g);
  const __m256i b_low = _mm256_unpacklo_epi32 (b, zero);
  const __m256i b_high = _mm256_unpackhi_epi32 (b, zero);
  const __m256i p04 = _mm256_unpacklo_epi64 (rg_low, b_low);
  const __m256i p15 = _mm256_unpackhi_epi64 (rg_low, b_low);
  const __m256i p26 = _mm256_unpacklo_epi64 (rg_high, b_high);
  const __m256i p37 = _mm256_unpackhi_epi64 (rg_high, b_high);
  __m256i *out = (__m256i *) pairs;

  _mm256_storeu_si256 (out, _mm256_permute2x128_si256 (p04, p15, 0x20));
  _mm256_storeu_si256 (out + 1, _mm256_permute2x128_si256 (p26, p37, 0x20));
  _mm256_storeu_si256 (out + 2, _mm256_permute2x128_si256 (p04, p15, 0x31));
  _mm256_storeu_si256 (out + 3, _mm256_permute2x128_si256 (p26, p37, 0x31));
}

INLINE void
convert_block (ClipPixelFormat format, const Factors *factors, const guint8 *y,
    const guint8 *u, const guint8 *v, gint16 *pairs)
{
  const gboolean full = steps_of (format).full;
  __m256i luma[2], cb, cr, r, g, b;

  load_luma (format, y, luma);
  if (!full) {
    load_chroma (format, y, u, v, &cb, &cr);
    /* So that unpacking, which works on halves, leaves them in order. */
    cb = _mm256_permute4x64_epi64 (cb, 0xd8);
    cr = _mm256_permute4x64_epi64 (cr, 0xd8);
  }
#pragma GCC unroll 4
  for (guint i = 0; i < 2; i++) {
    const __m256i light =
        _mm256_add_epi16 (_mm256_mulhrs_epi16 (_mm256_sub_epi16 (luma[i],
                                                   factors->y_offset),
                              factors->y_scale),
            _mm256_set1_epi16 (32));

    if (full) {
      cb = to_chroma (_mm256_slli_epi16 (load_bytes (u + i * 16), 8));
      cr = to_chroma (_mm256_slli_epi16 (load_bytes (v + i * 16), 8));
    }
    r = _mm256_mulhrs_epi16 (cr, factors->r_cr);
    g = _mm256_add_epi16 (_mm256_mulhrs_epi16 (cb, factors->g_cb),
        _mm256_mulhrs_epi16 (cr, factors->g_cr));
    b = _mm256_mulhrs_epi16 (cb, factors->b_cb);
    if (!full) {
      r = i ? _mm256_unpackhi_epi16 (r, r) : _mm256_unpacklo_epi16 (r, r);
      g = i ? _mm256_unpackhi_epi16 (g, g) : _mm256_unpacklo_epi16 (g, g);
      b = i ? _mm256_unpackhi_epi16 (b, b) : _mm256_unpacklo_epi16 (b, b);
    }
    store_pairs (finish_channel (light, r), finish_channel (light, g),
        finish_channel (light, b), pairs + i * 64);
  }
}

/* The last columns go through a copy, so that nothing beyond them is read. */
INLINE void
convert_ycc (ClipPixelFormat format, const ClipLine *line,
    const ClipColour *colour, guint x, guint n, gint16 *pairs)
{
  const Steps steps = steps_of (format);
  const Factors factors = {
    _mm256_set1_epi16 (colour->y_offset),
    _mm256_set1_epi16 (colour->y_scale),
    _mm256_set1_epi16 (colour->r_cr),
    _mm256_set1_epi16 (colour->g_cb),
    _mm256_set1_epi16 (colour->g_cr),
    _mm256_set1_epi16 (colour->b_cb),
  };
  const gboolean packed =
      format == CLIP_PIXEL_YUY2 || format == CLIP_PIXEL_UYVY;
  const guint shift = steps.full ? 0 : 1;
  const guint8 *y = line->y + (gsize) x * steps.luma;
  const guint8 *u = line->u + (gsize) (x >> shift) * steps.chroma;
  const guint8 *v =
      (steps.planar ? line->v : line->u) + (gsize) (x >> shift) * steps.chroma;
  guint i = 0;

  for (; i + BLOCK <= n; i += BLOCK) {
    const gsize chroma = (gsize) (i >> shift) * steps.chroma;

    convert_block (format, &factors, y + (gsize) i * steps.luma, u + chroma,
        v + chroma, pairs + (gsize) i * 4);
  }
  if (i < n) {
    const guint rest = n - i;
    const gsize chroma = (gsize) (i >> shift) * steps.chroma;
    const gsize chroma_bytes = (gsize) ((rest + shift) >> shift) * steps.chroma;
    guint8 copy[3][BLOCK * 2] = { { 0 } };

    memcpy (copy[0], y + (gsize) i * steps.luma,
        (packed ? (rest + 1) & ~1u : rest) * steps.luma);
    if (steps.chroma)
      memcpy (copy[1], u + chroma, chroma_bytes);
    if (steps.planar)
      memcpy (copy[2], v + chroma, chroma_bytes);
    convert_block (format, &factors, copy[0], copy[1], copy[2],
        pairs + (gsize) i * 4);
  }
}

#define DEFINE_CONVERT_YCC(name, format)                                       \
  static void name (const ClipLine *line, const ClipColour *colour, guint x,   \
      guint n, gint16 *pairs)                                                  \
  {                                                                            \
    convert_ycc (format, line, colour, x, n, pairs);                           \
  }

DEFINE_CONVERT_YCC (convert_planar_half, CLIP_PIXEL_I420)
DEFINE_CONVERT_YCC (convert_planar_full, CLIP_PIXEL_Y444)
DEFINE_CONVERT_YCC (convert_nv12, CLIP_PIXEL_NV12)
DEFINE_CONVERT_YCC (convert_nv21, CLIP_PIXEL_NV21)
DEFINE_CONVERT_YCC (convert_yuy2, CLIP_PIXEL_YUY2)
DEFINE_CONVERT_YCC (convert_uyvy, CLIP_PIXEL_UYVY)
DEFINE_CONVERT_YCC (convert_gray8, CLIP_PIXEL_GRAY8)
DEFINE_CONVERT_YCC (convert_p010, CLIP_PIXEL_P010_10LE)
DEFINE_CONVERT_YCC (convert_i420_10, CLIP_PIXEL_I420_10LE)

/* Four pixels, from sixteen readable bytes. */
INLINE void
convert_rgb_block (const guint8 *pixels, __m256i shuffle, gint16 *pairs)
{
  const __m256i bytes =
      _mm256_broadcastsi128_si256 (_mm_loadu_si128 ((const __m128i *) pixels));

  _mm256_storeu_si256 ((__m256i *) pairs, _mm256_shuffle_epi8 (bytes, shuffle));
}

INLINE void
convert_rgb (const guint8 *pixels, guint n, gint16 *pairs, guint bytes, guint r,
    guint g, guint b)
{
  const gchar offsets[] = { (gchar) r, (gchar) g, (gchar) b };
  gchar order[32];
  __m256i shuffle;
  guint i = 0;

  memset (order, -1, sizeof order);
  for (guint pixel = 0; pixel < 4; pixel++)
    for (guint channel = 0; channel < 3; channel++)
      order[pixel / 2 * 16 + channel * 4 + pixel % 2 * 2] =
          (gchar) (pixel * bytes) + offsets[channel];
  shuffle = load ((const guint8 *) order);

  for (; (n - i) * bytes >= 16; i += 4)
    convert_rgb_block (pixels + (gsize) i * bytes, shuffle, pairs + i * 4);
  if (i < n) {
    guint8 copy[32] = { 0 };

    memcpy (copy, pixels + (gsize) i * bytes, (n - i) * bytes);
    convert_rgb_block (copy, shuffle, pairs + i * 4);
    convert_rgb_block (copy + 4 * bytes, shuffle, pairs + i * 4 + 16);
  }
}

#define DEFINE_CONVERT_RGB(name, bytes, r, g, b)                               \
  static void name (const ClipLine *line, const ClipColour *colour, guint x,   \
      guint n, gint16 *pairs)                                                  \
  {                                                                            \
    convert_rgb (line->y + (gsize) x * (bytes), n, pairs, (bytes), (r), (g),   \
        (b));                                                                  \
  }

DEFINE_CONVERT_RGB (convert_rgb24, 3, 0, 1, 2)
DEFINE_CONVERT_RGB (convert_bgr24, 3, 2, 1, 0)
DEFINE_CONVERT_RGB (convert_rgba, 4, 0, 1, 2)
DEFINE_CONVERT_RGB (convert_bgra, 4, 2, 1, 0)
DEFINE_CONVERT_RGB (convert_argb, 4, 1, 2, 3)
DEFINE_CONVERT_RGB (convert_abgr, 4, 3, 2, 1)

INLINE void
store_pixel (guint8 *out, gint pixel)
{
  memcpy (out, &pixel, sizeof pixel);
}

#ifdef __AVX512BW__
#  include "engine/image/kernels-avx512.h"
#  define INIT clip_image_kernels_init_avx512
#else
#  include "engine/image/kernels-avx2.h"
#  define INIT clip_image_kernels_init_avx2
#endif

void
INIT (ClipImageKernels *kernels)
{
  *kernels = (ClipImageKernels) {
    .group = GROUP,
    .convert = {
      [CLIP_PIXEL_I420] = convert_planar_half,
      [CLIP_PIXEL_YV12] = convert_planar_half,
      [CLIP_PIXEL_NV12] = convert_nv12,
      [CLIP_PIXEL_NV21] = convert_nv21,
      [CLIP_PIXEL_Y42B] = convert_planar_half,
      [CLIP_PIXEL_Y444] = convert_planar_full,
      [CLIP_PIXEL_YUY2] = convert_yuy2,
      [CLIP_PIXEL_UYVY] = convert_uyvy,
      [CLIP_PIXEL_RGB] = convert_rgb24,
      [CLIP_PIXEL_BGR] = convert_bgr24,
      [CLIP_PIXEL_RGBA] = convert_rgba,
      [CLIP_PIXEL_BGRA] = convert_bgra,
      [CLIP_PIXEL_ARGB] = convert_argb,
      [CLIP_PIXEL_ABGR] = convert_abgr,
      [CLIP_PIXEL_GRAY8] = convert_gray8,
      [CLIP_PIXEL_P010_10LE] = convert_p010,
      [CLIP_PIXEL_I420_10LE] = convert_i420_10,
    },
    .horizontal = horizontal,
    .vertical = vertical,
  };
}
