/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operations of a plan as dispatches: which kernel, specialised how, on what.
 */
#include <math.h>
#include <string.h>

#include "engine/vulkan/record.h"

/* Threads of a workgroup where a kernel does not say more: every device has
 * them. */
#define THREADS 128

/* An operation with what its ids stand for. */
typedef struct {
  ClipVulkanRecorder *recorder;
  const ClipProgram *program;
  const ClipOp *op;
  const ClipTensor *a, *b, *out;
  const ClipWeight *weight, *bias;
  guint batch;
} Op;

static ClipVulkanAccess
tensor (const Op *op, ClipTensorId id, gboolean write)
{
  return (ClipVulkanAccess){
    clip_vulkan_tensor_range (op->program, id, op->batch), write
  };
}

static ClipVulkanAccess
part_of (const ClipWeight *weight, guint part)
{
  const ClipVulkanPart *p = &weight->parts[part];

  return (ClipVulkanAccess){ { p->buffer, p->offset, p->size }, FALSE };
}

/* A weight that may be missing: then the kernel does not look, but something
 * must be bound. */
static ClipVulkanAccess
part_or (const ClipWeight *weight, ClipVulkanAccess otherwise)
{
  otherwise.write = FALSE;
  return weight ? part_of (weight, 0) : otherwise;
}

static gboolean
is_half (const Op *op, ClipTensorId id)
{
  return op->program->half[id];
}

static guint
whole_rows (const Op *op, const ClipTensor *of)
{
  return op->batch * (guint) of->rows;
}

static guint
count (guint n, guint each)
{
  return (n + each - 1) / each;
}

/* A dispatch whose last n_bindings'th buffer is the output. */
static ClipVulkanDispatch
begin (const Op *op, ClipVulkanKernel kernel, guint n_bindings,
    gboolean may_be_half)
{
  ClipVulkanDispatch dispatch;

  memset (&dispatch, 0, sizeof dispatch);
  dispatch.key.kernel = kernel;
  dispatch.key.n_bindings = n_bindings;
  dispatch.key.constants[CLIP_VULKAN_THREADS] = THREADS;
  dispatch.key.constants[CLIP_VULKAN_A_HALF] = is_half (op, op->op->a);
  dispatch.bindings[n_bindings - 1] = tensor (op, op->op->out, TRUE);
  if (may_be_half && is_half (op, op->op->out)) {
    dispatch.key.half = TRUE;
    dispatch.key.constants[CLIP_VULKAN_OUT_HALF] = TRUE;
    dispatch.bindings[n_bindings] =
        (ClipVulkanAccess){ { op->program->memory.buffer, 0, 4 }, TRUE };
    dispatch.key.n_bindings++;
  }
  dispatch.groups[0] = dispatch.groups[1] = dispatch.groups[2] = 1;
  return dispatch;
}

static void
push (ClipVulkanDispatch *dispatch, guint32 word)
{
  g_assert (dispatch->n_push < CLIP_VULKAN_MAX_PUSH);
  dispatch->push[dispatch->n_push++] = word;
}

static void
push_float (ClipVulkanDispatch *dispatch, gfloat x)
{
  guint32 word;

  memcpy (&word, &x, sizeof word);
  push (dispatch, word);
}

/* n workgroups, in a line that is folded where it is long. */
static gboolean
dispatch_flat (const Op *op, ClipVulkanDispatch *dispatch, gsize n)
{
  const gsize line = 32768;

  dispatch->groups[0] = (guint) MIN (n, line);
  dispatch->groups[1] = (guint) ((n + line - 1) / line);
  return clip_vulkan_recorder_dispatch (op->recorder, dispatch);
}

/* A thread for each of n. */
static gboolean
dispatch_threads (const Op *op, ClipVulkanDispatch *dispatch, gsize n)
{
  return dispatch_flat (op, dispatch, (n + THREADS - 1) / THREADS);
}

/* --------------------------------------------------------------------- gemm */

static void
specialise_gemm (const Op *op, ClipVulkanDispatch *dispatch,
    const ClipVulkanTile *tile)
{
  guint32 *constants = dispatch->key.constants;

  constants[CLIP_VULKAN_THREADS] = clip_vulkan_tile_threads (tile);
  constants[CLIP_VULKAN_B_HALF] = op->weight->dtype == CLIP_DTYPE_F16;
  constants[CLIP_VULKAN_OWN] = tile->tile_m;
  constants[CLIP_VULKAN_OWN + 1] = tile->tile_n;
  constants[CLIP_VULKAN_OWN + 2] = tile->tile_k;
  constants[CLIP_VULKAN_OWN + 3] = tile->rows;
  constants[CLIP_VULKAN_OWN + 4] = tile->columns;
  constants[CLIP_VULKAN_OWN + 5] = op->a->columns % 4 == 0;
  constants[CLIP_VULKAN_ACT] = op->op->act;
  constants[CLIP_VULKAN_BIAS] = op->bias != NULL;
  constants[CLIP_VULKAN_RESIDUAL] = op->op->b != CLIP_NONE;
  constants[CLIP_VULKAN_OUT_QUADS] = op->out->columns % 4 == 0;
}

static gboolean
record_gemm_part (const Op *op, guint i)
{
  const ClipVulkanPart *part = &op->weight->parts[i];
  const guint m = whole_rows (op, op->out);
  const ClipVulkanTile *tile = op->program->backend->tile;
  ClipVulkanDispatch dispatch = begin (op, CLIP_VULKAN_GEMM, 4, TRUE);

  if (!tile)
    tile = clip_vulkan_tile_choose (&op->program->device->caps, m, part->n);
  specialise_gemm (op, &dispatch, tile);
  dispatch.bindings[0] = tensor (op, op->op->a, FALSE);
  dispatch.bindings[1] = part_of (op->weight, i);
  dispatch.bindings[2] = part_or (op->bias, dispatch.bindings[1]);
  push (&dispatch, m);
  push (&dispatch, part->n);
  push (&dispatch, (guint) op->a->columns);
  push (&dispatch,
      count (part->n, CLIP_VULKAN_PAD_COLUMNS) * CLIP_VULKAN_PAD_COLUMNS);
  push (&dispatch, (guint) op->out->columns);
  push (&dispatch, part->first);
  dispatch.groups[0] = count (part->n, tile->tile_n);
  dispatch.groups[1] = count (m, tile->tile_m);
  return clip_vulkan_recorder_dispatch (op->recorder, &dispatch);
}

/* The kernel adds to what lies in the output already. */
static gboolean
record_gemm (const Op *op)
{
  if (op->b && op->op->b != op->op->out)
    clip_vulkan_recorder_copy (op->recorder,
        tensor (op, op->op->b, FALSE).range,
        tensor (op, op->op->out, TRUE).range);
  for (guint i = 0; i < op->weight->n_parts; i++)
    if (!record_gemm_part (op, i))
      return FALSE;
  return TRUE;
}

/* ---------------------------------------------------------------- attention */

/* Queries and keys of a block, so that both and their scores fit into shared
 * memory whatever the head's size: see shaders/attention.comp. */
static gboolean
choose_block (const ClipVulkanCaps *caps, guint head_dim, guint n_queries,
    guint n_keys, guint *queries, guint *keys)
{
  static const guint8 blocks[][2] = { { 16, 64 }, { 16, 32 }, { 8, 32 },
    { 8, 16 }, { 4, 8 }, { 2, 2 }, { 1, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++) {
    const gsize q = MIN (blocks[i][0], n_queries);
    const gsize k = MIN (blocks[i][1], n_keys);
    const gsize floats = (q + k) * (head_dim | 1) + q * k + 3 * q;

    if (floats * sizeof (gfloat) > caps->max_shared)
      continue;
    *queries = (guint) q;
    *keys = (guint) k;
    return TRUE;
  }
  return FALSE;
}

static gboolean
record_attention (const Op *op)
{
  const ClipOp *o = op->op;
  const guint n_queries = (guint) op->a->rows, n_keys = (guint) op->b->rows;
  ClipVulkanDispatch dispatch = begin (op, CLIP_VULKAN_ATTENTION, 4, TRUE);
  guint32 *own = &dispatch.key.constants[CLIP_VULKAN_OWN];
  guint queries, keys;

  if (!choose_block (&op->program->device->caps, o->head_dim, n_queries, n_keys,
          &queries, &keys)) {
    g_set_error (op->recorder->error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
        "attention heads of %u elements do not fit the shared memory of the "
        "Vulkan device %s",
        o->head_dim, op->program->device->caps.name);
    return FALSE;
  }
  dispatch.key.constants[CLIP_VULKAN_B_HALF] = is_half (op, o->b);
  own[0] = queries;
  own[1] = keys;
  own[2] = o->head_dim;
  own[3] = o->mask == CLIP_MASK_CAUSAL;
  own[4] = o->positions != CLIP_NONE;
  own[5] = ((o->head_dim | o->q_column | o->k_column | o->v_column
                | op->a->columns | op->b->columns)
               & 1)
      == 0;
  dispatch.bindings[0] = tensor (op, o->a, FALSE);
  dispatch.bindings[1] = tensor (op, o->b, FALSE);
  dispatch.bindings[2] = o->positions == CLIP_NONE
      ? dispatch.bindings[0]
      : tensor (op, o->positions, FALSE);
  push (&dispatch, n_queries);
  push (&dispatch, n_keys);
  push (&dispatch, (guint) op->a->columns);
  push (&dispatch, (guint) op->b->columns);
  push (&dispatch, (guint) op->out->columns);
  push (&dispatch, o->q_column);
  push (&dispatch, o->k_column);
  push (&dispatch, o->v_column);
  push_float (&dispatch, 1.f / sqrtf ((gfloat) o->head_dim));
  dispatch.groups[0] = count (n_queries, queries);
  dispatch.groups[1] = o->heads;
  dispatch.groups[2] = op->batch;
  return clip_vulkan_recorder_dispatch (op->recorder, &dispatch);
}

/* -------------------------------------------------------------- convolution */

static gboolean
record_conv (const Op *op)
{
  const ClipOp *o = op->op;
  const gboolean full = o->groups == 1;
  const guint channels = (guint) op->out->columns;
  ClipVulkanDispatch dispatch = begin (op,
      full ? CLIP_VULKAN_CONV_FULL : CLIP_VULKAN_CONV_DEPTHWISE, 4, TRUE);
  guint32 *constants = dispatch.key.constants;

  constants[CLIP_VULKAN_OWN] = o->kernel;
  constants[CLIP_VULKAN_OWN + 1] = o->stride;
  constants[CLIP_VULKAN_OWN + 2] = op->a->columns % 2 == 0;
  constants[CLIP_VULKAN_ACT] = o->act;
  constants[CLIP_VULKAN_BIAS] = op->bias != NULL;
  dispatch.bindings[0] = tensor (op, o->a, FALSE);
  dispatch.bindings[1] = part_of (op->weight, 0);
  dispatch.bindings[2] = part_or (op->bias, dispatch.bindings[1]);
  push (&dispatch, op->batch);
  push (&dispatch, o->height);
  push (&dispatch, o->width);
  push (&dispatch, (guint) op->a->columns);
  push (&dispatch, o->out_height);
  push (&dispatch, o->out_width);
  push (&dispatch, channels);
  push (&dispatch, o->pad_top);
  push (&dispatch, o->pad_left);
  push (&dispatch, op->weight->stride);
  return dispatch_threads (op, &dispatch,
      (gsize) whole_rows (op, op->out) * count (channels, 2));
}

/* ------------------------------------------------------------------ the rest */

static gboolean
record_layer_norm (const Op *op)
{
  const guint rows = whole_rows (op, op->a);
  ClipVulkanDispatch dispatch = begin (op, CLIP_VULKAN_LAYER_NORM, 4, TRUE);

  dispatch.bindings[0] = tensor (op, op->op->a, FALSE);
  dispatch.bindings[1] = part_of (op->weight, 0);
  dispatch.bindings[2] = part_of (op->bias, 0);
  push (&dispatch, rows);
  push (&dispatch, (guint) op->a->columns);
  push_float (&dispatch, op->op->epsilon);
  return dispatch_flat (op, &dispatch, rows);
}

static gboolean
record_embed (const Op *op)
{
  const guint rows = whole_rows (op, op->out);

  for (guint i = 0; i < op->weight->n_parts; i++) {
    ClipVulkanDispatch dispatch = begin (op, CLIP_VULKAN_EMBED, 4, FALSE);

    dispatch.key.constants[CLIP_VULKAN_OWN] = op->weight->dtype;
    dispatch.key.constants[CLIP_VULKAN_BIAS] = op->bias != NULL;
    dispatch.bindings[0] = tensor (op, op->op->a, FALSE);
    dispatch.bindings[1] = part_of (op->weight, i);
    dispatch.bindings[2] = part_or (op->bias, dispatch.bindings[1]);
    push (&dispatch, rows);
    push (&dispatch, (guint) op->out->columns);
    push (&dispatch, (guint) op->out->rows);
    push (&dispatch, op->weight->parts[i].first);
    push (&dispatch, op->weight->parts[i].n);
    if (!dispatch_threads (op, &dispatch, (gsize) rows * op->out->columns))
      return FALSE;
  }
  return TRUE;
}

static gboolean
record_prepend (const Op *op)
{
  ClipVulkanDispatch dispatch = begin (op, CLIP_VULKAN_PREPEND, 4, FALSE);

  dispatch.key.constants[CLIP_VULKAN_BIAS] = op->bias != NULL;
  dispatch.bindings[0] = tensor (op, op->op->a, FALSE);
  dispatch.bindings[1] = part_of (op->weight, 0);
  dispatch.bindings[2] = part_or (op->bias, dispatch.bindings[1]);
  push (&dispatch, op->batch);
  push (&dispatch, (guint) op->out->rows);
  push (&dispatch, (guint) op->out->columns);
  return dispatch_threads (op, &dispatch,
      (gsize) whole_rows (op, op->out) * op->out->columns);
}

static gboolean
record_mean_pool (const Op *op)
{
  ClipVulkanDispatch dispatch = begin (op, CLIP_VULKAN_MEAN_POOL, 2, FALSE);

  dispatch.bindings[0] = tensor (op, op->op->a, FALSE);
  push (&dispatch, op->batch);
  push (&dispatch, (guint) op->a->rows);
  push (&dispatch, (guint) op->a->columns);
  return dispatch_threads (op, &dispatch, op->batch * op->a->columns);
}

static gboolean
record_gather (const Op *op)
{
  const ClipTensorId positions = op->op->positions;
  ClipVulkanDispatch dispatch = begin (op, CLIP_VULKAN_GATHER, 3, TRUE);

  dispatch.key.constants[CLIP_VULKAN_OWN] = positions != CLIP_NONE;
  dispatch.bindings[0] = tensor (op, op->op->a, FALSE);
  dispatch.bindings[1] = positions == CLIP_NONE ? dispatch.bindings[0]
                                                : tensor (op, positions, FALSE);
  push (&dispatch, op->batch);
  push (&dispatch, (guint) op->a->rows);
  push (&dispatch, (guint) op->a->columns);
  return dispatch_threads (op, &dispatch,
      (gsize) op->batch * count ((guint) op->a->columns, 2));
}

static gboolean
record_normalise (const Op *op)
{
  const guint rows = whole_rows (op, op->a);
  ClipVulkanDispatch dispatch = begin (op, CLIP_VULKAN_NORMALISE, 2, FALSE);

  dispatch.bindings[0] = tensor (op, op->op->a, FALSE);
  push (&dispatch, rows);
  push (&dispatch, (guint) op->a->columns);
  return dispatch_flat (op, &dispatch, rows);
}

gboolean
clip_vulkan_record_op (ClipVulkanRecorder *recorder, const ClipOp *clip_op)
{
  const ClipProgram *program = recorder->program;
  const ClipPlan *plan = program->plan;
  Op op = { .recorder = recorder,
    .program = program,
    .op = clip_op,
    .a = clip_plan_get_tensor (plan, clip_op->a),
    .out = clip_plan_get_tensor (plan, clip_op->out),
    .batch = recorder->batch };

  if (clip_op->b != CLIP_NONE)
    op.b = clip_plan_get_tensor (plan, clip_op->b);
  if (clip_op->weight != CLIP_NONE)
    op.weight = program->weights[clip_op->weight];
  if (clip_op->bias != CLIP_NONE)
    op.bias = program->weights[clip_op->bias];
  switch (clip_op->kind) {
    case CLIP_OP_GEMM:
      return record_gemm (&op);
    case CLIP_OP_LAYER_NORM:
      return record_layer_norm (&op);
    case CLIP_OP_ATTENTION:
      return record_attention (&op);
    case CLIP_OP_EMBED:
      return record_embed (&op);
    case CLIP_OP_PREPEND:
      return record_prepend (&op);
    case CLIP_OP_CONV:
      return record_conv (&op);
    case CLIP_OP_MEAN_POOL:
      return record_mean_pool (&op);
    case CLIP_OP_GATHER:
      return record_gather (&op);
    case CLIP_OP_NORMALISE:
      return record_normalise (&op);
  }
  g_assert_not_reached ();
}

gdouble
clip_vulkan_count_work (const ClipPlan *plan, const ClipOp *op, guint batch)
{
  const ClipTensor *a = clip_plan_get_tensor (plan, op->a);
  const ClipTensor *out = clip_plan_get_tensor (plan, op->out);
  const gdouble elements = (gdouble) batch * out->rows * out->columns;

  switch (op->kind) {
    case CLIP_OP_GEMM:
      return 2 * elements * a->columns;
    case CLIP_OP_ATTENTION:
      return 4 * elements * clip_plan_get_tensor (plan, op->b)->rows;
    case CLIP_OP_CONV:
      return 2 * elements * op->kernel * op->kernel * a->columns / op->groups;
    default:
      return 4 * elements;
  }
}
