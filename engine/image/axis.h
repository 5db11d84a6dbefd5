/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Resampling weights along one axis, as Pillow computes them (ImagingResample
 * for 8-bit pixels; ImagingScaleAffine for NEAREST).
 */
#pragma once

#include "engine/image/preprocess.h"

/* Weights are fixed-point numbers with this many bits after the point. */
#define CLIP_WEIGHT_BITS 22

/* Output i is the weighted sum of the `count[i]` samples from `first[i]` on.
 * A pass that Pillow leaves out has one sample of weight 1 for each output,
 * which leaves the bytes as they are.
 *
 * `packed` holds the same weights for kernels whose multiply takes 16 bits:
 * weight = (high << 12) + low, -2048 <= low < 2048. */
typedef struct {
  guint n;         /* outputs */
  guint max_count; /* the largest of count[] */
  guint *first;    /* [n] */
  guint *count;    /* [n], at least 1 */
  gint32 *weights; /* [n x max_count] */
  gint16 *packed;  /* [n x packed_stride], NULL before packing */
  gsize packed_stride;
} ClipAxis;

/* Outputs start .. start + n - 1 of those `out` that `in` samples become. */
void clip_axis_init (ClipAxis *axis, ClipFilter filter, guint in, gint64 out,
    gint64 start, guint n);
void clip_axis_clear (ClipAxis *axis);

/* For horizontal kernels, which multiply `group` pixels (even) at a time,
 * starting at an even pixel (first[i] & ~1): for every group `group / 2`
 * pairs of high halves, each four times, then the low halves likewise. */
void clip_axis_pack_pixels (ClipAxis *axis, guint group);
/* For vertical kernels: for every pair of lines high, high, low, low. */
void clip_axis_pack_lines (ClipAxis *axis);
