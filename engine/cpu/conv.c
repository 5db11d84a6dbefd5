/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Convolutions over [height * width x channels]: depthwise with vectors along
 * the channels, full as a product of gathered patches with packed weights.
 */
#include "engine/cpu/variant.h"
#include "engine/cpu/vector.h"

/* Output pixels of a full convolution whose patches are gathered at once. */
#define PATCHES 56

/* The part of the kernel that lies inside the map along one axis, for output
 * `o`: taps first .. end-1, the first of which reads input `at`. */
typedef struct {
  gsize first, end, at;
} Taps;

INLINE Taps
find_taps (gsize o, gsize stride, gsize pad, gsize kernel, gsize size)
{
  const gsize start = o * stride; /* in the padded map */
  Taps taps;

  taps.first = start < pad ? MIN (pad - start, kernel) : 0;
  taps.end = start >= size + pad ? 0 : MIN (kernel, size + pad - start);
  taps.end = MAX (taps.end, taps.first);
  taps.at = start + taps.first - pad;
  return taps;
}

INLINE vf
load_channels (const float *p, size_t n)
{
  return n >= VLEN ? load (p) : load_part (p, n);
}

/* `pixels` neighbouring outputs, whose taps all exist along x, for up to VLEN
 * channels; in and weight point at the first tap and channel. */
INLINE void
convolve_channels (const ClipConv *conv, const float *in, const float *weight,
    gsize rows, gsize columns, const int pixels, size_t n, const float *bias,
    float *out)
{
  const gsize channels = conv->channels;
  const gsize step = conv->stride * channels;
  const vf start = bias ? load_channels (bias, n) : splat (0.f);
  vf sums[4];

#pragma GCC unroll 4
  for (int p = 0; p < pixels; p++)
    sums[p] = start;
  for (gsize ky = 0; ky < rows; ky++) {
    for (gsize kx = 0; kx < columns; kx++) {
      const vf w = load_channels (weight + kx * channels, n);

#pragma GCC unroll 4
      for (int p = 0; p < pixels; p++)
        sums[p] =
            multiply_add (load_channels (in + p * step + kx * channels, n), w,
                sums[p]);
    }
    in += conv->width * channels;
    weight += conv->kernel * channels;
  }
#pragma GCC unroll 4
  for (int p = 0; p < pixels; p++) {
    if (n >= VLEN)
      store (out + p * channels, sums[p]);
    else
      store_part (out + p * channels, sums[p], n);
  }
}

INLINE void
convolve_pixels (const ClipConv *conv, Taps y, Taps x, const int pixels,
    float *out)
{
  const gsize channels = conv->channels;
  const float *in = conv->in + (y.at * conv->width + x.at) * channels;
  const float *weight =
      conv->weight + (y.first * conv->kernel + x.first) * channels;
  gsize c = 0;

  for (; c + VLEN <= channels; c += VLEN)
    convolve_channels (conv, in + c, weight + c, y.end - y.first,
        x.end - x.first, pixels, VLEN, conv->bias ? conv->bias + c : NULL,
        out + c);
  if (c < channels)
    convolve_channels (conv, in + c, weight + c, y.end - y.first,
        x.end - x.first, pixels, channels - c,
        conv->bias ? conv->bias + c : NULL, out + c);
}

INLINE void
activate (float *x, size_t n, const ClipActivation act)
{
  size_t i = 0;

  for (; i + VLEN <= n; i += VLEN)
    store (x + i, v_activate (load (x + i), act));
  if (i < n)
    store_part (x + i, v_activate (load_part (x + i, n - i), act), n - i);
}

static void
activate_row (float *x, size_t n, ClipActivation act)
{
  switch (act) {
    case CLIP_ACT_NONE:
      break;
    case CLIP_ACT_RELU:
      activate (x, n, CLIP_ACT_RELU);
      break;
    case CLIP_ACT_RELU6:
      activate (x, n, CLIP_ACT_RELU6);
      break;
    case CLIP_ACT_QUICK_GELU:
      activate (x, n, CLIP_ACT_QUICK_GELU);
      break;
    case CLIP_ACT_GELU_ERF:
      activate (x, n, CLIP_ACT_GELU_ERF);
      break;
    case CLIP_ACT_GELU_TANH:
      activate (x, n, CLIP_ACT_GELU_TANH);
      break;
    case CLIP_ACT_SILU:
      activate (x, n, CLIP_ACT_SILU);
      break;
  }
}

static void
conv_depthwise (const ClipConv *conv, gsize row0, gsize row1)
{
  const gsize channels = conv->channels;

  for (gsize oy = row0; oy < row1; oy++) {
    const Taps y =
        find_taps (oy, conv->stride, conv->pad_top, conv->kernel, conv->height);
    float *row = conv->out + oy * conv->out_width * channels;
    gsize ox = 0;

    while (ox < conv->out_width) {
      const Taps x = find_taps (ox, conv->stride, conv->pad_left, conv->kernel,
          conv->width);
      const gboolean four = ox + 4 <= conv->out_width && x.first == 0
          && x.at + 3 * conv->stride + conv->kernel <= conv->width;

      if (four)
        convolve_pixels (conv, y, x, 4, row + ox * channels);
      else
        convolve_pixels (conv, y, x, 1, row + ox * channels);
      ox += four ? 4 : 1;
    }
    activate_row (row, conv->out_width * channels, conv->act);
  }
}

/* The patch of one output pixel, (y, x, channel), into [k * k * in]. */
static void
gather_patch (const ClipConv *conv, gsize oy, gsize ox, float *patch)
{
  const gsize channels = conv->in_channels;
  const gsize row = conv->kernel * channels;
  const Taps y =
      find_taps (oy, conv->stride, conv->pad_top, conv->kernel, conv->height);
  const Taps x =
      find_taps (ox, conv->stride, conv->pad_left, conv->kernel, conv->width);
  const gsize n = (x.end - x.first) * channels;

  if (n < row || y.end - y.first < conv->kernel)
    memset (patch, 0, conv->kernel * row * sizeof (float));
  for (gsize ky = y.first; ky < y.end; ky++) {
    const float *from =
        conv->in + ((y.at + ky - y.first) * conv->width + x.at) * channels;
    float *to = patch + ky * row + x.first * channels;

    for (gsize i = 0; i < n; i++)
      to[i] = from[i];
  }
}

static gsize
patch_scratch (const ClipConv *conv)
{
  const gsize size = conv->kernel * conv->kernel * conv->in_channels;

  return (PATCHES * size + VLEN - 1) / VLEN * VLEN;
}

static gsize
count_panels (const ClipKernels *kernels, const ClipConv *conv)
{
  return (conv->channels + kernels->panel - 1) / kernels->panel;
}

static gsize
conv_full_scratch (const ClipKernels *kernels, const ClipConv *conv)
{
  return patch_scratch (conv)
      + kernels->gemm_scratch (PATCHES, count_panels (kernels, conv));
}

static void
conv_full (const ClipKernels *kernels, const ClipConv *conv, gsize row0,
    gsize row1, gfloat *scratch)
{
  const gsize size = conv->kernel * conv->kernel * conv->in_channels;
  const gsize end = row1 * conv->out_width;
  ClipGemm gemm = {
    .a = scratch,
    .a_stride = size,
    .packed = conv->weight,
    .columns = conv->channels,
    .depth = size,
    .packed_depth = size,
    .bias = conv->bias,
    .out_stride = conv->channels,
    .act = conv->act,
  };

  for (gsize first = row0 * conv->out_width; first < end; first += PATCHES) {
    const gsize n = MIN (PATCHES, end - first);

    for (gsize i = 0; i < n; i++)
      gather_patch (conv, (first + i) / conv->out_width,
          (first + i) % conv->out_width, scratch + i * size);
    gemm.out = conv->out + first * conv->channels;
    kernels->gemm (&gemm, 0, n, 0, count_panels (kernels, conv),
        scratch + patch_scratch (conv));
  }
}

CLIP_KERNELS_INIT (conv)
{
  kernels->conv_depthwise = conv_depthwise;
  kernels->conv_full = conv_full;
  kernels->conv_full_scratch = conv_full_scratch;
}
