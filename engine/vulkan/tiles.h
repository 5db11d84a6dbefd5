/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The shapes that the gemm kernel is specialised to.
 */
#pragma once

#include "engine/vulkan/device.h"

typedef struct {
  const gchar *name;
  guint tile_m, tile_n, tile_k; /* of a workgroup; tile_k divides 32 */
  guint rows, columns;          /* of a thread */
} ClipVulkanTile;

#define CLIP_VULKAN_N_TILES 5
extern const ClipVulkanTile clip_vulkan_tiles[CLIP_VULKAN_N_TILES];

guint clip_vulkan_tile_threads (const ClipVulkanTile *tile);
/* Whether the device has the threads and the shared memory. */
gboolean clip_vulkan_tile_fits (const ClipVulkanTile *tile,
    const ClipVulkanCaps *caps);
/* For a product [m x n]. */
const ClipVulkanTile *clip_vulkan_tile_choose (const ClipVulkanCaps *caps,
    guint m, guint n);
