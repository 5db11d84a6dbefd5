/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The towers, recorded as plans. A tower is a function from a specification
 * to a plan; it knows weight names and shapes, no device and no file.
 */
#pragma once

#include "engine/model/model.h"
#include "engine/plan/plan.h"

/* Input 0: the picture in clip_tower_image_layout (). Output 0: the unit
 * embedding [1 x embed_dim]. */
ClipPlan *clip_tower_image (const ClipModelSpec *spec, guint max_batch,
    gboolean has_projection_bias, gboolean guarded);

/* How the image tower wants its picture. */
ClipLayout clip_tower_image_layout (const ClipModelSpec *spec);

/* Text tower for texts of up to `tokens` tokens: input 0 the ids [tokens x 1]
 * I32 (padded behind the end token with any valid id: the mask is causal, so
 * padding cannot reach the end token), input 1 the end token's position
 * [1 x 1] I32. Output 0: the unit embedding [1 x embed_dim]. */
ClipPlan *clip_tower_text (const ClipModelSpec *spec, guint max_batch,
    guint tokens, gboolean guarded);
