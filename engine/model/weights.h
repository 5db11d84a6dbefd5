/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Canonical weights (model.h) and where each comes from: which tensors of the
 * files, in what arrangement.
 */
#pragma once

#include "engine/model/model.h"
#include "engine/model/safetensors.h"

typedef enum {
  CLIP_FILES_NONE, /* random weights */
  CLIP_FILES_HF,
  CLIP_FILES_OPENCLIP,
} ClipFileLayout;

typedef enum {
  CLIP_WEIGHT_PLAIN,       /* the tensors, one after another */
  CLIP_WEIGHT_TRANSPOSED,  /* one tensor, [columns x rows] in the file */
  CLIP_WEIGHT_TABLE,       /* one tensor, in the file's type */
  CLIP_WEIGHT_FOLDED,      /* a convolution scaled by its batch norm */
  CLIP_WEIGHT_FOLDED_BIAS, /* what the batch norm then adds */
} ClipWeightForm;

typedef struct {
  ClipWeightForm form;
  gsize rows, columns;
  guint n_tensors;
  /* FOLDED and FOLDED_BIAS: convolution, then the batch norm's weight, bias,
   * running mean and running variance. PLAIN: up to three. */
  const ClipFileTensor *tensors[5];
} ClipWeightSource;

/* Canonical name -> ClipWeightSource, for every weight of the specification.
 * Fails where the files lack a tensor, have one of another shape or of a type
 * that holds no weights, or have one in a tower that the specification has no
 * place for. `where` names the model in errors about missing tensors. With
 * CLIP_FILES_NONE, `set` is NULL and the sources have no tensors. The map is
 * valid as long as `set`. */
GHashTable *clip_weight_map_new (const gchar *where, const ClipTensorSet *set,
    ClipFileLayout layout, const ClipModelSpec *spec, gboolean projection_bias,
    GError **error);

/* Reads and arranges. Values that are not finite, also after folding, are a
 * FORMAT error. Any thread. */
gboolean clip_weight_source_read (const ClipWeightSource *source,
    ClipHostTensor *out, GError **error);

/* Allocates out->data for rows x columns of out->dtype. */
gboolean clip_host_tensor_alloc (ClipHostTensor *out, const gchar *what,
    GError **error);

/* A tensor of one element, finite. */
gboolean clip_weight_read_scalar (const ClipFileTensor *tensor, gfloat *out,
    GError **error);
