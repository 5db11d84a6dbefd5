/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From a frame's planes to the numbers a tower reads: colour conversion,
 * Pillow's resize, crop, normalisation, bit for bit what the reference
 * implementations do to an 8-bit RGB picture. The horizontal pass comes first,
 * as in Pillow up to version 12 (version 13 takes the vertical one first for
 * some tall pictures, which moves bytes by one).
 */
#pragma once

#include "engine/clip.h"

typedef enum {
  CLIP_FILTER_NEAREST,
  CLIP_FILTER_BILINEAR,
  CLIP_FILTER_BICUBIC,
  CLIP_FILTER_LANCZOS,
} ClipFilter;

/* The largest `resize` and `crop`. */
#define CLIP_PREPROCESS_MAX_SIZE 4096

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
  guint8 fill; /* of PAD's padding, before normalisation; elsewhere it is 0 */
} ClipPreprocessSpec;

/* Where the normalised value of channel c, line y, column x goes. */
typedef enum {
  CLIP_LAYOUT_PLANAR,  /* [3 x crop*crop], (c, y, x), as references store it */
  CLIP_LAYOUT_ROWS,    /* [crop*crop x 3], pixels as rows */
  CLIP_LAYOUT_PATCHES, /* [patches x 3*patch*patch], columns (c, y, x); what
                        * crop / patch leaves over is left out */
} ClipLayout;

/* Scratch memory and the resampling weights of the last geometry. One thread
 * at a time; allocates only when the geometry changes. */
typedef struct _ClipPreprocessor ClipPreprocessor;

/* `patch` matters to PATCHES only. A specification without sizes, or beyond
 * CLIP_PREPROCESS_MAX_SIZE, is a programming error. */
ClipPreprocessor *clip_preprocessor_new (const ClipPreprocessSpec *spec,
    ClipLayout layout, guint patch);
void clip_preprocessor_free (ClipPreprocessor *pre);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipPreprocessor, clip_preprocessor_free)

/* Writes 3*crop*crop floats to out ([patches] fewer where crop / patch leaves
 * a rest). `mode` AUTO takes the specification's. A mode that is not the
 * specification's resizes to `crop`. */
gboolean clip_preprocessor_run (ClipPreprocessor *pre, const ClipImage *image,
    ClipResizeMode mode, gfloat *out, GError **error);
