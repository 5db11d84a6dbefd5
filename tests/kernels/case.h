/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One operation with random inputs and weights, and its comparison with the
 * reference on any variant.
 *
 * Where a variant stores 16 bits, the operation lies between two convolutions
 * that change nothing: inputs and outputs of a plan are 32-bit, what lies
 * between is not. Values are then such that a half holds them.
 */
#pragma once

#include "tests/kernels/variants.h"

#define CASE_MAX_WEIGHTS 5

typedef struct {
  ClipPlan *plan;
  ClipOp op;
  guint batch;
  gboolean half;
  ClipHostTensor weights[CASE_MAX_WEIGHTS];
  guint n_weights;
  ClipTensorId a_input, b_input;
  Guarded a, b, positions;
  gboolean into_b; /* the output starts as a copy of b, and is b */
} Case;

Case case_new (const Variant *variant, ClipOpKind kind);
void case_add_a (Case *c, gsize rows, gsize columns);
void case_add_b (Case *c, gsize rows, gsize columns);
void case_add_ids (Case *c, gsize rows, gint end);
void case_add_positions (Case *c, gint end);
ClipWeightId case_add_weight (Case *c, ClipRole role, ClipDType dtype,
    gsize rows, gsize columns);
/* Also records the operation and finishes the plan. */
void case_add_out (Case *c, gsize rows, gsize columns);
/* Runs, compares, and frees the case. Each item is then computed alone and
 * must come out the same to the last bit. */
void case_check (const Variant *variant, Case *c);
