/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Small integers multiply and add exactly in floats, in any order, so a
 * product of them must come out to the last bit.
 */
#include "engine/cpu/context.h"

#include <stdlib.h>

static gfloat
element (gsize i, gsize j, guint salt)
{
  return (gfloat) ((i * 7 + j * 13 + (i * j) % 5 + salt) % 9) - 4.f;
}

/* x [rows x columns] */
static void
fill (gfloat *x, gsize rows, gsize columns, guint salt)
{
  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < columns; j++)
      x[i * columns + j] = element (i, j, salt);
}

static gboolean
is_product (const gfloat *out, gsize rows, gsize columns, gsize depth)
{
  for (gsize i = 0; i < rows; i++) {
    for (gsize j = 0; j < columns; j++) {
      gint sum = 0;

      for (gsize k = 0; k < depth; k++)
        sum += (gint) element (i, k, 1) * (gint) element (j, k, 2);
      if (out[i * columns + j] != (gfloat) sum)
        return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_shape (ClipCpuBackend *backend, gsize rows, gsize columns, gsize depth,
    gboolean *right, GError **error)
{
  const gsize scratch = clip_cpu_gemm_scratch (backend);
  g_autofree gfloat *a = g_new (gfloat, rows * depth);
  g_autofree gfloat *out = g_new (gfloat, rows * columns);
  g_auto (ClipHostTensor) w = { .dtype = CLIP_DTYPE_F32,
    .rows = columns,
    .columns = depth,
    .data = g_new (gfloat, columns * depth) };
  ClipWeight *weight;
  gfloat *memory;

  fill (a, rows, depth, 1);
  fill (w.data, columns, depth, 2);
  weight =
      clip_cpu_prepare_weight (&backend->parent, CLIP_ROLE_MATRIX, &w, error);
  if (!weight)
    return FALSE;
  memory = clip_cpu_alloc (scratch * clip_pool_get_n_threads (backend->pool)
          * sizeof (gfloat),
      "scratch memory", error);
  if (memory) {
    const ClipGemm gemm = { .a = a,
      .a_stride = depth,
      .packed = weight->data,
      .columns = columns,
      .depth = depth,
      .packed_depth = depth,
      .out = out,
      .out_stride = columns };

    clip_cpu_gemm (backend, &gemm, 1, rows, memory, scratch);
    *right = is_product (out, rows, columns, depth);
  }
  free (memory);
  clip_cpu_free_weight (weight);
  return memory != NULL;
}

gboolean
clip_cpu_check_gemm (ClipCpuBackend *backend, gboolean *right, GError **error)
{
  /* Whole tiles, every edge, one row, more than one block of columns. */
  static const guint16 shapes[][3] = { { 1, 1, 1 }, { 1, 40, 70 }, { 3, 33, 7 },
    { 14, 64, 64 }, { 17, 67, 37 }, { 29, 49, 300 }, { 5, 130, 513 } };

  *right = TRUE;
  for (guint i = 0; *right && i < G_N_ELEMENTS (shapes); i++)
    if (!check_shape (backend, shapes[i][0], shapes[i][1], shapes[i][2], right,
            error))
      return FALSE;
  return TRUE;
}
