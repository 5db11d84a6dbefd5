/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Layer norm in two passes, the mean first: subtracting it before squaring
 * keeps the variance exact where the mean is large beside it.
 */
#include "engine/cpu/variant.h"
#include "engine/cpu/vector.h"

#define PARTS 4

INLINE float
sum_row (const float *x, size_t n)
{
  vf sums[PARTS] = { { 0 } };
  size_t i = 0;

  for (; i + PARTS * VLEN <= n; i += PARTS * VLEN)
    for (size_t p = 0; p < PARTS; p++)
      sums[p] += load (x + i + p * VLEN);
  for (; i + VLEN <= n; i += VLEN)
    sums[0] += load (x + i);
  if (i < n)
    sums[1] += load_part (x + i, n - i);
  return sum_of ((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

INLINE float
sum_squares (const float *x, float mean, size_t n)
{
  const vf center = splat (mean);
  vf sums[PARTS] = { { 0 } };
  size_t i = 0;
  float rest = 0.f;

  for (; i + PARTS * VLEN <= n; i += PARTS * VLEN)
    for (size_t p = 0; p < PARTS; p++) {
      const vf d = load (x + i + p * VLEN) - center;

      sums[p] = multiply_add (d, d, sums[p]);
    }
  for (; i + VLEN <= n; i += VLEN) {
    const vf d = load (x + i) - center;

    sums[0] = multiply_add (d, d, sums[0]);
  }
  for (; i < n; i++)
    rest += (x[i] - mean) * (x[i] - mean);
  return sum_of ((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest;
}

static void
layer_norm (const gfloat *x, const gfloat *weight, const gfloat *bias,
    gfloat epsilon, gfloat *out, gsize rows, gsize columns)
{
  for (gsize row = 0; row < rows; row++, x += columns, out += columns) {
    const float mean = sum_row (x, columns) / columns;
    const float variance = sum_squares (x, mean, columns) / columns;
    const float scale = 1.f / sqrtf (variance + epsilon);
    gsize i = 0;

    for (; i + VLEN <= columns; i += VLEN)
      store (out + i,
          (load (x + i) - splat (mean)) * splat (scale) * load (weight + i)
              + load (bias + i));
    for (; i < columns; i++)
      out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
  }
}

CLIP_KERNELS_INIT (norm)
{
  kernels->layer_norm = layer_norm;
}
