/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Blocks of device memory for weights, and the way into them.
 */
#pragma once

#include "engine/vulkan/weight.h"

/* Finds a place for part->size bytes and copies them there. Any thread. */
gboolean clip_vulkan_weight_pool_add (ClipVulkanDevice *device,
    ClipVulkanPart *part, gconstpointer data, GError **error);
void clip_vulkan_weight_pool_remove (ClipVulkanDevice *device,
    ClipVulkanPart *part);
