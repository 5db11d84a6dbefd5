/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Words that files on disk, towers and backends share. Depends on nothing.
 */
#pragma once

#include <glib.h>

typedef enum {
  CLIP_DTYPE_F32,
  CLIP_DTYPE_F16,
  CLIP_DTYPE_BF16,
  CLIP_DTYPE_I32,
} ClipDType;

static inline gsize
clip_dtype_size (ClipDType dtype)
{
  return dtype == CLIP_DTYPE_F16 || dtype == CLIP_DTYPE_BF16 ? 2 : 4;
}

typedef enum {
  CLIP_ACT_NONE,
  CLIP_ACT_RELU,
  CLIP_ACT_RELU6,
  CLIP_ACT_QUICK_GELU, /* x * sigmoid (1.702 x) */
  CLIP_ACT_GELU_ERF,   /* x * (1 + erf (x / sqrt 2)) / 2 */
  CLIP_ACT_GELU_TANH,
  CLIP_ACT_SILU,
} ClipActivation;

/* A weight on its way from a model's files to a backend: canonical name and
 * layout, in host memory, [rows x columns], owned by whoever holds it.
 * F32 except for the token table, which stays in the file's type. */
typedef struct {
  ClipDType dtype;
  gsize rows, columns;
  gpointer data;
} ClipHostTensor;

static inline void
clip_host_tensor_clear (ClipHostTensor *tensor)
{
  g_clear_pointer (&tensor->data, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ClipHostTensor, clip_host_tensor_clear)
