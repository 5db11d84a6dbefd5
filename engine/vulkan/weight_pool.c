/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan/weight_pool.h"

#include <string.h>

#define BLOCK_SIZE ((gsize) 16 << 20)
#define STAGING_SIZE ((gsize) 4 << 20)
#define UPLOAD_SECONDS 60
#define ALIGNMENT 256

struct _ClipVulkanBlock {
  ClipVulkanBuffer buffer;
  gsize used;
  guint n_parts;
};

struct _ClipVulkanWeightPool {
  ClipMutex lock;
  /* ---- */
  GPtrArray *blocks;
  /* The way into memory that the host cannot see; made when first needed. */
  ClipVulkanBuffer staging;
  VkCommandPool pool;
  VkCommandBuffer commands;
  VkFence fence;
};

void
clip_vulkan_weight_pool_init (ClipVulkanDevice *device)
{
  device->weights = g_new0 (ClipVulkanWeightPool, 1);
  clip_mutex_init (&device->weights->lock);
  device->weights->blocks = g_ptr_array_new ();
}

static void
clear_staging (ClipVulkanDevice *device)
{
  ClipVulkanWeightPool *pool = device->weights;

  clip_vulkan_buffer_clear (&pool->staging, device);
  device->vk.DestroyCommandPool (device->device, pool->pool, NULL);
  device->vk.DestroyFence (device->device, pool->fence, NULL);
  pool->pool = VK_NULL_HANDLE;
  pool->fence = VK_NULL_HANDLE;
}

void
clip_vulkan_weight_pool_clear (ClipVulkanDevice *device)
{
  if (!device->weights)
    return;
  clear_staging (device);
  g_ptr_array_unref (device->weights->blocks);
  clip_mutex_clear (&device->weights->lock);
  g_clear_pointer (&device->weights, g_free);
}

static gboolean
make_staging (ClipVulkanDevice *device, GError **error)
{
  ClipVulkanWeightPool *pool = device->weights;
  const VkCommandPoolCreateInfo pool_info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .queueFamilyIndex = device->queue_family,
  };
  const VkFenceCreateInfo fence_info = {
    .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO
  };
  VkCommandBufferAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .commandBufferCount = 1,
  };
  static const gchar doing[] = "preparing to copy weights";

  if (pool->fence)
    return TRUE;
  if (!clip_vulkan_buffer_init (&pool->staging, device, CLIP_VULKAN_UPLOAD,
          STAGING_SIZE, "copying weights", error))
    return FALSE;
  if (clip_vk_check (device->vk.CreateCommandPool (device->device, &pool_info,
                         NULL, &pool->pool),
          doing, error)) {
    info.commandPool = pool->pool;
    if (clip_vk_check (device->vk.AllocateCommandBuffers (device->device, &info,
                           &pool->commands),
            doing, error)
        && clip_vk_check (device->vk.CreateFence (device->device, &fence_info,
                              NULL, &pool->fence),
            doing, error))
      return TRUE;
  }
  clear_staging (device);
  return FALSE;
}

/* One piece that fits into the staging buffer. */
static gboolean
copy_piece (ClipVulkanDevice *device, VkBuffer to, const VkBufferCopy *region,
    GError **error)
{
  ClipVulkanWeightPool *pool = device->weights;
  const ClipVk *vk = &device->vk;
  const VkCommandBufferBeginInfo begin = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
    .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
  };
  static const gchar doing[] = "copying weights";

  if (!clip_vulkan_buffer_flush (&pool->staging, device, error)
      || !clip_vk_check (vk->ResetCommandPool (device->device, pool->pool, 0),
          doing, error)
      || !clip_vk_check (vk->BeginCommandBuffer (pool->commands, &begin), doing,
          error))
    return FALSE;
  vk->CmdCopyBuffer (pool->commands, pool->staging.buffer, to, 1, region);
  return clip_vk_check (vk->EndCommandBuffer (pool->commands), doing, error)
      && clip_vulkan_device_run (device, &pool->commands, 1, pool->fence,
          UPLOAD_SECONDS, error);
}

static gboolean
copy_staged (ClipVulkanDevice *device, const ClipVulkanPart *part,
    const guint8 *data, GError **error)
{
  if (!make_staging (device, error))
    return FALSE;
  for (gsize done = 0; done < part->size; done += STAGING_SIZE) {
    const VkBufferCopy region = { .dstOffset = part->offset + done,
      .size = MIN (STAGING_SIZE, part->size - done) };

    memcpy (device->weights->staging.mapped, data + done, region.size);
    if (!copy_piece (device, part->buffer, &region, error))
      return FALSE;
  }
  return TRUE;
}

/* The last block with room, or a new one. */
static ClipVulkanBlock *
find_block (ClipVulkanDevice *device, gsize size, GError **error)
{
  GPtrArray *blocks = device->weights->blocks;
  const ClipVulkanMemoryKind kind =
      device->caps.direct_weights ? CLIP_VULKAN_DIRECT : CLIP_VULKAN_DEVICE;
  const gsize usual = MIN (BLOCK_SIZE, device->caps.max_allocation);
  ClipVulkanBlock *block;

  for (guint i = blocks->len; i > 0; i--) {
    block = blocks->pdata[i - 1];
    if (block->used + size <= block->buffer.size)
      return block;
  }
  block = g_new0 (ClipVulkanBlock, 1);
  if (!clip_vulkan_buffer_init (&block->buffer, device, kind, MAX (size, usual),
          "weights", error)) {
    g_free (block);
    return NULL;
  }
  g_ptr_array_add (blocks, block);
  return block;
}

static void
drop_part (ClipVulkanDevice *device, ClipVulkanPart *part)
{
  ClipVulkanBlock *block = part->block;

  part->block = NULL;
  if (--block->n_parts > 0)
    return;
  g_ptr_array_remove (device->weights->blocks, block);
  if (!device->abandoned)
    clip_vulkan_buffer_clear (&block->buffer, device);
  g_free (block);
}

static gboolean
add (ClipVulkanDevice *device, ClipVulkanPart *part, gconstpointer data,
    GError **error)
{
  ClipVulkanBlock *block = find_block (device, part->size, error);
  gboolean ok;

  if (!block)
    return FALSE;
  part->block = block;
  part->buffer = block->buffer.buffer;
  part->offset = block->used;
  block->used += (part->size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  block->n_parts++;
  if (block->buffer.mapped) {
    memcpy (block->buffer.mapped + part->offset, data, part->size);
    ok = clip_vulkan_buffer_flush (&block->buffer, device, error);
  } else {
    ok = copy_staged (device, part, data, error);
  }
  if (!ok)
    drop_part (device, part);
  return ok;
}

gboolean
clip_vulkan_weight_pool_add (ClipVulkanDevice *device, ClipVulkanPart *part,
    gconstpointer data, GError **error)
{
  gboolean ok;

  clip_mutex_lock (&device->weights->lock);
  ok = add (device, part, data, error);
  clip_mutex_unlock (&device->weights->lock);
  return ok;
}

void
clip_vulkan_weight_pool_remove (ClipVulkanDevice *device, ClipVulkanPart *part)
{
  if (!part->block)
    return;
  clip_mutex_lock (&device->weights->lock);
  drop_part (device, part);
  clip_mutex_unlock (&device->weights->lock);
}
