/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan/memory.h"

#define LOCAL VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT
#define VISIBLE VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT
#define COHERENT VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
#define CACHED VK_MEMORY_PROPERTY_HOST_CACHED_BIT

/* What each kind of memory must be, and what it should be. */
static const struct {
  VkMemoryPropertyFlags needed, better, worse;
} kinds[] = {
  [CLIP_VULKAN_DEVICE] = { 0, LOCAL, VISIBLE },
  [CLIP_VULKAN_DIRECT] = { LOCAL | VISIBLE, COHERENT, CACHED },
  [CLIP_VULKAN_UPLOAD] = { VISIBLE, COHERENT, LOCAL | CACHED },
  [CLIP_VULKAN_READBACK] = { VISIBLE, CACHED | COHERENT, LOCAL },
};

/* The kind's index among the device's memory types; -1: there is none. */
static gint
find_type (const VkPhysicalDeviceMemoryProperties *memory, guint32 allowed,
    ClipVulkanMemoryKind kind)
{
  gint best = -1, best_score = -1;

  for (guint i = 0; i < memory->memoryTypeCount; i++) {
    const VkMemoryPropertyFlags flags = memory->memoryTypes[i].propertyFlags;
    const gint score = 8 * __builtin_popcount (flags & kinds[kind].better) + 4
        - __builtin_popcount (flags & kinds[kind].worse);

    if (!(allowed & 1u << i)
        || (flags & kinds[kind].needed) != kinds[kind].needed)
      continue;
    if (score > best_score) {
      best = (gint) i;
      best_score = score;
    }
  }
  return best;
}

static gboolean
allocate (ClipVulkanBuffer *buffer, ClipVulkanDevice *device,
    ClipVulkanMemoryKind kind, const gchar *doing, GError **error)
{
  const ClipVk *vk = &device->vk;
  VkMemoryRequirements needs;
  VkMemoryAllocateInfo info = { .sType =
                                    VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO };
  void *mapped;
  gint type;

  vk->GetBufferMemoryRequirements (device->device, buffer->buffer, &needs);
  type = find_type (&device->memory, needs.memoryTypeBits, kind);
  if (type < 0 || needs.size > device->caps.max_allocation)
    return clip_vk_check (VK_ERROR_OUT_OF_DEVICE_MEMORY, doing, error);
  info.allocationSize = needs.size;
  info.memoryTypeIndex = (guint32) type;
  if (!clip_vk_check (vk->AllocateMemory (device->device, &info, NULL,
                          &buffer->memory),
          doing, error)
      || !clip_vk_check (vk->BindBufferMemory (device->device, buffer->buffer,
                             buffer->memory, 0),
          doing, error))
    return FALSE;
  buffer->coherent =
      device->memory.memoryTypes[type].propertyFlags & COHERENT ? TRUE : FALSE;
  if (kind == CLIP_VULKAN_DEVICE)
    return TRUE;
  if (!clip_vk_check (vk->MapMemory (device->device, buffer->memory, 0,
                          VK_WHOLE_SIZE, 0, &mapped),
          doing, error))
    return FALSE;
  buffer->mapped = mapped;
  return TRUE;
}

gboolean
clip_vulkan_buffer_init (ClipVulkanBuffer *buffer, ClipVulkanDevice *device,
    ClipVulkanMemoryKind kind, VkDeviceSize size, const gchar *what,
    GError **error)
{
  g_autofree gchar *doing =
      g_strdup_printf ("allocating %" G_GUINT64_FORMAT " bytes for %s",
          (guint64) size, what);
  const VkBufferCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .size = MAX (size, 4),
    .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT
        | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
  };

  *buffer = (ClipVulkanBuffer){ .size = info.size };
  if (clip_vk_check (device->vk.CreateBuffer (device->device, &info, NULL,
                         &buffer->buffer),
          doing, error)
      && allocate (buffer, device, kind, doing, error))
    return TRUE;
  clip_vulkan_buffer_clear (buffer, device);
  return FALSE;
}

void
clip_vulkan_buffer_clear (ClipVulkanBuffer *buffer, ClipVulkanDevice *device)
{
  if (buffer->buffer)
    device->vk.DestroyBuffer (device->device, buffer->buffer, NULL);
  /* Unmaps, too. */
  if (buffer->memory)
    device->vk.FreeMemory (device->device, buffer->memory, NULL);
  *buffer = (ClipVulkanBuffer){ 0 };
}

static VkMappedMemoryRange
whole (const ClipVulkanBuffer *buffer)
{
  return (VkMappedMemoryRange){
    .sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
    .memory = buffer->memory,
    .size = VK_WHOLE_SIZE,
  };
}

gboolean
clip_vulkan_buffer_flush (const ClipVulkanBuffer *buffer,
    ClipVulkanDevice *device, GError **error)
{
  const VkMappedMemoryRange range = whole (buffer);

  return buffer->coherent
      || clip_vk_check (device->vk.FlushMappedMemoryRanges (device->device, 1,
                            &range),
          "flushing memory to the device", error);
}

gboolean
clip_vulkan_buffer_invalidate (const ClipVulkanBuffer *buffer,
    ClipVulkanDevice *device, GError **error)
{
  const VkMappedMemoryRange range = whole (buffer);

  return buffer->coherent
      || clip_vk_check (device->vk.InvalidateMappedMemoryRanges (device->device,
                            1, &range),
          "reading memory from the device", error);
}
