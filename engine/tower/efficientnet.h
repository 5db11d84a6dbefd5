/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/tower/tower.h"

/* EfficientNet behind clip_tower_image (). */
ClipPlan *clip_tower_efficientnet (const ClipModelSpec *spec, guint max_batch,
    gboolean has_projection_bias, gboolean guarded);
