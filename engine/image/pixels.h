/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where a picture's samples lie, and how they become 8-bit R'G'B'.
 *
 * Y'CbCr is converted in fixed point, the same on every machine. Samples are
 * first brought to a common scale, luma to Y = Y8 << 7 = Y10 << 5 and chroma
 * to C = (C8 - 128) << 8 = (C10 - 512) << 6; with
 * mul (a, b) = (a * b + 2^14) >> 15 and clip () to 0..255,
 *
 *   y = mul (Y - y_offset, y_scale)
 *   R = clip ((y + mul (Cr, r_cr) + 32) >> 6)
 *   G = clip ((y + mul (Cb, g_cb) + mul (Cr, g_cr) + 32) >> 6)
 *   B = clip ((y + mul (Cb, b_cb) + 32) >> 6)
 *
 * whose terms all fit 16 bits. The factors are those of ITU-T H.273, computed
 * in double and rounded to the nearest integer. A chroma sample serves all the
 * pixels that share it (no interpolation, hence no siting). GRAY8 is luma
 * without chroma.
 */
#pragma once

#include "engine/clip.h"

/* Pixels beyond this many a side are refused. */
#define CLIP_IMAGE_MAX_SIDE 32768

typedef struct {
  gint16 y_offset, y_scale, r_cr, g_cb, g_cr, b_cb;
} ClipColour;

/* One line: where the samples of column 0 are. Packed and grey formats use
 * only the first pointer; chroma is U, V for every planar format, and the
 * interleaved pairs are at `u` for the semi-planar ones. */
typedef struct {
  const guint8 *y, *u, *v;
} ClipLine;

/* Fails with ARGUMENT for a picture without area, beyond CLIP_IMAGE_MAX_SIDE,
 * with a missing plane, a stride shorter than its line, a crop rectangle that
 * is not inside the picture, or a pixel aspect ratio such as 1/0. */
gboolean clip_image_check (const ClipImage *image, GError **error);

void clip_colour_init (ClipColour *colour, const ClipImage *image);

/* Line `y` of the stored picture, in stored lines. */
ClipLine clip_image_get_line (const ClipImage *image, guint y);
