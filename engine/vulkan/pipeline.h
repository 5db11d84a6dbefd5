/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pipelines of a device: made when first asked for, kept while the device is
 * open, and compiled code kept on disk between runs.
 */
#pragma once

#include "engine/vulkan/device.h"
#include "engine/vulkan/kernels.h"

/* Storage buffers of a kernel, at most. */
#define CLIP_VULKAN_MAX_BINDINGS 5
/* Words of push constants, of the 32 that every device has. */
#define CLIP_VULKAN_MAX_PUSH 12

typedef struct {
  ClipVulkanKernel kernel;
  gboolean half; /* the module that may store halves */
  guint n_bindings;
  guint32 constants[CLIP_VULKAN_N_CONSTANTS];
} ClipVulkanPipelineKey;

typedef struct {
  VkPipeline pipeline;
  VkPipelineLayout layout;
  VkDescriptorSetLayout set_layout;
} ClipVulkanPipeline;

gboolean clip_vulkan_pipelines_init (ClipVulkanDevice *device, GError **error);
/* Saves what was compiled, where something was. */
void clip_vulkan_pipelines_clear (ClipVulkanDevice *device);

/* Any thread; valid while the device is. */
const ClipVulkanPipeline *clip_vulkan_pipeline_get (ClipVulkanDevice *device,
    const ClipVulkanPipelineKey *key, GError **error);

/* ---- cache.c */

/* The file for a device: in the user's cache folder, or where the environment
 * variable GST_CLIP_CACHE_DIR says. */
gchar *clip_vulkan_cache_file (const ClipVulkanCaps *caps);
/* Reads what was written for exactly this device, driver and set of kernels;
 * NULL for anything else, whatever is wrong with it. */
GBytes *clip_vulkan_cache_read (const ClipVulkanCaps *caps, const gchar *file);
/* Puts it in place whole, or not at all: failing to keep a cache is no error. */
void clip_vulkan_cache_write (const ClipVulkanCaps *caps, const gchar *file,
    gconstpointer data, gsize size);
