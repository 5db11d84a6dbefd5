/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Loops without branches over fixed types, which compilers vectorise. They do
 * not rely on denormal floats: some other library of the process may have made
 * the thread flush them to zero.
 */
#include "engine/model/convert.h"

#include <string.h>

#define F32_EXPONENT 0x7f800000u

static inline gfloat
float_from_bits (guint32 bits)
{
  gfloat value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

static inline guint32
float_to_bits (gfloat value)
{
  guint32 bits;
  memcpy (&bits, &value, sizeof bits);
  return bits;
}

gboolean
clip_convert_f16 (const guint16 *in, gsize n, gfloat *out)
{
  const guint32 exponent = 0x1fu << 10;
  guint32 bad = 0;
  for (gsize i = 0; i < n; i++) {
    guint32 half = GUINT16_FROM_LE (in[i]);
    guint32 magnitude = half & 0x7fff;
    guint32 normal = (magnitude << 13) + ((127u - 15u) << 23);
    /* A denormal half m * 2^-24 is the normal 2^-14 * (1 + m * 2^-10), less
     * 2^-14. */
    guint32 denormal = float_to_bits (float_from_bits ((magnitude << 13)
                                          + ((127u - 14u) << 23))
        - 0x1p-14f);
    guint32 bits = magnitude < 0x400 ? denormal : normal;
    out[i] = float_from_bits (bits | (half & 0x8000) << 16);
    bad |= magnitude >= exponent;
  }
  return bad == 0;
}

gboolean
clip_convert_bf16 (const guint16 *in, gsize n, gfloat *out)
{
  guint32 bad = 0;
  for (gsize i = 0; i < n; i++) {
    guint32 bits = (guint32) GUINT16_FROM_LE (in[i]) << 16;
    out[i] = float_from_bits (bits);
    bad |= (bits & F32_EXPONENT) == F32_EXPONENT;
  }
  return bad == 0;
}

gboolean
clip_convert_in_place (ClipDType dtype, gpointer values, gsize n)
{
  guint32 bad = 0;
  if (dtype == CLIP_DTYPE_F32) {
    guint32 *v = values;
    for (gsize i = 0; i < n; i++) {
      v[i] = GUINT32_FROM_LE (v[i]);
      bad |= (v[i] & F32_EXPONENT) == F32_EXPONENT;
    }
  } else {
    const guint16 exponent = dtype == CLIP_DTYPE_F16 ? 0x7c00 : 0x7f80;
    guint16 *v = values;
    for (gsize i = 0; i < n; i++) {
      v[i] = GUINT16_FROM_LE (v[i]);
      bad |= (v[i] & exponent) == exponent;
    }
  }
  return bad == 0;
}

gboolean
clip_all_finite (const gfloat *values, gsize n)
{
  guint32 bad = 0;
  for (gsize i = 0; i < n; i++)
    bad |= (float_to_bits (values[i]) & F32_EXPONENT) == F32_EXPONENT;
  return bad == 0;
}
