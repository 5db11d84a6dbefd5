/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/tower/tower.h"

#include "engine/tower/efficientnet.h"
#include "engine/tower/transformer.h"

ClipPlan *
clip_tower_image (const ClipModelSpec *spec, guint max_batch,
    gboolean has_projection_bias, gboolean guarded)
{
  if (spec->image_kind == CLIP_TOWER_EFFICIENTNET)
    return clip_tower_efficientnet (spec, max_batch, has_projection_bias,
        guarded);
  return clip_tower_vit (spec, max_batch, guarded);
}

ClipLayout
clip_tower_image_layout (const ClipModelSpec *spec)
{
  return spec->image_kind == CLIP_TOWER_EFFICIENTNET ? CLIP_LAYOUT_ROWS
                                                     : CLIP_LAYOUT_PATCHES;
}
