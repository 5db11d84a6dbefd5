/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The pieces that transformer towers are made of.
 */
#pragma once

#include "engine/model/model.h"
#include "engine/plan/plan.h"

/* out = LayerNorm (x) with weights NAME.weight and NAME.bias; the tensor is
 * called NAME too. */
ClipTensorId clip_block_norm (ClipPlan *plan, ClipTensorId x, gfloat epsilon,
    const gchar *name);
/* [rows x out] = act (x W^T + bias), weights NAME.weight, NAME.bias. */
ClipTensorId clip_block_linear (ClipPlan *plan, ClipTensorId x, gsize out,
    gboolean has_bias, ClipActivation act, const gchar *name);

/* Pre-norm residual blocks (Vaswani et al. 2017 with the norm first, as in
 * CLIP, Radford et al. 2021, section 2.4) over x [tokens x width], in place.
 * Only one row of each item is needed afterwards: the last block computes its
 * queries, output and MLP for that row alone, and the result [1 x width] is
 * returned. `pooled`: positions of that row (I32 [1 x 1]), or CLIP_NONE for
 * row 0. `prefix` is "image" or "text". */
ClipTensorId clip_block_transformer (ClipPlan *plan,
    const ClipTransformerSpec *spec, const gchar *prefix, ClipMask mask,
    ClipTensorId x, ClipTensorId pooled);

/* Unit embedding of x [1 x width] as output 0. */
void clip_block_project (ClipPlan *plan, ClipTensorId x, guint embed_dim,
    gboolean has_bias, const gchar *prefix);
