/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which tensors are stored in 16 bits. The residual stream is not: rounding it
 * would add up from block to block, and trained models have values in it that
 * a half cannot hold. So are all tensors that it is made of, and what the unit
 * embedding is computed from.
 */
#include "engine/vulkan/program.h"

static void
keep (ClipProgram *program, ClipTensorId id)
{
  if (id != CLIP_NONE)
    program->half[id] = FALSE;
}

static void
keep_operation (ClipProgram *program, const ClipOp *op)
{
  switch (op->kind) {
    case CLIP_OP_GEMM:
      if (op->b == CLIP_NONE)
        break;
      keep (program, op->b);
      keep (program, op->out);
      break;
    case CLIP_OP_EMBED:
    case CLIP_OP_PREPEND:
    case CLIP_OP_NORMALISE:
    case CLIP_OP_MEAN_POOL:
      keep (program, op->a);
      keep (program, op->out);
      break;
    case CLIP_OP_ATTENTION:
      /* A pair of halves would belong to two heads. */
      if (op->head_dim % 2 != 0)
        keep (program, op->out);
      break;
    case CLIP_OP_LAYER_NORM:
    case CLIP_OP_CONV:
    case CLIP_OP_GATHER:
      break;
  }
}

void
clip_vulkan_choose_types (ClipProgram *program)
{
  const ClipPlan *plan = program->plan;

  program->half = g_new0 (gboolean, plan->tensors->len);
  for (guint i = 0; program->backend->half && i < plan->tensors->len; i++) {
    const ClipTensor *tensor = clip_plan_get_tensor (plan, i);

    program->half[i] = tensor->place == CLIP_PLACE_ARENA
        && tensor->dtype == CLIP_DTYPE_F32 && tensor->columns % 2 == 0;
  }
  for (guint i = 0; i < plan->ops->len; i++)
    keep_operation (program, &g_array_index (plan->ops, ClipOp, i));
}
