/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/image/geometry.h"

#include <math.h>

/* Extreme aspect ratios would make the long side overflow; only the window is
 * ever computed, so a bound costs nothing. */
#define MAX_TARGET (G_GINT64_CONSTANT (1) << 30)

static const struct {
  gboolean flip_x, flip_y, transpose;
} turns[] = {
  [CLIP_ORIENTATION_IDENTITY] = { FALSE, FALSE, FALSE },
  [CLIP_ORIENTATION_90R] = { FALSE, TRUE, TRUE },
  [CLIP_ORIENTATION_180] = { TRUE, TRUE, FALSE },
  [CLIP_ORIENTATION_90L] = { TRUE, FALSE, TRUE },
  [CLIP_ORIENTATION_HORIZ] = { TRUE, FALSE, FALSE },
  [CLIP_ORIENTATION_VERT] = { FALSE, TRUE, FALSE },
  [CLIP_ORIENTATION_UL_LR] = { FALSE, FALSE, TRUE },
  [CLIP_ORIENTATION_UR_LL] = { TRUE, TRUE, TRUE },
};

static gint64
crop_offset (gint64 size, gint64 crop, ClipCropRounding rounding)
{
  const gint64 excess = size - crop;
  const gint64 half = excess / 2;

  if (excess < 0)
    return rounding == CLIP_CROP_FLOOR ? -((1 - excess) / 2) : half;
  if (rounding == CLIP_CROP_HALF_EVEN && excess % 2)
    return half + half % 2;
  return half;
}

/* The displayed picture's sides are in the ratio width : height. */
static void
target_size (ClipResizeMode mode, guint size, guint64 width, guint64 height,
    gint64 *target_width, gint64 *target_height)
{
  *target_width = *target_height = size;
  if (mode == CLIP_RESIZE_CROP) {
    if (width <= height)
      *target_height = MIN ((gint64) (size * height / width), MAX_TARGET);
    else
      *target_width = MIN ((gint64) (size * width / height), MAX_TARGET);
  } else if (mode == CLIP_RESIZE_PAD) {
    const gdouble ratio_w = (gdouble) width / size;
    const gdouble ratio_h = (gdouble) height / size;
    const gdouble ratio = MAX (ratio_w, ratio_h);

    *target_width = CLAMP ((gint64) rint (width / ratio), 1, size);
    *target_height = CLAMP ((gint64) rint (height / ratio), 1, size);
  }
}

void
clip_geometry_init (ClipGeometry *geometry, const ClipPreprocessSpec *spec,
    ClipResizeMode mode, const ClipImage *image)
{
  const guint size = mode == spec->mode ? spec->resize : spec->crop;
  const ClipCropRounding rounding =
      mode == CLIP_RESIZE_PAD ? CLIP_CROP_HALF_EVEN : spec->rounding;
  ClipSpan *across = &geometry->x, *down = &geometry->y;
  guint64 width, height;

  geometry->flip_x = turns[image->orientation].flip_x;
  geometry->flip_y = turns[image->orientation].flip_y;
  geometry->transpose = turns[image->orientation].transpose;
  geometry->x.in = image->crop_width ? image->crop_width : image->width;
  geometry->y.in = image->crop_width ? image->crop_height : image->height;

  width = (guint64) geometry->x.in * (image->par_n ? image->par_n : 1);
  height = (guint64) geometry->y.in * (image->par_n ? image->par_d : 1);
  if (geometry->transpose) {
    const guint64 swap = width;

    width = height;
    height = swap;
    across = &geometry->y;
    down = &geometry->x;
  }
  target_size (mode, size, width, height, &across->out, &down->out);
  across->offset = crop_offset (across->out, spec->crop, rounding);
  down->offset = crop_offset (down->out, spec->crop, rounding);
  if (geometry->flip_x)
    geometry->x.offset = geometry->x.out - geometry->x.offset - spec->crop;
  if (geometry->flip_y)
    geometry->y.offset = geometry->y.out - geometry->y.offset - spec->crop;
}
