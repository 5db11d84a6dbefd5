/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/image/kernels.h"

static inline gint
multiply (gint a, gint b)
{
  return (a * b + (1 << 14)) >> 15;
}

static inline gint
clip_byte (gint value)
{
  return CLAMP (value, 0, 255);
}

static inline void
put_pixel (gint16 *pairs, guint i, gint r, gint g, gint b)
{
  gint16 *pixel = pairs + i / 2 * 8 + i % 2;

  pixel[0] = (gint16) r;
  pixel[2] = (gint16) g;
  pixel[4] = (gint16) b;
  pixel[6] = 0;
}

/* Luma and chroma in the common scale of pixels.h. */
static inline void
put_ycc (gint16 *pairs, guint i, const ClipColour *colour, gint y, gint cb,
    gint cr)
{
  const gint luma = multiply (y - colour->y_offset, colour->y_scale) + 32;
  const gint r = luma + multiply (cr, colour->r_cr);
  const gint g =
      luma + multiply (cb, colour->g_cb) + multiply (cr, colour->g_cr);
  const gint b = luma + multiply (cb, colour->b_cb);

  put_pixel (pairs, i, clip_byte (r >> 6), clip_byte (g >> 6),
      clip_byte (b >> 6));
}

static inline gint
luma8 (guint8 sample)
{
  return sample << 7;
}

static inline gint
chroma8 (guint8 sample)
{
  return (sample - 128) * 256;
}

static inline gint
luma10 (guint sample)
{
  return (sample & 1023) << 5;
}

static inline gint
chroma10 (guint sample)
{
  return ((gint) (sample & 1023) - 512) * 64;
}

static inline guint
read16 (const guint8 *bytes)
{
  return bytes[0] | bytes[1] << 8;
}

static inline void
convert_planar (const ClipLine *line, const ClipColour *colour, guint x,
    guint n, gint16 *pairs, guint shift)
{
  for (guint i = 0; i < n; i++) {
    const guint chroma = (x + i) >> shift;

    put_ycc (pairs, i, colour, luma8 (line->y[x + i]),
        chroma8 (line->u[chroma]), chroma8 (line->v[chroma]));
  }
}

static void
convert_planar_half (const ClipLine *line, const ClipColour *colour, guint x,
    guint n, gint16 *pairs)
{
  convert_planar (line, colour, x, n, pairs, 1);
}

static void
convert_planar_full (const ClipLine *line, const ClipColour *colour, guint x,
    guint n, gint16 *pairs)
{
  convert_planar (line, colour, x, n, pairs, 0);
}

static inline void
convert_semi_planar (const ClipLine *line, const ClipColour *colour, guint x,
    guint n, gint16 *pairs, guint u, guint v)
{
  for (guint i = 0; i < n; i++) {
    const guint8 *chroma = line->u + ((x + i) & ~1u);

    put_ycc (pairs, i, colour, luma8 (line->y[x + i]), chroma8 (chroma[u]),
        chroma8 (chroma[v]));
  }
}

static void
convert_nv12 (const ClipLine *line, const ClipColour *colour, guint x, guint n,
    gint16 *pairs)
{
  convert_semi_planar (line, colour, x, n, pairs, 0, 1);
}

static void
convert_nv21 (const ClipLine *line, const ClipColour *colour, guint x, guint n,
    gint16 *pairs)
{
  convert_semi_planar (line, colour, x, n, pairs, 1, 0);
}

static inline void
convert_packed_422 (const ClipLine *line, const ClipColour *colour, guint x,
    guint n, gint16 *pairs, guint y, guint u, guint v)
{
  for (guint i = 0; i < n; i++) {
    const guint8 *quad = line->y + (gsize) (x + i) / 2 * 4;

    put_ycc (pairs, i, colour, luma8 (quad[(x + i) % 2 * 2 + y]),
        chroma8 (quad[u]), chroma8 (quad[v]));
  }
}

static void
convert_yuy2 (const ClipLine *line, const ClipColour *colour, guint x, guint n,
    gint16 *pairs)
{
  convert_packed_422 (line, colour, x, n, pairs, 0, 1, 3);
}

static void
convert_uyvy (const ClipLine *line, const ClipColour *colour, guint x, guint n,
    gint16 *pairs)
{
  convert_packed_422 (line, colour, x, n, pairs, 1, 0, 2);
}

static void
convert_gray8 (const ClipLine *line, const ClipColour *colour, guint x, guint n,
    gint16 *pairs)
{
  for (guint i = 0; i < n; i++)
    put_ycc (pairs, i, colour, luma8 (line->y[x + i]), 0, 0);
}

/* The ten bits are the high ones of each little-endian word. */
static void
convert_p010 (const ClipLine *line, const ClipColour *colour, guint x, guint n,
    gint16 *pairs)
{
  for (guint i = 0; i < n; i++) {
    const guint8 *chroma = line->u + ((x + i) & ~1u) * 2;

    put_ycc (pairs, i, colour, luma10 (read16 (line->y + (x + i) * 2) >> 6),
        chroma10 (read16 (chroma) >> 6), chroma10 (read16 (chroma + 2) >> 6));
  }
}

static void
convert_i420_10 (const ClipLine *line, const ClipColour *colour, guint x,
    guint n, gint16 *pairs)
{
  for (guint i = 0; i < n; i++) {
    const guint chroma = (x + i) & ~1u;

    put_ycc (pairs, i, colour, luma10 (read16 (line->y + (x + i) * 2)),
        chroma10 (read16 (line->u + chroma)),
        chroma10 (read16 (line->v + chroma)));
  }
}

#define DEFINE_CONVERT_RGB(name, bytes, r, g, b)                               \
  static void name (const ClipLine *line, const ClipColour *colour, guint x,   \
      guint n, gint16 *pairs)                                                  \
  {                                                                            \
    const guint8 *pixel = line->y + (gsize) x * (bytes);                       \
    for (guint i = 0; i < n; i++, pixel += (bytes))                            \
      put_pixel (pairs, i, pixel[r], pixel[g], pixel[b]);                      \
  }

DEFINE_CONVERT_RGB (convert_rgb, 3, 0, 1, 2)
DEFINE_CONVERT_RGB (convert_bgr, 3, 2, 1, 0)
DEFINE_CONVERT_RGB (convert_rgba, 4, 0, 1, 2)
DEFINE_CONVERT_RGB (convert_bgra, 4, 2, 1, 0)
DEFINE_CONVERT_RGB (convert_argb, 4, 1, 2, 3)
DEFINE_CONVERT_RGB (convert_abgr, 4, 3, 2, 1)

static inline guint8
to_byte (gint32 sum)
{
  return (guint8) clip_byte (sum >> CLIP_WEIGHT_BITS);
}

static void
horizontal_line (const ClipAxis *axis, const gint16 *row, guint8 *out)
{
  for (guint i = 0; i < axis->n; i++) {
    const gint32 *weights = axis->weights + (gsize) i * axis->max_count;
    const guint first = axis->first[i];
    const guint count = axis->count[i];
    gint32 sums[3];

    sums[0] = sums[1] = sums[2] = 1 << (CLIP_WEIGHT_BITS - 1);
    for (guint k = 0; k < count; k++) {
      const gint16 *pixel = row + (first + k) / 2 * 8 + (first + k) % 2;

      sums[0] += weights[k] * pixel[0];
      sums[1] += weights[k] * pixel[2];
      sums[2] += weights[k] * pixel[4];
    }
    for (guint channel = 0; channel < 3; channel++)
      out[i * 4 + channel] = to_byte (sums[channel]);
    out[i * 4 + 3] = 0;
  }
}

static void
horizontal (const ClipAxis *axis, const gint16 *const rows[CLIP_LINES_AT_ONCE],
    guint8 *const out[CLIP_LINES_AT_ONCE])
{
  for (guint i = 0; i < CLIP_LINES_AT_ONCE; i++)
    if (i == 0 || out[i] != out[0])
      horizontal_line (axis, rows[i], out[i]);
}

/* A block of sums stays in registers or the nearest cache. */
static void
vertical (const ClipAxis *axis, guint i, const guint8 *const *lines,
    guint8 *out, guint bytes)
{
  const gint32 *weights = axis->weights + (gsize) i * axis->max_count;
  const guint count = axis->count[i];
  gint32 sums[64];

  for (guint start = 0; start < bytes; start += G_N_ELEMENTS (sums)) {
    const guint n = MIN (bytes - start, G_N_ELEMENTS (sums));

    for (guint x = 0; x < n; x++)
      sums[x] = 1 << (CLIP_WEIGHT_BITS - 1);
    for (guint k = 0; k < count; k++) {
      const guint8 *line = lines[k] + start;
      const gint32 weight = weights[k];

      for (guint x = 0; x < n; x++)
        sums[x] += weight * line[x];
    }
    for (guint x = 0; x < n; x++)
      out[start + x] = to_byte (sums[x]);
  }
}

void
clip_image_kernels_init (ClipImageKernels *kernels, ClipProcessor processor)
{
  *kernels = (ClipImageKernels) {
    .convert = {
      [CLIP_PIXEL_I420] = convert_planar_half,
      [CLIP_PIXEL_YV12] = convert_planar_half,
      [CLIP_PIXEL_NV12] = convert_nv12,
      [CLIP_PIXEL_NV21] = convert_nv21,
      [CLIP_PIXEL_Y42B] = convert_planar_half,
      [CLIP_PIXEL_Y444] = convert_planar_full,
      [CLIP_PIXEL_YUY2] = convert_yuy2,
      [CLIP_PIXEL_UYVY] = convert_uyvy,
      [CLIP_PIXEL_RGB] = convert_rgb,
      [CLIP_PIXEL_BGR] = convert_bgr,
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
#if defined(__x86_64__) && defined(__GNUC__)
  if (processor >= CLIP_PROCESSOR_AVX2)
    clip_image_kernels_init_avx2 (kernels);
  if (processor >= CLIP_PROCESSOR_AVX512)
    clip_image_kernels_init_avx512 (kernels);
#endif
}
