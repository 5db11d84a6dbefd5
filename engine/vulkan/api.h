/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Vulkan's functions, fetched at run time through the one that the loader
 * exports. Tests put another one in its place, to inject faults or to hide
 * what a device can do.
 */
#pragma once

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#include "engine/clip.h"

#define CLIP_VK_GLOBAL_FUNCTIONS(F)                                            \
  F (CreateInstance)                                                           \
  F (EnumerateInstanceExtensionProperties)                                     \
  F (EnumerateInstanceLayerProperties)

#define CLIP_VK_INSTANCE_FUNCTIONS(F)                                          \
  F (DestroyInstance)                                                          \
  F (EnumeratePhysicalDevices)                                                 \
  F (GetPhysicalDeviceProperties)                                              \
  F (GetPhysicalDeviceProperties2)                                             \
  F (GetPhysicalDeviceMemoryProperties)                                        \
  F (GetPhysicalDeviceQueueFamilyProperties)                                   \
  F (CreateDevice)                                                             \
  F (GetDeviceProcAddr)

#define CLIP_VK_DEVICE_FUNCTIONS(F)                                            \
  F (AllocateCommandBuffers)                                                   \
  F (AllocateDescriptorSets)                                                   \
  F (AllocateMemory)                                                           \
  F (BeginCommandBuffer)                                                       \
  F (BindBufferMemory)                                                         \
  F (CmdBindDescriptorSets)                                                    \
  F (CmdBindPipeline)                                                          \
  F (CmdCopyBuffer)                                                            \
  F (CmdDispatch)                                                              \
  F (CmdFillBuffer)                                                            \
  F (CmdPipelineBarrier)                                                       \
  F (CmdPushConstants)                                                         \
  F (CmdResetQueryPool)                                                        \
  F (CmdWriteTimestamp)                                                        \
  F (CreateBuffer)                                                             \
  F (CreateCommandPool)                                                        \
  F (CreateComputePipelines)                                                   \
  F (CreateDescriptorPool)                                                     \
  F (CreateDescriptorSetLayout)                                                \
  F (CreateFence)                                                              \
  F (CreatePipelineCache)                                                      \
  F (CreatePipelineLayout)                                                     \
  F (CreateQueryPool)                                                          \
  F (CreateShaderModule)                                                       \
  F (DestroyBuffer)                                                            \
  F (DestroyCommandPool)                                                       \
  F (DestroyDescriptorPool)                                                    \
  F (DestroyDescriptorSetLayout)                                               \
  F (DestroyDevice)                                                            \
  F (DestroyFence)                                                             \
  F (DestroyPipeline)                                                          \
  F (DestroyPipelineCache)                                                     \
  F (DestroyPipelineLayout)                                                    \
  F (DestroyQueryPool)                                                         \
  F (DestroyShaderModule)                                                      \
  F (EndCommandBuffer)                                                         \
  F (FlushMappedMemoryRanges)                                                  \
  F (FreeMemory)                                                               \
  F (GetBufferMemoryRequirements)                                              \
  F (GetDeviceQueue)                                                           \
  F (GetPipelineCacheData)                                                     \
  F (GetQueryPoolResults)                                                      \
  F (InvalidateMappedMemoryRanges)                                             \
  F (MapMemory)                                                                \
  F (QueueSubmit)                                                              \
  F (ResetCommandPool)                                                         \
  F (ResetFences)                                                              \
  F (UpdateDescriptorSets)                                                     \
  F (WaitForFences)

#define CLIP_VK_MEMBER(name) PFN_vk##name name;

/* Members are called as the functions are, without vk. */
typedef struct {
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
  CLIP_VK_GLOBAL_FUNCTIONS (CLIP_VK_MEMBER)
  CLIP_VK_INSTANCE_FUNCTIONS (CLIP_VK_MEMBER)
  CLIP_VK_DEVICE_FUNCTIONS (CLIP_VK_MEMBER)
} ClipVk;

/* Each fills its part of the table; a DEVICE error names what is missing. The
 * loader stays open for the life of the process: drivers leave threads and
 * exit handlers behind. */
gboolean clip_vk_load_global (ClipVk *vk, GError **error);
gboolean clip_vk_load_instance (ClipVk *vk, VkInstance instance,
    GError **error);
gboolean clip_vk_load_device (ClipVk *vk, VkDevice device, GError **error);

/* Takes effect for devices opened afterwards; NULL: the loader's own. */
void clip_vk_override_loader (PFN_vkGetInstanceProcAddr get);

/* TRUE for VK_SUCCESS; else an error that says what could not be done: MEMORY
 * for both kinds of exhausted memory, DEVICE for everything else. */
gboolean clip_vk_check (VkResult result, const gchar *what, GError **error);
