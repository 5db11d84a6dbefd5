/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames of noise whose planes touch pages that cannot be read, and what their
 * pixels are by the book, in double.
 */
#pragma once

#include "engine/clip.h"

typedef struct {
  ClipImage image;
  guint8 *maps[3];
  gsize map_bytes[3];
} Frame;

/* Random strides, of either sign. Every byte before and after each plane's
 * lines, or up to a page further on the one side, is out of bounds. */
void frame_init (Frame *frame, GRand *rand, ClipPixelFormat format, guint width,
    guint height);
void frame_clear (Frame *frame);
/* Random crop rectangle, orientation, pixel aspect ratio, matrix, range. */
void frame_randomise_view (Frame *frame, GRand *rand);

/* The stored pixel as R'G'B', 0..255, neither rounded nor clipped. */
void frame_get_pixel (const ClipImage *image, guint x, guint y, gdouble rgb[3]);
