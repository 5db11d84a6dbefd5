/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/tower/tower.h"

/* The Vision Transformer behind clip_tower_image (). */
ClipPlan *clip_tower_vit (const ClipModelSpec *spec, guint max_batch,
    gboolean guarded);
