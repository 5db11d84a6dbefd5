/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plan: the operations of a tower, recorded once, run many times.
 *
 * A tower records operations over tensor ids; nothing executes while it does.
 * The planner then places the intermediate tensors in one arena by lifetime,
 * and a backend turns the plan into a program (see backend.h). Whatever
 * changes from run to run, token ids, lengths, pool positions, is data in
 * input tensors; the plan itself is immutable after clip_plan_finish ().
 *
 * A tensor is [batch * rows x columns], dense, row after row: a batch of
 * items is a taller matrix, so a pointwise convolution, a linear layer over
 * tokens and one over images are the same gemm. `rows` counts one item. The
 * plan is made for a largest batch; a backend runs any batch up to it.
 *
 * Weights are named, not held: a plan lists the canonical names it needs
 * (model/model.h) with the role each plays, and the backend prepares them.
 */
#pragma once

#include "engine/types.h"

typedef guint ClipTensorId;
typedef guint ClipWeightId;
#define CLIP_NONE G_MAXUINT

typedef enum {
  CLIP_PLACE_ARENA,
  CLIP_PLACE_INPUT,  /* bound at run time, read only */
  CLIP_PLACE_OUTPUT, /* bound at run time */
} ClipPlace;

typedef struct {
  gchar *name;     /* for dumps: "blocks.3.fc1" */
  ClipDType dtype; /* F32 or I32 */
  ClipPlace place;
  guint slot;          /* inputs and outputs: which pointer */
  gsize rows, columns; /* of one item */
  gsize offset;        /* arena: in bytes, for the largest batch */
  guint first_op, last_op;
} ClipTensor;

typedef enum {
  CLIP_ROLE_MATRIX,    /* [out x in] of a gemm */
  CLIP_ROLE_VECTOR,    /* bias, norm, class token: read element by element */
  CLIP_ROLE_TABLE,     /* rows are gathered by id; keeps the file's type */
  CLIP_ROLE_CONV,      /* [channels x k*k] of a depthwise convolution */
  CLIP_ROLE_CONV_FULL, /* [out x k*k*in] of a full convolution */
} ClipRole;

typedef struct {
  gchar *name;
  ClipRole role;
  gsize rows, columns; /* what the tower expects; a mismatch is an error */
} ClipWeightRef;

typedef enum {
  CLIP_OP_GEMM,
  CLIP_OP_LAYER_NORM,
  CLIP_OP_ATTENTION,
  CLIP_OP_EMBED,
  CLIP_OP_PREPEND,
  CLIP_OP_CONV,
  CLIP_OP_MEAN_POOL,
  CLIP_OP_GATHER,
  CLIP_OP_NORMALISE,
} ClipOpKind;

typedef enum {
  CLIP_MASK_NONE,
  CLIP_MASK_CAUSAL, /* query i, counted from the key's end when Tq < Tk and no
                       positions are given, sees keys 0 .. its own position */
} ClipMask;

/* One operation. Fields that an operation does not name are CLIP_NONE or 0.
 *
 * GEMM       out = act (a * W^T + bias) + b; W `weight` [out.columns x
 *            a.columns], `bias` and the residual `b` optional; out may be b.
 * LAYER_NORM out = (a - mean) / sqrt (variance + epsilon) * weight + bias, per
 *            row. With `positions` NONE.
 * ATTENTION  out [tq x heads*head_dim] = softmax (q k^T / sqrt (head_dim)) v
 *            per item and head; q is a's columns from q_column, k and v are
 *            b's columns from k_column and v_column. With mask CAUSAL, query
 *            row r of an item stands at `positions` [1 x 1 each item, I32]
 *            where given (then tq is 1), else at r + tk - tq.
 * EMBED      out [t x width] = row a[t] (I32 [t x 1]) of the table `weight`
 *            plus row t of `bias` [>= t x width] (the positions).
 * PREPEND    out [1 + n x width]: row 0 is `weight` [1 x width], row 1 + i is
 *            a's row i; plus row of `bias` [1 + n x width] (the positions).
 * CONV       out [h2*w2 x channels] = act (conv (a [h*w x in]) + bias), square
 *            kernel, zero padding; groups == in: depthwise, `weight`
 *            [channels x k*k]; groups == 1: `weight` [channels x k*k*in],
 *            columns (y, x, in).
 * MEAN_POOL  out [1 x columns] = mean over a's rows.
 * GATHER     out [1 x columns] = a's row `positions` (I32 [1 x 1]), or row 0
 *            of each item where `positions` is NONE.
 * NORMALISE  out = a / ||a||_2 per row. */
typedef struct {
  ClipOpKind kind;
  ClipTensorId a, b, out, positions;
  ClipWeightId weight, bias;
  ClipActivation act; /* GEMM, CONV */
  gfloat epsilon;     /* LAYER_NORM */
  ClipMask mask;      /* ATTENTION */
  guint heads, head_dim, q_column, k_column, v_column;
  guint height, width, kernel, stride, groups; /* CONV: of the input */
  guint pad_top, pad_left, out_height, out_width;
} ClipOp;

typedef struct {
  guint max_batch;
  GArray *tensors; /* ClipTensor */
  GArray *weights; /* ClipWeightRef */
  GArray *ops;     /* ClipOp */
  guint n_inputs, n_outputs;
  gsize arena_size; /* bytes, after clip_plan_finish () */
  gboolean guarded;
} ClipPlan;

ClipPlan *clip_plan_new (guint max_batch);
void clip_plan_free (ClipPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipPlan, clip_plan_free)

ClipTensorId clip_plan_input (ClipPlan *plan, const gchar *name,
    ClipDType dtype, gsize rows, gsize columns);
/* Makes a tensor that exists an output instead of an arena tensor. */
void clip_plan_output (ClipPlan *plan, ClipTensorId tensor);
ClipTensorId clip_plan_tensor (ClipPlan *plan, gsize rows, gsize columns,
    const gchar *name_format, ...) G_GNUC_PRINTF (4, 5);
ClipWeightId clip_plan_weight (ClipPlan *plan, ClipRole role, gsize rows,
    gsize columns, const gchar *name_format, ...) G_GNUC_PRINTF (5, 6);
/* Copies the record. */
void clip_plan_add (ClipPlan *plan, const ClipOp *op);
/* A record with every id CLIP_NONE. */
#define CLIP_OP(kind_)                                                         \
  ((ClipOp){ .kind = (kind_),                                                  \
      .a = CLIP_NONE,                                                          \
      .b = CLIP_NONE,                                                          \
      .out = CLIP_NONE,                                                        \
      .positions = CLIP_NONE,                                                  \
      .weight = CLIP_NONE,                                                     \
      .bias = CLIP_NONE })

/* What every device can bind at. */
#define CLIP_PLAN_ALIGN 256
/* Bytes before and after each tensor of a guarded plan. */
#define CLIP_PLAN_GUARD 256

/* Places the arena by lifetime. With `guarded`, no tensor shares memory with
 * another and guard bytes lie between them, for tests that poison. */
void clip_plan_finish (ClipPlan *plan, gboolean guarded);

/* Shapes of every operation against its tensors and the weights that the plan
 * names; an ARGUMENT error names the operation's output. */
gboolean clip_plan_check (const ClipPlan *plan, GError **error);

static inline const ClipTensor *
clip_plan_get_tensor (const ClipPlan *plan, ClipTensorId id)
{
  return &g_array_index (plan->tensors, ClipTensor, id);
}
