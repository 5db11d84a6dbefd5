/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * safetensors files: eight bytes of header length, a JSON header that gives
 * each tensor's dtype, shape and place, the data. The header is believed only
 * where it agrees with itself and with the file: sizes must follow from shapes,
 * and the tensors must cover the data without holes or overlaps.
 */
#pragma once

#include "engine/model/file.h"

typedef enum {
  CLIP_FILE_DTYPE_F32,
  CLIP_FILE_DTYPE_F16,
  CLIP_FILE_DTYPE_BF16,
  CLIP_FILE_DTYPE_OTHER, /* may be there, cannot be a weight */
} ClipFileDType;

#define CLIP_FILE_MAX_DIMS 8

typedef struct {
  const ClipFile *file;
  gchar *name;
  const gchar *dtype_name; /* "F16" */
  ClipFileDType dtype;
  guint n_dims;
  guint64 shape[CLIP_FILE_MAX_DIMS];
  guint64 offset, size; /* bytes, from the start of the file */
} ClipFileTensor;

/* Every tensor of a model's weight files. Immutable; any thread. Keeps the
 * files open. */
typedef struct {
  GPtrArray *files;    /* ClipFile */
  GHashTable *tensors; /* name -> ClipFileTensor */
} ClipTensorSet;

/* One file. */
ClipTensorSet *clip_tensor_set_open (const gchar *path, GError **error);
/* The files that an index (model.safetensors.index.json) names, which lie
 * beside it; every tensor must lie in the file that the index says. */
ClipTensorSet *clip_tensor_set_open_index (const gchar *path, GError **error);
void clip_tensor_set_free (ClipTensorSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipTensorSet, clip_tensor_set_free)

/* NULL where there is none. */
const ClipFileTensor *clip_tensor_set_find (const ClipTensorSet *set,
    const gchar *name);
/* "[768, 3, 32, 32]" */
gchar *clip_shape_to_string (const guint64 *shape, guint n_dims);
