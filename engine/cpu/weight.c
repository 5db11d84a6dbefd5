/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/cpu/context.h"

#include <stdlib.h>

gpointer
clip_cpu_alloc (gsize size, const gchar *what, GError **error)
{
  gpointer memory = NULL;

  if (posix_memalign (&memory, CLIP_PLAN_ALIGN, MAX (size, 1)) != 0) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MEMORY,
        "no memory for %zu bytes of %s", size, what);
    return NULL;
  }
  memset (memory, 0, size);
  return memory;
}

static gboolean
pack (ClipWeight *weight, ClipCpuBackend *backend, const ClipHostTensor *tensor,
    GError **error)
{
  const ClipKernels *kernels = backend->kernels;

  weight->data =
      clip_cpu_alloc (kernels->packed_size (tensor->rows, tensor->columns)
              * sizeof (gfloat),
          "packed weights", error);
  if (!weight->data)
    return FALSE;
  kernels->pack (tensor->data, tensor->columns, tensor->rows, tensor->columns,
      weight->data);
  return TRUE;
}

static gboolean
copy (ClipWeight *weight, ClipHostTensor *tensor, gboolean transposed,
    GError **error)
{
  const gsize rows = tensor->rows, columns = tensor->columns;
  const gsize size = rows * columns * clip_dtype_size (tensor->dtype);
  const gfloat *from = tensor->data;
  gfloat *to;

  weight->data = to = clip_cpu_alloc (size, "weights", error);
  if (!to)
    return FALSE;
  if (!transposed) {
    memcpy (to, from, size);
    return TRUE;
  }
  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < columns; j++)
      to[j * rows + i] = from[i * columns + j];
  return TRUE;
}

ClipWeight *
clip_cpu_prepare_weight (ClipBackend *backend, ClipRole role,
    ClipHostTensor *tensor, GError **error)
{
  ClipCpuBackend *cpu = (ClipCpuBackend *) backend;
  ClipWeight *weight;
  gboolean ok;

  if (tensor->dtype == CLIP_DTYPE_I32
      || (role != CLIP_ROLE_TABLE && tensor->dtype != CLIP_DTYPE_F32)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "the CPU backend takes 32-bit floats for every weight but tables");
    return NULL;
  }
  weight = g_new0 (ClipWeight, 1);
  weight->role = role;
  weight->dtype = tensor->dtype;
  weight->rows = tensor->rows;
  weight->columns = tensor->columns;
  if (role == CLIP_ROLE_CONV_FULL || (role == CLIP_ROLE_MATRIX && !cpu->sgemm))
    ok = pack (weight, cpu, tensor, error);
  else
    ok = copy (weight, tensor, role == CLIP_ROLE_CONV, error);
  if (!ok)
    g_clear_pointer (&weight, clip_cpu_free_weight);
  return weight;
}

void
clip_cpu_free_weight (ClipWeight *weight)
{
  free (weight->data);
  g_free (weight);
}
