/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Weights as kernels read them.
 */
#include "engine/vulkan/weight.h"

#include <math.h>
#include <string.h>

#include "engine/vulkan/half.h"
#include "engine/vulkan/kernels.h"
#include "engine/vulkan/weight_pool.h"

static gsize
round_up (gsize n, gsize to)
{
  return (n + to - 1) / to * to;
}

static gboolean
fits_half (const ClipHostTensor *tensor)
{
  const gfloat *x = tensor->data;

  for (gsize i = 0; i < tensor->rows * tensor->columns; i++)
    if (!(fabsf (x[i]) <= CLIP_HALF_MAX))
      return FALSE;
  return TRUE;
}

/* Rows first .. first + n - 1 of the tensor become columns of `out`, whose
 * rows are `stride` elements long. */
static void
transpose (const ClipHostTensor *tensor, gsize first, gsize n, gsize stride,
    gboolean half, gpointer out)
{
  const gfloat *from = (const gfloat *) tensor->data + first * tensor->columns;
  gfloat *floats = out;
  guint16 *halves = out;

  for (gsize i = 0; i < n; i++)
    for (gsize k = 0; k < tensor->columns; k++) {
      const gfloat x = from[i * tensor->columns + k];

      if (half)
        halves[k * stride + i] = clip_half_from_float (x);
      else
        floats[k * stride + i] = x;
    }
}

static gboolean
too_long (const ClipWeight *weight, gsize row, GError **error)
{
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
      "a weight of [%zu x %zu] does not fit the Vulkan device %s: %zu bytes "
      "must lie together, its kernels reach %zu",
      weight->rows, weight->columns, weight->device->caps.name, row,
      weight->device->caps.max_range);
  return FALSE;
}

/* Cuts `n` columns or rows, `unit` of which lie together, into parts. */
static gboolean
cut (ClipWeight *weight, gsize n, gsize unit, gsize bytes_each, GError **error)
{
  const ClipVulkanCaps *caps = &weight->device->caps;
  const gsize limit = MIN (caps->max_range, caps->max_allocation);
  const gsize each = limit / (unit * bytes_each) * unit;

  if (each == 0)
    return too_long (weight, unit * bytes_each, error);
  weight->n_parts = (guint) ((n + each - 1) / each);
  weight->parts = g_new0 (ClipVulkanPart, weight->n_parts);
  for (guint i = 0; i < weight->n_parts; i++) {
    weight->parts[i].first = (guint) (i * each);
    weight->parts[i].n = (guint) MIN (each, n - i * each);
  }
  return TRUE;
}

static gboolean
upload (ClipWeight *weight, ClipVulkanPart *part, gsize size,
    gconstpointer data, GError **error)
{
  part->size = size;
  return clip_vulkan_weight_pool_add (weight->device, part, data, error);
}

static gpointer
allocate (gsize size, GError **error)
{
  gpointer memory = g_try_malloc0 (size);

  if (!memory)
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MEMORY,
        "no memory for %zu bytes of weights", size);
  return memory;
}

static gboolean
prepare_matrix (ClipWeight *weight, const ClipHostTensor *tensor, gboolean half,
    GError **error)
{
  const gsize depth = round_up (tensor->columns, CLIP_VULKAN_PAD_ROWS);
  const gsize element = half ? 2 : 4;

  weight->dtype = half ? CLIP_DTYPE_F16 : CLIP_DTYPE_F32;
  if (!cut (weight, tensor->rows, CLIP_VULKAN_PAD_COLUMNS, depth * element,
          error))
    return FALSE;
  for (guint i = 0; i < weight->n_parts; i++) {
    ClipVulkanPart *part = &weight->parts[i];
    const gsize stride = round_up (part->n, CLIP_VULKAN_PAD_COLUMNS);
    g_autofree gpointer packed = allocate (depth * stride * element, error);

    if (!packed)
      return FALSE;
    transpose (tensor, part->first, part->n, stride, half, packed);
    if (!upload (weight, part, depth * stride * element, packed, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
prepare_conv (ClipWeight *weight, const ClipHostTensor *tensor, GError **error)
{
  const gsize stride = round_up (tensor->rows, 2);
  const gsize size = tensor->columns * stride * sizeof (gfloat);
  g_autofree gpointer packed = NULL;

  weight->stride = (guint) stride;
  if (!cut (weight, 1, 1, size, error) || !(packed = allocate (size, error)))
    return FALSE;
  transpose (tensor, 0, tensor->rows, stride, FALSE, packed);
  return upload (weight, &weight->parts[0], size, packed, error);
}

static gboolean
prepare_plain (ClipWeight *weight, const ClipHostTensor *tensor, GError **error)
{
  const gsize row = tensor->columns * clip_dtype_size (tensor->dtype);
  const gboolean whole = weight->role == CLIP_ROLE_VECTOR;

  if (!(whole ? cut (weight, 1, 1, tensor->rows * row, error)
              : cut (weight, tensor->rows, 1, row, error)))
    return FALSE;
  for (guint i = 0; i < weight->n_parts; i++) {
    ClipVulkanPart *part = &weight->parts[i];
    const gsize bytes = (whole ? tensor->rows : part->n) * row;
    const gsize size = round_up (bytes, 4);
    g_autofree gpointer padded = allocate (size, error);

    if (!padded)
      return FALSE;
    memcpy (padded, (const guint8 *) tensor->data + part->first * row, bytes);
    if (!upload (weight, part, size, padded, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
prepare (ClipWeight *weight, const ClipHostTensor *tensor, gboolean half,
    GError **error)
{
  switch (weight->role) {
    case CLIP_ROLE_MATRIX:
      return prepare_matrix (weight, tensor, half && fits_half (tensor), error);
    case CLIP_ROLE_CONV:
    case CLIP_ROLE_CONV_FULL:
      return prepare_conv (weight, tensor, error);
    case CLIP_ROLE_VECTOR:
    case CLIP_ROLE_TABLE:
      break;
  }
  return prepare_plain (weight, tensor, error);
}

ClipWeight *
clip_vulkan_weight_new (ClipVulkanDevice *device, gboolean half, ClipRole role,
    const ClipHostTensor *tensor, GError **error)
{
  ClipWeight *weight;

  if (tensor->dtype == CLIP_DTYPE_I32
      || (role != CLIP_ROLE_TABLE && tensor->dtype != CLIP_DTYPE_F32)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "the Vulkan backend takes 32-bit floats for every weight but tables");
    return NULL;
  }
  weight = g_new0 (ClipWeight, 1);
  weight->device = clip_vulkan_device_ref (device);
  weight->role = role;
  weight->dtype = tensor->dtype;
  weight->rows = tensor->rows;
  weight->columns = tensor->columns;
  if (!prepare (weight, tensor, half, error))
    g_clear_pointer (&weight, clip_vulkan_weight_free);
  return weight;
}

void
clip_vulkan_weight_free (ClipWeight *weight)
{
  for (guint i = 0; i < weight->n_parts; i++)
    clip_vulkan_weight_pool_remove (weight->device, &weight->parts[i]);
  g_free (weight->parts);
  clip_vulkan_device_unref (weight->device);
  g_free (weight);
}
