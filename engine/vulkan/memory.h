/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Buffers, each with memory of its own. Whoever initialises one owns it.
 */
#pragma once

#include "engine/vulkan/device.h"

typedef enum {
  CLIP_VULKAN_DEVICE,   /* for kernels */
  CLIP_VULKAN_DIRECT,   /* for kernels, written by the host */
  CLIP_VULKAN_UPLOAD,   /* written by the host, copied from */
  CLIP_VULKAN_READBACK, /* copied to, read by the host */
} ClipVulkanMemoryKind;

typedef struct {
  VkBuffer buffer;
  VkDeviceMemory memory;
  VkDeviceSize size;
  guint8 *mapped; /* NULL for DEVICE */
  gboolean coherent;
} ClipVulkanBuffer;

/* `what` is named in errors. On failure nothing is left behind. */
gboolean clip_vulkan_buffer_init (ClipVulkanBuffer *buffer,
    ClipVulkanDevice *device, ClipVulkanMemoryKind kind, VkDeviceSize size,
    const gchar *what, GError **error);
void clip_vulkan_buffer_clear (ClipVulkanBuffer *buffer,
    ClipVulkanDevice *device);

/* Makes what the host wrote visible to the device, and the other way round;
 * nothing to do on coherent memory. */
gboolean clip_vulkan_buffer_flush (const ClipVulkanBuffer *buffer,
    ClipVulkanDevice *device, GError **error);
gboolean clip_vulkan_buffer_invalidate (const ClipVulkanBuffer *buffer,
    ClipVulkanDevice *device, GError **error);
