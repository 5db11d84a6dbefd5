/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reading a weight: file type to floats, then the canonical arrangement.
 */
#include "engine/model/weights.h"

#include "engine/model/convert.h"

#include <math.h>
#include <string.h>

/* timm's epsilon for networks that come from TensorFlow (tf_*). */
#define BATCH_NORM_EPSILON 1e-3

static gsize
count (const ClipFileTensor *tensor)
{
  return (gsize) (tensor->size
      / (tensor->dtype == CLIP_FILE_DTYPE_F32 ? 4 : 2));
}

static gboolean
not_finite (const ClipFileTensor *tensor, const gchar *what, GError **error)
{
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "%s: tensor %s: %s, expected finite numbers", tensor->file->path,
      tensor->name, what);
  return FALSE;
}

gboolean
clip_host_tensor_alloc (ClipHostTensor *out, const gchar *what, GError **error)
{
  guint64 n = (guint64) out->rows * out->columns;
  out->data = n <= G_MAXSIZE
      ? g_try_malloc_n ((gsize) n, clip_dtype_size (out->dtype))
      : NULL;
  if (out->data == NULL)
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MEMORY,
        "%s: no memory for %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT " values",
        what, out->rows, out->columns);
  return out->data != NULL;
}

/* The tensor's values as floats, in the file's order. */
static gboolean
read_floats (const ClipFileTensor *tensor, gfloat *out, GError **error)
{
  gsize n = count (tensor);
  gboolean finite = TRUE;
  if (tensor->dtype == CLIP_FILE_DTYPE_F32) {
    if (!clip_file_read (tensor->file, tensor->offset, n * 4, out, error))
      return FALSE;
    finite = clip_convert_in_place (CLIP_DTYPE_F32, out, n);
  } else {
    guint16 chunk[8192];
    for (gsize done = 0; done < n; done += G_N_ELEMENTS (chunk)) {
      gsize m = MIN (n - done, G_N_ELEMENTS (chunk));
      if (!clip_file_read (tensor->file, tensor->offset + done * 2, m * 2,
              chunk, error))
        return FALSE;
      finite &= tensor->dtype == CLIP_FILE_DTYPE_F16
          ? clip_convert_f16 (chunk, m, out + done)
          : clip_convert_bf16 (chunk, m, out + done);
    }
  }
  return finite || not_finite (tensor, "holds NaN or infinite values", error);
}

static gboolean
read_plain (const ClipWeightSource *source, gfloat *out, GError **error)
{
  for (guint i = 0; i < source->n_tensors; i++) {
    if (!read_floats (source->tensors[i], out, error))
      return FALSE;
    out += count (source->tensors[i]);
  }
  return TRUE;
}

static gboolean
read_transposed (const ClipWeightSource *source, gfloat *out, GError **error)
{
  const gsize rows = source->rows, columns = source->columns;
  g_auto (ClipHostTensor)
      file = { .dtype = CLIP_DTYPE_F32, .rows = columns, .columns = rows };
  if (!clip_host_tensor_alloc (&file, source->tensors[0]->name, error)
      || !read_floats (source->tensors[0], file.data, error))
    return FALSE;
  const gfloat *in = file.data;
  for (gsize r = 0; r < rows; r++)
    for (gsize c = 0; c < columns; c++)
      out[r * columns + c] = in[c * rows + r];
  return TRUE;
}

static gboolean
read_table (const ClipFileTensor *tensor, ClipHostTensor *out, GError **error)
{
  return clip_file_read (tensor->file, tensor->offset, (gsize) tensor->size,
             out->data, error)
      && (clip_convert_in_place (out->dtype, out->data, count (tensor))
          || not_finite (tensor, "holds NaN or infinite values", error));
}

/* The batch norm of `channels` channels as y = scale * x + shift. */
static gboolean
read_batch_norm (const ClipFileTensor *const tensors[4], gsize channels,
    gdouble *scale, gdouble *shift, GError **error)
{
  g_autofree gfloat *values = g_new (gfloat, 4 * channels);
  for (guint i = 0; i < 4; i++)
    if (!read_floats (tensors[i], values + i * channels, error))
      return FALSE;
  const gfloat *gain = values, *bias = values + channels;
  const gfloat *mean = values + 2 * channels, *variance = mean + channels;
  for (gsize c = 0; c < channels; c++) {
    if (variance[c] < 0.0f)
      return not_finite (tensors[3], "holds a negative variance", error);
    scale[c] = gain[c] / sqrt (variance[c] + BATCH_NORM_EPSILON);
    shift[c] = bias[c] - mean[c] * scale[c];
  }
  return TRUE;
}

/* [out, in, y, x] in the file, [out x (y, x, in)] as it comes out. */
static gboolean
scale_convolution (const ClipFileTensor *conv, const gdouble *scale,
    gfloat *out, GError **error)
{
  const gsize channels = (gsize) conv->shape[0], in = (gsize) conv->shape[1];
  const gsize area = (gsize) (conv->shape[2] * conv->shape[3]);
  g_autofree gfloat *kernel = g_new (gfloat, in * area);
  for (gsize o = 0; o < channels; o++, out += in * area) {
    memcpy (kernel, out, in * area * sizeof *kernel);
    for (gsize i = 0; i < in; i++)
      for (gsize p = 0; p < area; p++)
        out[p * in + i] = (gfloat) (kernel[i * area + p] * scale[o]);
    if (!clip_all_finite (out, in * area))
      return not_finite (conv, "overflows when its batch norm is folded in",
          error);
  }
  return TRUE;
}

static gboolean
read_folded (const ClipWeightSource *source, gfloat *out, GError **error)
{
  const ClipFileTensor *conv = source->tensors[0];
  const gsize channels = (gsize) conv->shape[0];
  g_autofree gdouble *scale = g_new (gdouble, channels);
  g_autofree gdouble *shift = g_new (gdouble, channels);
  if (!read_batch_norm (source->tensors + 1, channels, scale, shift, error))
    return FALSE;
  if (source->form == CLIP_WEIGHT_FOLDED)
    return read_floats (conv, out, error)
        && scale_convolution (conv, scale, out, error);
  for (gsize c = 0; c < channels; c++)
    out[c] = (gfloat) shift[c];
  return clip_all_finite (out, channels)
      || not_finite (source->tensors[2], "overflows when it is folded", error);
}

gboolean
clip_weight_source_read (const ClipWeightSource *source, ClipHostTensor *out,
    GError **error)
{
  const ClipFileTensor *first = source->tensors[0];
  g_auto (ClipHostTensor) tensor = {
    .dtype = CLIP_DTYPE_F32, .rows = source->rows, .columns = source->columns
  };
  if (source->form == CLIP_WEIGHT_TABLE)
    tensor.dtype = first->dtype == CLIP_FILE_DTYPE_F16 ? CLIP_DTYPE_F16
        : first->dtype == CLIP_FILE_DTYPE_BF16         ? CLIP_DTYPE_BF16
                                                       : CLIP_DTYPE_F32;
  if (!clip_host_tensor_alloc (&tensor, first->name, error))
    return FALSE;

  gboolean ok = FALSE;
  switch (source->form) {
    case CLIP_WEIGHT_PLAIN:
      ok = read_plain (source, tensor.data, error);
      break;
    case CLIP_WEIGHT_TRANSPOSED:
      ok = read_transposed (source, tensor.data, error);
      break;
    case CLIP_WEIGHT_TABLE:
      ok = read_table (first, &tensor, error);
      break;
    case CLIP_WEIGHT_FOLDED:
    case CLIP_WEIGHT_FOLDED_BIAS:
      ok = read_folded (source, tensor.data, error);
      break;
  }
  if (!ok)
    return FALSE;
  *out = tensor;
  tensor.data = NULL;
  return TRUE;
}

gboolean
clip_weight_read_scalar (const ClipFileTensor *tensor, gfloat *out,
    GError **error)
{
  if (tensor->dtype == CLIP_FILE_DTYPE_OTHER || count (tensor) != 1) {
    g_autofree gchar *shape =
        clip_shape_to_string (tensor->shape, tensor->n_dims);
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: tensor %s: is %s of %s, expected one number of F32, F16 or BF16",
        tensor->file->path, tensor->name, shape, tensor->dtype_name);
    return FALSE;
  }
  return read_floats (tensor, out, error);
}
