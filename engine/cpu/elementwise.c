/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The small operations: sums of rows, means, unit vectors.
 */
#include "engine/cpu/variant.h"
#include "engine/cpu/vector.h"

typedef union {
  guint32 bits;
  gfloat f;
} Float;

/* IEEE binary16, subnormals, infinities and NaN included. */
static gfloat
from_f16 (guint16 h)
{
  const gboolean finite = (h & 0x7c00) != 0x7c00;
  Float x = { .bits = (guint32) (h & 0x7fff) << 13 };

  if (finite)
    x.f *= 0x1p112f; /* moves the exponent's bias from 15 to 127 */
  else
    x.bits |= 0x7f800000;
  x.bits |= (guint32) (h & 0x8000) << 16;
  return x.f;
}

static gfloat
from_bf16 (guint16 h)
{
  const Float x = { .bits = (guint32) h << 16 };

  return x.f;
}

static void
add_row (const void *row, ClipDType dtype, const gfloat *position, gfloat *out,
    gsize columns)
{
  const gfloat *f32 = row;
  const guint16 *half = row;

  for (gsize i = 0; i < columns; i++) {
    const gfloat x = dtype == CLIP_DTYPE_F16 ? from_f16 (half[i])
        : dtype == CLIP_DTYPE_BF16           ? from_bf16 (half[i])
                                             : f32[i];

    out[i] = position ? x + position[i] : x;
  }
}

static void
mean_pool (const gfloat *x, gsize rows, gsize columns, gfloat *out)
{
  const float scale = 1.f / (float) rows;

  for (gsize c = 0; c < columns; c += VLEN) {
    const gsize n = MIN (VLEN, columns - c);
    vf sum = splat (0.f);

    for (gsize i = 0; i < rows; i++) {
      const float *from = x + i * columns + c;

      sum += n == VLEN ? load (from) : load_part (from, n);
    }
    sum *= splat (scale);
    if (n == VLEN)
      store (out + c, sum);
    else
      store_part (out + c, sum, n);
  }
}

static void
normalise (const gfloat *x, gfloat *out, gsize rows, gsize columns)
{
  for (gsize row = 0; row < rows; row++, x += columns, out += columns) {
    double sum = 0;
    float scale;

    for (gsize i = 0; i < columns; i++)
      sum += (double) x[i] * x[i];
    scale = (float) (1 / sqrt (sum));
    for (gsize i = 0; i < columns; i++)
      out[i] = x[i] * scale;
  }
}

CLIP_KERNELS_INIT (elementwise)
{
  kernels->add_row = add_row;
  kernels->mean_pool = mean_pool;
  kernels->normalise = normalise;
}
