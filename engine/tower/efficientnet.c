/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * EfficientNet-Lite (Tan and Le 2019; the Lite variants have ReLU6 and neither
 * squeeze-and-excitation nor swish), as timm's tf_efficientnet_lite* compute
 * it: TensorFlow's "SAME" padding, batch norms folded into the convolutions.
 */
#include "engine/tower/efficientnet.h"

#include "engine/tower/blocks.h"

/* Table 1 of the paper; stage s of the code is the paper's stage s + 2. */
static const struct {
  guint kernel, stride;
} stages[CLIP_EFFICIENTNET_STAGES] = {
  { 3, 1 },
  { 3, 2 },
  { 5, 2 },
  { 3, 2 },
  { 5, 1 },
  { 5, 2 },
  { 3, 1 },
};

/* A feature map [side * side x channels]. */
typedef struct {
  ClipTensorId tensor;
  guint side, channels;
} Map;

/* "SAME" padding: the output has ceil (side / stride) pixels, and of an odd
 * total the larger half lies at the bottom right. */
static Map
convolve (ClipPlan *plan, Map in, guint channels, guint kernel, guint stride,
    guint groups, const gchar *name)
{
  const guint side = (in.side + stride - 1) / stride;
  const guint needed = (side - 1) * stride + kernel;
  const guint pad = needed > in.side ? needed - in.side : 0;
  const gsize columns = (gsize) kernel * kernel * (in.channels / groups);
  ClipOp op = CLIP_OP (CLIP_OP_CONV);

  op.a = in.tensor;
  op.weight = clip_plan_weight (plan,
      groups == 1 ? CLIP_ROLE_CONV_FULL : CLIP_ROLE_CONV, channels, columns,
      "%s.weight", name);
  op.bias =
      clip_plan_weight (plan, CLIP_ROLE_VECTOR, 1, channels, "%s.bias", name);
  op.act = CLIP_ACT_RELU6;
  op.height = op.width = in.side;
  op.out_height = op.out_width = side;
  op.kernel = kernel;
  op.stride = stride;
  op.groups = groups;
  op.pad_top = op.pad_left = pad / 2;
  op.out = clip_plan_tensor (plan, (gsize) side * side, channels, "%s", name);
  clip_plan_add (plan, &op);
  return (Map){ op.out, side, channels };
}

/* Pointwise convolution without activation, plus the block's input where the
 * shape is unchanged. */
static Map
project (ClipPlan *plan, Map in, guint channels, const Map *skip,
    const gchar *name)
{
  ClipOp op = CLIP_OP (CLIP_OP_GEMM);

  op.a = in.tensor;
  op.weight = clip_plan_weight (plan, CLIP_ROLE_MATRIX, channels, in.channels,
      "%s.weight", name);
  op.bias =
      clip_plan_weight (plan, CLIP_ROLE_VECTOR, 1, channels, "%s.bias", name);
  if (skip)
    op.b = skip->tensor;
  op.out =
      clip_plan_tensor (plan, (gsize) in.side * in.side, channels, "%s", name);
  clip_plan_add (plan, &op);
  return (Map){ op.out, in.side, channels };
}

/* Inverted residual (Sandler et al. 2018): expand, depthwise, project. */
static Map
inverted_residual (ClipPlan *plan, const ClipEfficientNetSpec *spec,
    guint stage, guint repeat, Map in)
{
  const guint stride = repeat == 0 ? stages[stage].stride : 1;
  const guint out = spec->channels[stage];
  const gboolean skip = stride == 1 && in.channels == out;
  g_autofree gchar *name =
      g_strdup_printf ("image.blocks.%u.%u", stage, repeat);
  g_autofree gchar *expand = g_strconcat (name, ".expand", NULL);
  g_autofree gchar *depthwise = g_strconcat (name, ".depthwise", NULL);
  g_autofree gchar *pointwise = g_strconcat (name, ".project", NULL);
  Map x = in;

  if (spec->expansion[stage] > 1) {
    x.channels = in.channels * spec->expansion[stage];
    x.tensor = clip_block_linear (plan, in.tensor, x.channels, TRUE,
        CLIP_ACT_RELU6, expand);
  }
  x = convolve (plan, x, x.channels, stages[stage].kernel, stride, x.channels,
      depthwise);
  return project (plan, x, out, skip ? &in : NULL, pointwise);
}

ClipPlan *
clip_tower_efficientnet (const ClipModelSpec *spec, guint max_batch,
    gboolean has_projection_bias, gboolean guarded)
{
  const ClipEfficientNetSpec *net = &spec->efficientnet;
  ClipPlan *plan = clip_plan_new (max_batch);
  Map x = { .side = spec->image_size, .channels = 3 };
  ClipOp pool = CLIP_OP (CLIP_OP_MEAN_POOL);

  x.tensor = clip_plan_input (plan, "image.pixels", CLIP_DTYPE_F32,
      (gsize) x.side * x.side, 3);
  x = convolve (plan, x, net->stem, 3, 2, 1, "image.stem");
  for (guint stage = 0; stage < CLIP_EFFICIENTNET_STAGES; stage++)
    for (guint repeat = 0; repeat < net->repeats[stage]; repeat++)
      x = inverted_residual (plan, net, stage, repeat, x);

  pool.a = clip_block_linear (plan, x.tensor, net->features, TRUE,
      CLIP_ACT_RELU6, "image.head");
  pool.out = clip_plan_tensor (plan, 1, net->features, "image.pool");
  clip_plan_add (plan, &pool);
  clip_block_project (plan, pool.out, spec->embed_dim, has_projection_bias,
      "image");
  clip_plan_finish (plan, guarded);
  return plan;
}
