/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plan is checked once, when it is prepared: kernels trust their sizes.
 */
#include "engine/clip.h"
#include "engine/plan/plan.h"

typedef struct {
  const ClipPlan *plan;
  const ClipOp *op;
  GError **error;
} Check;

static const ClipTensor *
tensor (const Check *check, ClipTensorId id)
{
  return id == CLIP_NONE ? NULL : clip_plan_get_tensor (check->plan, id);
}

static const ClipWeightRef *
weight_ref (const Check *check, ClipWeightId id)
{
  return &g_array_index (check->plan->weights, ClipWeightRef, id);
}

static gboolean
fail (const Check *check, const gchar *what)
{
  g_set_error (check->error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
      "the operation that makes tensor %s: %s",
      tensor (check, check->op->out)->name, what);
  return FALSE;
}

/* `rows` or `columns` 0: any. */
static gboolean
check_weight (const Check *check, ClipWeightId id, ClipRole role, gsize rows,
    gsize columns)
{
  const ClipWeightRef *weight;

  if (id == CLIP_NONE)
    return fail (check, "a weight is missing");
  weight = weight_ref (check, id);
  if (weight->role == role && (rows == 0 || weight->rows == rows)
      && (columns == 0 || weight->columns == columns))
    return TRUE;
  g_set_error (check->error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
      "the operation that makes tensor %s: weight %s is [%zu x %zu] in role "
      "%d, expected [%zu x %zu] in role %d",
      tensor (check, check->op->out)->name, weight->name, weight->rows,
      weight->columns, weight->role, rows, columns, role);
  return FALSE;
}

static gboolean
check_vector (const Check *check, ClipWeightId id, gsize columns)
{
  return id == CLIP_NONE
      || check_weight (check, id, CLIP_ROLE_VECTOR, 1, columns);
}

static gboolean
same_shape (const ClipTensor *a, const ClipTensor *b)
{
  return a->rows == b->rows && a->columns == b->columns;
}

static gboolean
check_gemm (const Check *check)
{
  const ClipTensor *a = tensor (check, check->op->a);
  const ClipTensor *b = tensor (check, check->op->b);
  const ClipTensor *out = tensor (check, check->op->out);

  if (a->rows != out->rows || (b && !same_shape (b, out)))
    return fail (check, "input, residual and output differ in shape");
  if (a == out)
    return fail (check, "the output is its own input");
  return check_weight (check, check->op->weight, CLIP_ROLE_MATRIX, out->columns,
             a->columns)
      && check_vector (check, check->op->bias, out->columns);
}

static gboolean
check_layer_norm (const Check *check)
{
  const ClipTensor *a = tensor (check, check->op->a);

  if (!same_shape (a, tensor (check, check->op->out)))
    return fail (check, "input and output differ in shape");
  return check_weight (check, check->op->weight, CLIP_ROLE_VECTOR, 1,
             a->columns)
      && check_weight (check, check->op->bias, CLIP_ROLE_VECTOR, 1, a->columns);
}

static gboolean
check_attention (const Check *check)
{
  const ClipOp *op = check->op;
  const ClipTensor *q = tensor (check, op->a), *kv = tensor (check, op->b);
  const ClipTensor *out = tensor (check, op->out);
  const gsize width = (gsize) op->heads * op->head_dim;

  if (!kv || width == 0 || out->columns != width || out->rows != q->rows)
    return fail (check, "heads and output differ in shape");
  if (op->q_column + width > q->columns || op->k_column + width > kv->columns
      || op->v_column + width > kv->columns)
    return fail (check, "a head lies outside of its tensor");
  if (op->mask == CLIP_MASK_CAUSAL
      && (op->positions != CLIP_NONE ? q->rows != 1 : q->rows > kv->rows))
    return fail (check, "queries and keys do not fit the causal mask");
  return TRUE;
}

static gboolean
check_embed (const Check *check)
{
  const ClipOp *op = check->op;
  const ClipTensor *a = tensor (check, op->a), *out = tensor (check, op->out);

  if (a->dtype != CLIP_DTYPE_I32 || a->columns != 1 || a->rows != out->rows)
    return fail (check, "ids and output differ in shape");
  if (!check_weight (check, op->weight, CLIP_ROLE_TABLE, 0, out->columns))
    return FALSE;
  if (op->bias == CLIP_NONE)
    return TRUE;
  if (weight_ref (check, op->bias)->rows < out->rows)
    return fail (check, "fewer positions than tokens");
  return check_weight (check, op->bias, CLIP_ROLE_VECTOR, 0, out->columns);
}

static gboolean
check_prepend (const Check *check)
{
  const ClipOp *op = check->op;
  const ClipTensor *a = tensor (check, op->a), *out = tensor (check, op->out);

  if (out->rows != a->rows + 1 || out->columns != a->columns)
    return fail (check, "the output is not one row longer than the input");
  return check_weight (check, op->weight, CLIP_ROLE_VECTOR, 1, out->columns)
      && (op->bias == CLIP_NONE
          || check_weight (check, op->bias, CLIP_ROLE_VECTOR, out->rows,
              out->columns));
}

/* One axis: every output has at least one tap inside the input. */
static gboolean
axis_fits (gsize size, gsize out, gsize kernel, gsize stride, gsize pad)
{
  return size > 0 && out > 0 && stride > 0 && pad < kernel
      && (out - 1) * stride < size + pad;
}

static gboolean
check_conv (const Check *check)
{
  const ClipOp *op = check->op;
  const ClipTensor *a = tensor (check, op->a), *out = tensor (check, op->out);
  const gsize taps = (gsize) op->kernel * op->kernel;

  if (a->rows != (gsize) op->height * op->width
      || out->rows != (gsize) op->out_height * op->out_width
      || !axis_fits (op->height, op->out_height, op->kernel, op->stride,
          op->pad_top)
      || !axis_fits (op->width, op->out_width, op->kernel, op->stride,
          op->pad_left))
    return fail (check, "the geometry of the convolution does not fit");
  if (!check_vector (check, op->bias, out->columns))
    return FALSE;
  if (op->groups == 1)
    return check_weight (check, op->weight, CLIP_ROLE_CONV_FULL, out->columns,
        taps * a->columns);
  if (op->groups != a->columns || a->columns != out->columns)
    return fail (check, "a grouped convolution is neither depthwise nor full");
  return check_weight (check, op->weight, CLIP_ROLE_CONV, out->columns, taps);
}

static gboolean
check_op (const Check *check)
{
  const ClipOp *op = check->op;
  const ClipTensor *a = tensor (check, op->a), *out = tensor (check, op->out);
  const ClipTensor *positions = tensor (check, op->positions);

  if (!a)
    return fail (check, "no input");
  if (a->columns == 0 || a->rows == 0)
    return fail (check, "an empty input");
  if (out->dtype != CLIP_DTYPE_F32
      || (a->dtype != CLIP_DTYPE_F32 && op->kind != CLIP_OP_EMBED))
    return fail (check, "a tensor of the wrong type");
  if (positions
      && (positions->dtype != CLIP_DTYPE_I32 || positions->rows != 1
          || positions->columns != 1))
    return fail (check, "positions are not one integer an item");
  switch (op->kind) {
    case CLIP_OP_GEMM:
      return check_gemm (check);
    case CLIP_OP_LAYER_NORM:
      return check_layer_norm (check);
    case CLIP_OP_ATTENTION:
      return check_attention (check);
    case CLIP_OP_EMBED:
      return check_embed (check);
    case CLIP_OP_PREPEND:
      return check_prepend (check);
    case CLIP_OP_CONV:
      return check_conv (check);
    case CLIP_OP_MEAN_POOL:
    case CLIP_OP_GATHER:
      return (out->rows == 1 && out->columns == a->columns)
          || fail (check, "the output is not one row of the input");
    case CLIP_OP_NORMALISE:
      return same_shape (a, out)
          || fail (check, "input and output differ in shape");
  }
  return fail (check, "an operation that nobody knows");
}

gboolean
clip_plan_check (const ClipPlan *plan, GError **error)
{
  for (guint i = 0; i < plan->ops->len; i++) {
    const Check check = { plan, &g_array_index (plan->ops, ClipOp, i), error };

    if (!check_op (&check))
      return FALSE;
  }
  return TRUE;
}
