/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every operation of a plan, in double precision and as plainly as its
 * contract in engine/plan/plan.h is written.
 */
#pragma once

#include "engine/plan/plan.h"

/* What an operation reads, over the whole batch; f32 or I32 as its contract
 * says. Weights as a model's files have them. */
typedef struct {
  const ClipOp *op;
  const ClipTensor *a_shape, *b_shape, *out_shape;
  gsize batch;
  const gfloat *a, *b;
  const gint32 *ids, *positions;
  const ClipHostTensor *weight, *bias;
} ReferenceOp;

/* out and slack [batch * rows x columns]: the answer, and how far from it a
 * float may be at an element. */
void reference_run (const ReferenceOp *op, gdouble *out, gdouble *slack);

gdouble reference_element (const ClipHostTensor *tensor, gsize i);
guint16 reference_to_f16 (gfloat x);
