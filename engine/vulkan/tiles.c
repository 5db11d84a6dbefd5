/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan/tiles.h"

/* Ordered from small to large. */
const ClipVulkanTile clip_vulkan_tiles[CLIP_VULKAN_N_TILES] = {
  { "gemm-8x64", 8, 64, 32, 1, 4 },
  { "gemm-16x64", 16, 64, 32, 2, 4 },
  { "gemm-32x64", 32, 64, 16, 4, 4 },
  { "gemm-64x64", 64, 64, 16, 4, 8 },
  { "gemm-128x128", 128, 128, 16, 8, 8 },
};

/* Workgroups that keep a GPU busy. */
#define ENOUGH_WORKGROUPS 128

guint
clip_vulkan_tile_threads (const ClipVulkanTile *tile)
{
  return tile->tile_m / tile->rows * (tile->tile_n / tile->columns);
}

gboolean
clip_vulkan_tile_fits (const ClipVulkanTile *tile, const ClipVulkanCaps *caps)
{
  /* As shaders/gemm.comp declares them, in quads of floats. */
  const gsize quads =
      tile->tile_m * (tile->tile_k / 4 + 1) + tile->tile_k * (tile->tile_n / 4);

  return clip_vulkan_tile_threads (tile) <= caps->max_threads
      && quads * 16 <= caps->max_shared;
}

static guint
count (guint n, guint each)
{
  return (n + each - 1) / each;
}

const ClipVulkanTile *
clip_vulkan_tile_choose (const ClipVulkanCaps *caps, guint m, guint n)
{
  /* A CPU behind a driver has few workgroups under way at a time. */
  const guint enough = caps->software ? 1 : ENOUGH_WORKGROUPS;
  const ClipVulkanTile *best = &clip_vulkan_tiles[0];

  for (guint i = 1; i < CLIP_VULKAN_N_TILES; i++) {
    const ClipVulkanTile *tile = &clip_vulkan_tiles[i];

    if (!clip_vulkan_tile_fits (tile, caps) || tile->tile_m >= 2 * MAX (m, 8))
      continue;
    if (i < 3 || count (m, tile->tile_m) * count (n, tile->tile_n) >= enough)
      best = tile;
  }
  return best;
}
