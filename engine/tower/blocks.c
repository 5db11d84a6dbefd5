/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/tower/blocks.h"

static gsize
tensor_rows (ClipPlan *plan, ClipTensorId id)
{
  return clip_plan_get_tensor (plan, id)->rows;
}

static gsize
tensor_columns (ClipPlan *plan, ClipTensorId id)
{
  return clip_plan_get_tensor (plan, id)->columns;
}

ClipTensorId
clip_block_norm (ClipPlan *plan, ClipTensorId x, gfloat epsilon,
    const gchar *name)
{
  const gsize width = tensor_columns (plan, x);
  ClipOp op = CLIP_OP (CLIP_OP_LAYER_NORM);

  op.a = x;
  op.out = clip_plan_tensor (plan, tensor_rows (plan, x), width, "%s", name);
  op.weight =
      clip_plan_weight (plan, CLIP_ROLE_VECTOR, 1, width, "%s.weight", name);
  op.bias =
      clip_plan_weight (plan, CLIP_ROLE_VECTOR, 1, width, "%s.bias", name);
  op.epsilon = epsilon;
  clip_plan_add (plan, &op);
  return op.out;
}

static ClipOp
linear_op (ClipPlan *plan, ClipTensorId x, gsize out, gboolean has_bias,
    const gchar *name)
{
  ClipOp op = CLIP_OP (CLIP_OP_GEMM);

  op.a = x;
  op.weight = clip_plan_weight (plan, CLIP_ROLE_MATRIX, out,
      tensor_columns (plan, x), "%s.weight", name);
  if (has_bias)
    op.bias =
        clip_plan_weight (plan, CLIP_ROLE_VECTOR, 1, out, "%s.bias", name);
  return op;
}

ClipTensorId
clip_block_linear (ClipPlan *plan, ClipTensorId x, gsize out, gboolean has_bias,
    ClipActivation act, const gchar *name)
{
  ClipOp op = linear_op (plan, x, out, has_bias, name);

  op.act = act;
  op.out = clip_plan_tensor (plan, tensor_rows (plan, x), out, "%s", name);
  clip_plan_add (plan, &op);
  return op.out;
}

/* residual += x W^T + bias */
static void
linear_into (ClipPlan *plan, ClipTensorId x, ClipTensorId residual,
    const gchar *name)
{
  ClipOp op = linear_op (plan, x, tensor_columns (plan, residual), TRUE, name);

  op.b = residual;
  op.out = residual;
  clip_plan_add (plan, &op);
}

static ClipTensorId
gather (ClipPlan *plan, ClipTensorId x, ClipTensorId positions,
    const gchar *prefix, const gchar *what)
{
  ClipOp op = CLIP_OP (CLIP_OP_GATHER);

  op.a = x;
  op.positions = positions;
  op.out = clip_plan_tensor (plan, 1, tensor_columns (plan, x), "%s.%s", prefix,
      what);
  clip_plan_add (plan, &op);
  return op.out;
}

typedef struct {
  const ClipTransformerSpec *spec;
  const gchar *block; /* "image.blocks.3" */
  ClipMask mask;
} Block;

static ClipTensorId
attend (ClipPlan *plan, const Block *block, ClipTensorId q, ClipTensorId kv,
    guint k_column, ClipTensorId positions)
{
  const guint width = block->spec->width;
  ClipOp op = CLIP_OP (CLIP_OP_ATTENTION);

  op.a = q;
  op.b = kv;
  op.k_column = k_column;
  op.v_column = k_column + width;
  op.heads = block->spec->heads;
  op.head_dim = width / op.heads;
  op.mask = block->mask;
  op.positions = positions;
  op.out = clip_plan_tensor (plan, tensor_rows (plan, q), width, "%s.attention",
      block->block);
  clip_plan_add (plan, &op);
  return op.out;
}

static void
mlp_into (ClipPlan *plan, const Block *block, ClipTensorId x)
{
  g_autofree gchar *norm2 = g_strconcat (block->block, ".norm2", NULL);
  g_autofree gchar *fc1 = g_strconcat (block->block, ".fc1", NULL);
  g_autofree gchar *fc2 = g_strconcat (block->block, ".fc2", NULL);
  const ClipTensorId normed =
      clip_block_norm (plan, x, block->spec->epsilon, norm2);
  const ClipTensorId hidden = clip_block_linear (plan, normed, block->spec->mlp,
      TRUE, block->spec->act, fc1);

  linear_into (plan, hidden, x, fc2);
}

ClipTensorId
clip_block_transformer (ClipPlan *plan, const ClipTransformerSpec *spec,
    const gchar *prefix, ClipMask mask, ClipTensorId x, ClipTensorId pooled)
{
  if (spec->layers == 0)
    return gather (plan, x, pooled, prefix, "pooled");
  for (guint i = 0; i < spec->layers; i++) {
    const gboolean last = i + 1 == spec->layers;
    g_autofree gchar *name = g_strdup_printf ("%s.blocks.%u", prefix, i);
    g_autofree gchar *norm1 = g_strconcat (name, ".norm1", NULL);
    g_autofree gchar *qkv = g_strconcat (name, ".qkv", NULL);
    g_autofree gchar *out = g_strconcat (name, ".out", NULL);
    const Block block = { spec, name, mask };
    const ClipTensorId normed = clip_block_norm (plan, x, spec->epsilon, norm1);
    const ClipTensorId fused = clip_block_linear (plan, normed,
        3 * (gsize) spec->width, TRUE, CLIP_ACT_NONE, qkv);
    ClipTensorId q = fused, positions = CLIP_NONE;

    if (last) {
      q = gather (plan, fused, pooled, prefix, "pooled_query");
      x = gather (plan, x, pooled, prefix, "pooled");
      positions = pooled;
    }
    linear_into (plan, attend (plan, &block, q, fused, spec->width, positions),
        x, out);
    mlp_into (plan, &block, x);
  }
  return x;
}

void
clip_block_project (ClipPlan *plan, ClipTensorId x, guint embed_dim,
    gboolean has_bias, const gchar *prefix)
{
  g_autofree gchar *name = g_strconcat (prefix, ".projection", NULL);
  ClipOp op = CLIP_OP (CLIP_OP_NORMALISE);

  op.a = clip_block_linear (plan, x, embed_dim, has_bias, CLIP_ACT_NONE, name);
  op.out = clip_plan_tensor (plan, 1, embed_dim, "%s.embedding", prefix);
  clip_plan_output (plan, op.out);
  clip_plan_add (plan, &op);
}
