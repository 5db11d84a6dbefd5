/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CLIP's Vision Transformer and text transformer (Radford et al. 2021,
 * sections 2.4 and 3.1; Dosovitskiy et al. 2020 for the patches).
 */
#include "engine/tower/blocks.h"
#include "engine/tower/transformer.h"

ClipPlan *
clip_tower_vit (const ClipModelSpec *spec, guint max_batch, gboolean guarded)
{
  const ClipTransformerSpec *image = &spec->image;
  const guint side = spec->image_size / spec->patch;
  const guint patches = side * side;
  ClipPlan *plan = clip_plan_new (max_batch);
  ClipTensorId x = clip_plan_input (plan, "image.patch_rows", CLIP_DTYPE_F32,
      patches, 3 * (gsize) spec->patch * spec->patch);
  ClipOp op = CLIP_OP (CLIP_OP_PREPEND);

  op.a = clip_block_linear (plan, x, image->width, FALSE, CLIP_ACT_NONE,
      "image.patch");
  op.weight =
      clip_plan_weight (plan, CLIP_ROLE_VECTOR, 1, image->width, "image.class");
  op.bias = clip_plan_weight (plan, CLIP_ROLE_VECTOR, 1 + patches, image->width,
      "image.position");
  op.out = clip_plan_tensor (plan, 1 + patches, image->width, "image.tokens");
  clip_plan_add (plan, &op);

  x = clip_block_norm (plan, op.out, image->epsilon, "image.pre_norm");
  x = clip_block_transformer (plan, image, "image", CLIP_MASK_NONE, x,
      CLIP_NONE);
  x = clip_block_norm (plan, x, image->epsilon, "image.post_norm");
  clip_block_project (plan, x, spec->embed_dim, FALSE, "image");
  clip_plan_finish (plan, guarded);
  return plan;
}

ClipPlan *
clip_tower_text (const ClipModelSpec *spec, guint max_batch, guint tokens,
    gboolean guarded)
{
  const ClipTransformerSpec *text = &spec->text;
  ClipPlan *plan = clip_plan_new (max_batch);
  const ClipTensorId ids =
      clip_plan_input (plan, "text.ids", CLIP_DTYPE_I32, tokens, 1);
  const ClipTensorId end =
      clip_plan_input (plan, "text.end", CLIP_DTYPE_I32, 1, 1);
  ClipOp op = CLIP_OP (CLIP_OP_EMBED);
  ClipTensorId x;

  op.a = ids;
  op.weight = clip_plan_weight (plan, CLIP_ROLE_TABLE, spec->vocab, text->width,
      "text.token");
  op.bias = clip_plan_weight (plan, CLIP_ROLE_VECTOR, spec->context,
      text->width, "text.position");
  op.out = clip_plan_tensor (plan, tokens, text->width, "text.tokens");
  clip_plan_add (plan, &op);

  x = clip_block_transformer (plan, text, "text", CLIP_MASK_CAUSAL, op.out,
      end);
  x = clip_block_norm (plan, x, text->epsilon, "text.post_norm");
  clip_block_project (plan, x, spec->embed_dim, FALSE, "text");
  clip_plan_finish (plan, guarded);
  return plan;
}
