/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From a frame's planes to the numbers a tower reads: colour conversion,
 * Pillow's resize, crop, normalisation, bit for bit what the reference
 * implementations do to an 8-bit RGB picture.
 */
#pragma once

#include "engine/clip.h"

typedef enum {
  CLIP_FILTER_NEAREST,
  CLIP_FILTER_BILINEAR,
  CLIP_FILTER_BICUBIC,
  CLIP_FILTER_LANCZOS,
} ClipFilter;

/* Which half the odd pixel of a centre crop falls into. */
typedef enum {
  CLIP_CROP_FLOOR,     /* transformers: (size - crop) / 2 */
  CLIP_CROP_HALF_EVEN, /* torchvision: round ((size - crop) / 2.0) */
} ClipCropRounding;

/* As the model's files say. A file that resizes to `size` and crops to less
 * has resize > crop. */
typedef struct {
  ClipResizeMode mode; /* CROP, SQUASH or PAD */
  guint resize;        /* pixels: the shortest side (CROP), the square */
  guint crop;          /* pixels: side of the square the tower sees */
  ClipFilter filter;
  ClipCropRounding rounding;
  gdouble rescale; /* usually 1/255 */
  gfloat mean[3], std[3];
  guint8 fill; /* of the padding, per channel before normalisation; 0 */
} ClipPreprocessSpec;

/* Where the normalised value of channel c, line y, column x goes. */
typedef enum {
  CLIP_LAYOUT_PLANAR,  /* [3 x crop*crop], (c, y, x), as references store it */
  CLIP_LAYOUT_ROWS,    /* [crop*crop x 3], pixels as rows */
  CLIP_LAYOUT_PATCHES, /* [patches x 3*patch*patch], columns (c, y, x) */
} ClipLayout;

/* Scratch memory and the resampling weights of the last geometry. One thread
 * at a time; allocates only when the geometry changes. */
typedef struct _ClipPreprocessor ClipPreprocessor;

ClipPreprocessor *clip_preprocessor_new (const ClipPreprocessSpec *spec,
    ClipLayout layout, guint patch);
void clip_preprocessor_free (ClipPreprocessor *pre);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipPreprocessor, clip_preprocessor_free)

/* Writes 3*crop*crop floats to out. `mode` AUTO takes the specification's. */
gboolean clip_preprocessor_run (ClipPreprocessor *pre, const ClipImage *image,
    ClipResizeMode mode, gfloat *out, GError **error);
