/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operations of a plan: pointers are resolved, the work is cut into turns for
 * the pool, kernels do it.
 */
#include "engine/cpu/context.h"

/* Elements that are worth a turn of the pool for operations that do little
 * with each. */
#define TURN_ELEMENTS 8192

typedef struct {
  const ClipCpuRun *run;
  const ClipKernels *kernels;
  const ClipOp *op;
  const ClipTensor *a_shape, *b_shape, *out_shape;
  const gfloat *a, *b;
  const gint32 *positions;
  gfloat *out;
  const ClipWeight *weight, *bias;
  gsize rows; /* of the output, over the whole batch */
  gsize turns;
} Op;

static const gfloat *
data_of (const ClipWeight *weight)
{
  return weight ? weight->data : NULL;
}

static gfloat *
scratch_of (const Op *op, guint thread)
{
  const ClipProgram *program = op->run->program;

  return program->scratch + thread * program->scratch_size;
}

static void
run_turns (Op *op, gsize turns, ClipPoolFunc func)
{
  op->turns = turns;
  clip_pool_run (op->run->program->backend->pool, turns, func, op);
}

/* Cuts the output's rows. */
static void
run_rows (Op *op, ClipPoolFunc func)
{
  const gsize turns = op->rows * op->out_shape->columns / TURN_ELEMENTS;

  run_turns (op, CLAMP (turns, 1, op->rows), func);
}

static void
run_gemm (const Op *op)
{
  const ClipProgram *program = op->run->program;
  const ClipGemm gemm = {
    .a = op->a,
    .a_stride = op->a_shape->columns,
    .packed = data_of (op->weight),
    .columns = op->out_shape->columns,
    .depth = op->a_shape->columns,
    .packed_depth = op->a_shape->columns,
    .bias = data_of (op->bias),
    .residual = op->b,
    .residual_stride = op->out_shape->columns,
    .out = op->out,
    .out_stride = op->out_shape->columns,
    .act = op->op->act,
  };

  clip_cpu_gemm (program->backend, &gemm, op->run->batch, op->out_shape->rows,
      program->scratch, program->scratch_size);
}

static void
layer_norm_turn (gpointer data, guint turn, guint thread)
{
  const Op *op = data;
  const gsize columns = op->out_shape->columns;
  const gsize row0 = op->rows * turn / op->turns;
  const gsize row1 = op->rows * (turn + 1) / op->turns;

  op->kernels->layer_norm (op->a + row0 * columns, data_of (op->weight),
      data_of (op->bias), op->op->epsilon, op->out + row0 * columns,
      row1 - row0, columns);
}

static void
normalise_turn (gpointer data, guint turn, guint thread)
{
  const Op *op = data;
  const gsize columns = op->out_shape->columns;
  const gsize row0 = op->rows * turn / op->turns;
  const gsize row1 = op->rows * (turn + 1) / op->turns;

  op->kernels->normalise (op->a + row0 * columns, op->out + row0 * columns,
      row1 - row0, columns);
}

static void
attention_turn (gpointer data, guint turn, guint thread)
{
  const Op *op = data;
  const gsize item = turn / op->op->heads, head = turn % op->op->heads;
  const gsize n_queries = op->a_shape->rows, n_keys = op->b_shape->rows;
  const gsize column = head * op->op->head_dim;
  const gfloat *q = op->a + item * n_queries * op->a_shape->columns;
  const gfloat *kv = op->b + item * n_keys * op->b_shape->columns;
  ClipAttention attention = {
    .q = q + op->op->q_column + column,
    .k = kv + op->op->k_column + column,
    .v = kv + op->op->v_column + column,
    .out = op->out + item * n_queries * op->out_shape->columns + column,
    .q_stride = op->a_shape->columns,
    .kv_stride = op->b_shape->columns,
    .out_stride = op->out_shape->columns,
    .n_queries = n_queries,
    .n_keys = n_keys,
    .head_dim = op->op->head_dim,
    .first_visible = n_keys,
  };

  if (op->op->mask == CLIP_MASK_CAUSAL)
    attention.first_visible = op->positions ? (gsize) op->positions[item] + 1
                                            : n_keys - n_queries + 1;
  op->kernels->attention (op->kernels, &attention, scratch_of (op, thread));
}

static void
embed_turn (gpointer data, guint turn, guint thread)
{
  const Op *op = data;
  const gint32 *ids = (const gint32 *) op->a;
  const gsize columns = op->out_shape->columns;
  const gsize size = columns * clip_dtype_size (op->weight->dtype);
  const gsize row1 = op->rows * (turn + 1) / op->turns;

  for (gsize row = op->rows * turn / op->turns; row < row1; row++)
    op->kernels->add_row ((const guint8 *) op->weight->data
            + (gsize) ids[row] * size,
        op->weight->dtype,
        op->bias ? data_of (op->bias) + row % op->out_shape->rows * columns
                 : NULL,
        op->out + row * columns, columns);
}

static void
prepend_turn (gpointer data, guint turn, guint thread)
{
  const Op *op = data;
  const gsize columns = op->out_shape->columns;
  const gsize row1 = op->rows * (turn + 1) / op->turns;

  for (gsize row = op->rows * turn / op->turns; row < row1; row++) {
    const gsize item = row / op->out_shape->rows, i = row % op->out_shape->rows;

    op->kernels->add_row (i == 0
            ? data_of (op->weight)
            : op->a + (item * op->a_shape->rows + i - 1) * columns,
        CLIP_DTYPE_F32, op->bias ? data_of (op->bias) + i * columns : NULL,
        op->out + row * columns, columns);
  }
}

static ClipConv
describe_conv (const ClipOp *op, const ClipTensor *a, const ClipTensor *out)
{
  return (ClipConv){ .height = op->height,
    .width = op->width,
    .in_channels = a->columns,
    .out_height = op->out_height,
    .out_width = op->out_width,
    .channels = out->columns,
    .kernel = op->kernel,
    .stride = op->stride,
    .pad_top = op->pad_top,
    .pad_left = op->pad_left,
    .act = op->act };
}

static void
conv_turn (gpointer data, guint turn, guint thread)
{
  const Op *op = data;
  const gsize parts = op->turns / op->run->batch;
  const gsize item = turn / parts, part = turn % parts;
  ClipConv conv = describe_conv (op->op, op->a_shape, op->out_shape);
  const gsize row0 = conv.out_height * part / parts;
  const gsize row1 = conv.out_height * (part + 1) / parts;

  conv.in = op->a + item * op->a_shape->rows * op->a_shape->columns;
  conv.out = op->out + item * op->out_shape->rows * op->out_shape->columns;
  conv.weight = data_of (op->weight);
  conv.bias = data_of (op->bias);
  if (op->op->groups == 1)
    op->kernels->conv_full (op->kernels, &conv, row0, row1,
        scratch_of (op, thread));
  else
    op->kernels->conv_depthwise (&conv, row0, row1);
}

static void
run_conv (Op *op)
{
  const gsize work = op->out_shape->rows * op->out_shape->columns;
  const gsize parts = CLAMP (work / TURN_ELEMENTS, 1, op->op->out_height);

  run_turns (op, op->run->batch * parts, conv_turn);
}

static void
mean_pool_turn (gpointer data, guint turn, guint thread)
{
  const Op *op = data;
  const gsize columns = op->a_shape->columns;

  op->kernels->mean_pool (op->a + turn * op->a_shape->rows * columns,
      op->a_shape->rows, columns, op->out + turn * columns);
}

static void
run_gather (const Op *op)
{
  const gsize columns = op->a_shape->columns;

  for (gsize item = 0; item < op->run->batch; item++) {
    const gsize row = op->positions ? (gsize) op->positions[item] : 0;

    memcpy (op->out + item * columns,
        op->a + (item * op->a_shape->rows + row) * columns,
        columns * sizeof (gfloat));
  }
}

/* Positions point at rows of the keys, or of what is gathered. */
static gboolean
check_positions (const Op *op, GError **error)
{
  const gsize rows = op->b_shape ? op->b_shape->rows : op->a_shape->rows;

  if (!op->positions)
    return TRUE;
  for (guint i = 0; i < op->run->batch; i++)
    if (op->positions[i] < 0 || (gsize) op->positions[i] >= rows) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
          "tensor %s: position %d of item %u, expected 0 to %zu",
          op->out_shape->name, op->positions[i], i, rows - 1);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_ids (const Op *op, GError **error)
{
  const gint32 *ids = (const gint32 *) op->a;

  for (gsize i = 0; i < op->rows; i++)
    if (ids[i] < 0 || (gsize) ids[i] >= op->weight->rows) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
          "tensor %s: token id %d in row %zu, the table has %zu rows",
          op->out_shape->name, ids[i], i, op->weight->rows);
      return FALSE;
    }
  return TRUE;
}

static Op
resolve (const ClipCpuRun *run, const ClipOp *op)
{
  const ClipProgram *program = run->program;
  const ClipPlan *plan = program->plan;
  Op resolved = {
    .run = run,
    .kernels = program->backend->kernels,
    .op = op,
    .a_shape = clip_plan_get_tensor (plan, op->a),
    .out_shape = clip_plan_get_tensor (plan, op->out),
    .a = clip_cpu_run_tensor (run, op->a),
    .b = clip_cpu_run_tensor (run, op->b),
    .out = clip_cpu_run_tensor (run, op->out),
    .positions = clip_cpu_run_tensor (run, op->positions),
  };

  if (op->b != CLIP_NONE)
    resolved.b_shape = clip_plan_get_tensor (plan, op->b);
  if (op->weight != CLIP_NONE)
    resolved.weight = program->weights[op->weight];
  if (op->bias != CLIP_NONE)
    resolved.bias = program->weights[op->bias];
  resolved.rows = run->batch * resolved.out_shape->rows;
  return resolved;
}

gboolean
clip_cpu_run_op (const ClipCpuRun *run, const ClipOp *clip_op, GError **error)
{
  Op op = resolve (run, clip_op);

  if (!check_positions (&op, error))
    return FALSE;
  switch (clip_op->kind) {
    case CLIP_OP_GEMM:
      run_gemm (&op);
      break;
    case CLIP_OP_LAYER_NORM:
      run_rows (&op, layer_norm_turn);
      break;
    case CLIP_OP_ATTENTION:
      run_turns (&op, (gsize) run->batch * clip_op->heads, attention_turn);
      break;
    case CLIP_OP_EMBED:
      if (!check_ids (&op, error))
        return FALSE;
      run_rows (&op, embed_turn);
      break;
    case CLIP_OP_PREPEND:
      run_rows (&op, prepend_turn);
      break;
    case CLIP_OP_CONV:
      run_conv (&op);
      break;
    case CLIP_OP_MEAN_POOL:
      run_turns (&op, run->batch, mean_pool_turn);
      break;
    case CLIP_OP_GATHER:
      run_gather (&op);
      break;
    case CLIP_OP_NORMALISE:
      run_rows (&op, normalise_turn);
      break;
  }
  return TRUE;
}

gsize
clip_cpu_op_scratch (ClipCpuBackend *backend, const ClipPlan *plan,
    const ClipOp *op)
{
  const ClipKernels *kernels = backend->kernels;
  const ClipTensor *a = clip_plan_get_tensor (plan, op->a);
  ClipConv conv;

  switch (op->kind) {
    case CLIP_OP_GEMM:
      return clip_cpu_gemm_scratch (backend);
    case CLIP_OP_ATTENTION:
      return kernels->attention_scratch (kernels, a->rows,
          clip_plan_get_tensor (plan, op->b)->rows, op->head_dim);
    case CLIP_OP_CONV:
      if (op->groups != 1)
        return 0;
      conv = describe_conv (op, a, clip_plan_get_tensor (plan, op->out));
      return kernels->conv_full_scratch (kernels, &conv);
    default:
      return 0;
  }
}
