/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inner loops of the preprocessor. Plain C is the specification; the
 * other variants give the same bytes.
 *
 * A *pair row* holds converted pixels as 16-bit values 0..255, two pixels at a
 * time: R0 R1 G0 G1 B0 B1 0 0. A *thin line* holds bytes R G B 0.
 */
#pragma once

#include "engine/image/axis.h"
#include "engine/image/pixels.h"
#include "engine/processor.h"

/* Lines that the horizontal pass takes at once. */
#define CLIP_LINES_AT_ONCE 4
/* Pixels that a pair row must have room for beyond the last one. */
#define CLIP_ROW_SLACK 64

/* Bytes that a thin line may be read beyond its last one. */
#define CLIP_LINE_SLACK 64

/* Converts columns x (even) .. x + n - 1 of a line into a pair row; may write
 * CLIP_ROW_SLACK pixels beyond, never reads beyond the columns (rounded up to
 * whole chroma samples). */
typedef void (*ClipConvertFunc) (const ClipLine *line, const ClipColour *colour,
    guint x, guint n, gint16 *pairs);
/* Pair rows to thin lines of axis->n pixels. Equal pointers may be given for
 * lines that are not there. */
typedef void (*ClipHorizontalFunc) (const ClipAxis *axis,
    const gint16 *const rows[CLIP_LINES_AT_ONCE],
    guint8 *const out[CLIP_LINES_AT_ONCE]);
/* Output line i of the axis from its count[i] input lines, `bytes` each.
 * lines[count[i]] must be there too, and every line must be readable for
 * CLIP_LINE_SLACK bytes beyond. */
typedef void (*ClipVerticalFunc) (const ClipAxis *axis, guint i,
    const guint8 *const *lines, guint8 *out, guint bytes);

typedef struct {
  guint group; /* for clip_axis_pack_pixels (); 0: needs no packed weights */
  ClipConvertFunc convert[CLIP_PIXEL_N_FORMATS];
  ClipHorizontalFunc horizontal;
  ClipVerticalFunc vertical;
} ClipImageKernels;

/* Fills the table with the best that `processor` runs. */
void clip_image_kernels_init (ClipImageKernels *kernels,
    ClipProcessor processor);

/* Each overwrites the entries that it has. */
void clip_image_kernels_init_avx2 (ClipImageKernels *kernels);
void clip_image_kernels_init_avx512 (ClipImageKernels *kernels);
