/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a stored picture, turned upright and with square pixels, meets the
 * model's square: sizes after the resize and the window that is kept.
 */
#pragma once

#include "engine/image/preprocess.h"

/* One stored axis: `in` samples become `out`, of which the window
 * [offset, offset + crop) is kept; what lies outside [0, out) is padding. */
typedef struct {
  guint in;
  gint64 out, offset;
} ClipSpan;

/* `x` and `y` are the axes as stored. The upright window is made from the
 * stored one by mirroring (flip_x, flip_y), then swapping the axes. */
typedef struct {
  ClipSpan x, y;
  gboolean flip_x, flip_y, transpose;
} ClipGeometry;

/* `image` has been checked; `mode` is not AUTO. A mode other than the
 * specification's resizes to `crop`, so that PAD and SQUASH lose nothing.
 * Sources: transformers' get_resize_output_image_size and center_crop,
 * torchvision's resize and center_crop, OpenCLIP's ResizeKeepRatio and
 * center_crop_or_pad. */
void clip_geometry_init (ClipGeometry *geometry, const ClipPreprocessSpec *spec,
    ClipResizeMode mode, const ClipImage *image);
