/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan/half.h"

typedef union {
  guint32 bits;
  gfloat f;
} Float;

guint16
clip_half_from_float (gfloat x)
{
  Float y = { .f = x };
  const guint32 sign = y.bits >> 16 & 0x8000;

  y.bits &= 0x7fffffff;
  if (y.bits > 0x7f800000)
    return (guint16) (sign | 0x7e00);
  if (y.bits >= 0x477ff000)
    return (guint16) (sign | 0x7c00);
  if (y.bits < 0x38800000) {
    /* A subnormal half: one unit of 0.5f's last place is one of its own, so
     * the addition rounds. */
    y.f += 0.5f;
    return (guint16) (sign | (y.bits - 0x3f000000));
  }
  y.bits += 0xfff + (y.bits >> 13 & 1);
  return (guint16) (sign | ((y.bits - 0x38000000) >> 13));
}

gfloat
clip_half_to_float (guint16 h)
{
  Float x = { .bits = (guint32) (h & 0x7fff) << 13 };

  if ((h & 0x7c00) != 0x7c00)
    x.f *= 0x1p112f;
  else
    x.bits |= 0x7f800000;
  x.bits |= (guint32) (h & 0x8000) << 16;
  return x.f;
}
