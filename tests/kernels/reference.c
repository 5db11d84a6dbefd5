/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/kernels/reference.h"

#include <math.h>
#include <string.h>

/* Of a sum of n products, against the root of the sum of their squares. */
#define SUM_SLACK 5e-6
/* Of a function of one element. */
#define POINT_SLACK 4e-7

/* Exact for the few values that tests use: nothing smaller than 2^-14, nothing
 * that needs more than eleven bits. */
guint16
reference_to_f16 (gfloat x)
{
  int exponent;
  const gdouble m = frexp (fabs (x), &exponent);

  if (x == 0)
    return 0;
  return (guint16) ((x < 0 ? 0x8000 : 0) | ((exponent + 14) << 10)
      | ((int) (m * 2048) - 1024));
}

gdouble
reference_element (const ClipHostTensor *tensor, gsize i)
{
  const guint16 half = ((const guint16 *) tensor->data)[i];
  gdouble x;

  switch (tensor->dtype) {
    case CLIP_DTYPE_F16:
      x = ldexp ((half & 0x3ff) + 1024, (half >> 10 & 31) - 25);
      return (half & 0x7fff) == 0 ? 0 : half & 0x8000 ? -x : x;
    case CLIP_DTYPE_BF16: {
      const guint32 bits = (guint32) half << 16;
      gfloat f;

      memcpy (&f, &bits, sizeof f);
      return f;
    }
    default:
      return ((const gfloat *) tensor->data)[i];
  }
}

static gdouble
activate (gdouble x, ClipActivation act)
{
  switch (act) {
    case CLIP_ACT_NONE:
      return x;
    case CLIP_ACT_RELU:
      return fmax (x, 0);
    case CLIP_ACT_RELU6:
      return fmin (fmax (x, 0), 6);
    case CLIP_ACT_QUICK_GELU:
      return x / (1 + exp (-1.702 * x));
    case CLIP_ACT_GELU_ERF:
      return x * (1 + erf (x / G_SQRT2)) / 2;
    case CLIP_ACT_GELU_TANH:
      return x * (1 + tanh (sqrt (2 / G_PI) * (x + 0.044715 * x * x * x))) / 2;
    case CLIP_ACT_SILU:
      return x / (1 + exp (-x));
  }
  g_assert_not_reached ();
}

static gdouble
weight_at (const ClipHostTensor *tensor, gsize i, gdouble otherwise)
{
  return tensor ? reference_element (tensor, i) : otherwise;
}

static void
gemm (const ReferenceOp *op, gdouble *out, gdouble *slack)
{
  const gsize depth = op->a_shape->columns, columns = op->out_shape->columns;
  const gsize rows = op->batch * op->out_shape->rows;

  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < columns; j++) {
      gdouble sum = weight_at (op->bias, j, 0), squares = sum * sum;

      for (gsize k = 0; k < depth; k++) {
        const gdouble product = (gdouble) op->a[i * depth + k]
            * reference_element (op->weight, j * depth + k);

        sum += product;
        squares += product * product;
      }
      slack[i * columns + j] =
          SUM_SLACK * sqrt (squares) + POINT_SLACK * (1 + fabs (sum));
      out[i * columns + j] =
          activate (sum, op->op->act) + (op->b ? op->b[i * columns + j] : 0);
    }
}

static void
layer_norm (const ReferenceOp *op, gdouble *out, gdouble *slack)
{
  const gsize columns = op->out_shape->columns;
  const gsize rows = op->batch * op->out_shape->rows;

  for (gsize i = 0; i < rows; i++) {
    const gfloat *x = op->a + i * columns;
    gdouble mean = 0, variance = 0, largest = 0, scale;

    for (gsize j = 0; j < columns; j++)
      mean += x[j] / (gdouble) columns;
    for (gsize j = 0; j < columns; j++) {
      variance += (x[j] - mean) * (x[j] - mean) / (gdouble) columns;
      largest = fmax (largest, fabs (x[j]));
    }
    scale = 1 / sqrt (variance + op->op->epsilon);
    for (gsize j = 0; j < columns; j++) {
      const gdouble w = reference_element (op->weight, j);
      const gdouble y = (x[j] - mean) * scale * w;

      out[i * columns + j] = y + reference_element (op->bias, j);
      /* The mean itself is only as exact as a float of its size. */
      slack[i * columns + j] =
          POINT_SLACK * (1 + 2 * fabs (y)) + 2e-7 * largest * scale * fabs (w);
    }
  }
}

static gsize
count_visible (const ReferenceOp *op, gsize item, gsize query)
{
  const gsize n_queries = op->a_shape->rows, n_keys = op->b_shape->rows;

  if (op->op->mask == CLIP_MASK_NONE)
    return n_keys;
  if (op->positions)
    return (gsize) op->positions[item] + 1;
  return query + n_keys - n_queries + 1;
}

/* p [n_keys]: scratch. */
static void
attend (const ReferenceOp *op, gsize item, gsize query, gsize head, gdouble *p,
    gdouble *out, gdouble *slack)
{
  const gsize head_dim = op->op->head_dim;
  const gsize visible = count_visible (op, item, query);
  const gfloat *q = op->a
      + (item * op->a_shape->rows + query) * op->a_shape->columns
      + op->op->q_column + head * head_dim;
  const gfloat *kv =
      op->b + item * op->b_shape->rows * op->b_shape->columns + head * head_dim;
  gdouble highest = -HUGE_VAL, sum = 0, size = 0;

  for (gsize key = 0; key < visible; key++) {
    gdouble score = 0, squares = 0;

    for (gsize d = 0; d < head_dim; d++) {
      const gdouble product = (gdouble) q[d]
          * kv[key * op->b_shape->columns + op->op->k_column + d];

      score += product;
      squares += product * product;
    }
    p[key] = score / sqrt (head_dim);
    size = fmax (size, sqrt (squares / head_dim));
    highest = fmax (highest, p[key]);
  }
  for (gsize key = 0; key < visible; key++)
    sum += p[key] = exp (p[key] - highest);
  for (gsize d = 0; d < head_dim; d++) {
    gdouble x = 0, largest = 0;

    for (gsize key = 0; key < visible; key++) {
      const gdouble v = kv[key * op->b_shape->columns + op->op->v_column + d];

      x += p[key] / sum * v;
      largest = fmax (largest, fabs (v));
    }
    out[d] = x;
    slack[d] = (2e-6 + SUM_SLACK * size) * largest;
  }
}

static void
attention (const ReferenceOp *op, gdouble *out, gdouble *slack)
{
  g_autofree gdouble *p = g_new (gdouble, op->b_shape->rows);
  const gsize n_queries = op->a_shape->rows;

  for (gsize item = 0; item < op->batch; item++)
    for (gsize query = 0; query < n_queries; query++)
      for (gsize head = 0; head < op->op->heads; head++) {
        const gsize at = (item * n_queries + query) * op->out_shape->columns
            + head * op->op->head_dim;

        attend (op, item, query, head, p, out + at, slack + at);
      }
}

static void
sum_rows (const ReferenceOp *op, gdouble *out, gdouble *slack)
{
  const gsize rows = op->out_shape->rows, columns = op->out_shape->columns;

  for (gsize i = 0; i < op->batch * rows * columns; i++) {
    const gsize item = i / (rows * columns), row = i / columns % rows;
    const gsize column = i % columns;
    gdouble x;

    if (op->op->kind == CLIP_OP_EMBED)
      x = reference_element (op->weight,
          op->ids[item * rows + row] * columns + column);
    else if (row == 0)
      x = reference_element (op->weight, column);
    else
      x = op->a[(item * (rows - 1) + row - 1) * columns + column];
    out[i] = x + weight_at (op->bias, row * columns + column, 0);
    slack[i] = 1e-7 * fabs (out[i]);
  }
}

/* Weight of channel c at (ky, kx) and input channel i. */
static gdouble
conv_weight (const ReferenceOp *op, gsize c, gsize ky, gsize kx, gsize i)
{
  const gsize k = op->op->kernel;

  if (op->op->groups == 1)
    return reference_element (op->weight,
        (c * k * k + ky * k + kx) * op->a_shape->columns + i);
  return reference_element (op->weight, c * k * k + ky * k + kx);
}

static void
convolve_one (const ReferenceOp *op, const gfloat *in, gsize oy, gsize ox,
    gsize c, gdouble *out, gdouble *slack)
{
  const ClipOp *o = op->op;
  const gsize channels = op->a_shape->columns;
  const gsize first = o->groups == 1 ? 0 : c;
  const gsize end = o->groups == 1 ? channels : c + 1;
  gdouble sum = weight_at (op->bias, c, 0), squares = sum * sum;

  for (gsize ky = 0; ky < o->kernel; ky++)
    for (gsize kx = 0; kx < o->kernel; kx++) {
      const glong y = (glong) (oy * o->stride + ky) - o->pad_top;
      const glong x = (glong) (ox * o->stride + kx) - o->pad_left;

      if (y < 0 || x < 0 || y >= (glong) o->height || x >= (glong) o->width)
        continue;
      for (gsize i = first; i < end; i++) {
        const gdouble product = in[(y * o->width + x) * channels + i]
            * conv_weight (op, c, ky, kx, i);

        sum += product;
        squares += product * product;
      }
    }
  *slack = SUM_SLACK * sqrt (squares) + POINT_SLACK * (1 + fabs (sum));
  *out = activate (sum, o->act);
}

static void
conv (const ReferenceOp *op, gdouble *out, gdouble *slack)
{
  const gsize rows = op->out_shape->rows, columns = op->out_shape->columns;

  for (gsize i = 0; i < op->batch * rows * columns; i++) {
    const gsize item = i / (rows * columns), pixel = i / columns % rows;

    convolve_one (op, op->a + item * op->a_shape->rows * op->a_shape->columns,
        pixel / op->op->out_width, pixel % op->op->out_width, i % columns,
        out + i, slack + i);
  }
}

static void
mean_pool (const ReferenceOp *op, gdouble *out, gdouble *slack)
{
  const gsize rows = op->a_shape->rows, columns = op->a_shape->columns;

  for (gsize i = 0; i < op->batch * columns; i++) {
    const gfloat *x = op->a + i / columns * rows * columns + i % columns;
    gdouble sum = 0, squares = 0;

    for (gsize row = 0; row < rows; row++) {
      sum += x[row * columns];
      squares += (gdouble) x[row * columns] * x[row * columns];
    }
    out[i] = sum / rows;
    slack[i] = SUM_SLACK * sqrt (squares) / rows;
  }
}

static void
gather (const ReferenceOp *op, gdouble *out, gdouble *slack)
{
  const gsize columns = op->a_shape->columns;

  for (gsize i = 0; i < op->batch * columns; i++) {
    const gsize item = i / columns;
    const gsize row = op->positions ? op->positions[item] : 0;

    out[i] = op->a[(item * op->a_shape->rows + row) * columns + i % columns];
    slack[i] = 0;
  }
}

static void
normalise (const ReferenceOp *op, gdouble *out, gdouble *slack)
{
  const gsize columns = op->a_shape->columns;

  for (gsize i = 0; i < op->batch * op->a_shape->rows; i++) {
    const gfloat *x = op->a + i * columns;
    gdouble squares = 0;

    for (gsize j = 0; j < columns; j++)
      squares += (gdouble) x[j] * x[j];
    for (gsize j = 0; j < columns; j++) {
      out[i * columns + j] = x[j] / sqrt (squares);
      slack[i * columns + j] = 2e-7;
    }
  }
}

void
reference_run (const ReferenceOp *op, gdouble *out, gdouble *slack)
{
  switch (op->op->kind) {
    case CLIP_OP_GEMM:
      gemm (op, out, slack);
      break;
    case CLIP_OP_LAYER_NORM:
      layer_norm (op, out, slack);
      break;
    case CLIP_OP_ATTENTION:
      attention (op, out, slack);
      break;
    case CLIP_OP_EMBED:
    case CLIP_OP_PREPEND:
      sum_rows (op, out, slack);
      break;
    case CLIP_OP_CONV:
      conv (op, out, slack);
      break;
    case CLIP_OP_MEAN_POOL:
      mean_pool (op, out, slack);
      break;
    case CLIP_OP_GATHER:
      gather (op, out, slack);
      break;
    case CLIP_OP_NORMALISE:
      normalise (op, out, slack);
      break;
  }
}
