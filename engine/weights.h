/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Prepared weights of a model, in one backend's layout: read from the files
 * once, shared by every encoder of that model, freed with the model.
 */
#pragma once

#include "engine/model/model.h"
#include "engine/plan/backend.h"

/* Looks up, or reads, checks and prepares, each weight the plan names, into a
 * new array in the plan's order. Free the array with g_free (); the weights
 * belong to the model. Any thread. */
ClipWeight **clip_weights_prepare (ClipModel *model, ClipBackend *backend,
    const ClipPlan *plan, GError **error);
