/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/engine/vulkan/shim.h"

#include <dlfcn.h>

Shim shim;
static ClipVk real;
static PFN_vkGetInstanceProcAddr real_get;

static VkResult
count_call (ShimCall call)
{
  shim.calls[call]++;
  return shim.calls[call] == shim.fail_at[call] ? shim.result : VK_SUCCESS;
}

/* ------------------------------------------------------- what is alive */

#define COUNTED(Kind)                                                          \
  static VKAPI_ATTR VkResult VKAPI_CALL create_##Kind (VkDevice device,        \
      const Vk##Kind##CreateInfo *info, const VkAllocationCallbacks *a,        \
      Vk##Kind *out)                                                           \
  {                                                                            \
    const VkResult result = real.Create##Kind (device, info, a, out);          \
                                                                               \
    shim.alive += result == VK_SUCCESS;                                        \
    return result;                                                             \
  }                                                                            \
  static VKAPI_ATTR void VKAPI_CALL destroy_##Kind (VkDevice device,           \
      Vk##Kind object, const VkAllocationCallbacks *a)                         \
  {                                                                            \
    shim.alive -= object != VK_NULL_HANDLE;                                    \
    real.Destroy##Kind (device, object, a);                                    \
  }

COUNTED (Buffer)
COUNTED (CommandPool)
COUNTED (DescriptorPool)
COUNTED (DescriptorSetLayout)
COUNTED (Fence)
COUNTED (PipelineCache)
COUNTED (PipelineLayout)
COUNTED (ShaderModule)

static VKAPI_ATTR VkResult VKAPI_CALL
create_pipelines (VkDevice device, VkPipelineCache cache, uint32_t n,
    const VkComputePipelineCreateInfo *infos, const VkAllocationCallbacks *a,
    VkPipeline *out)
{
  VkResult result = count_call (SHIM_PIPELINE);

  if (result == VK_SUCCESS)
    result = real.CreateComputePipelines (device, cache, n, infos, a, out);
  shim.alive += result == VK_SUCCESS;
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
destroy_pipeline (VkDevice device, VkPipeline object,
    const VkAllocationCallbacks *a)
{
  shim.alive -= object != VK_NULL_HANDLE;
  real.DestroyPipeline (device, object, a);
}

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_memory (VkDevice device, const VkMemoryAllocateInfo *info,
    const VkAllocationCallbacks *a, VkDeviceMemory *out)
{
  VkMemoryAllocateInfo mine = *info;
  VkResult result = count_call (SHIM_ALLOCATE);

  if (shim.staging)
    mine.memoryTypeIndex = 0;
  if (result == VK_SUCCESS)
    result = real.AllocateMemory (device, &mine, a, out);
  shim.alive += result == VK_SUCCESS;
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
free_memory (VkDevice device, VkDeviceMemory object,
    const VkAllocationCallbacks *a)
{
  shim.alive -= object != VK_NULL_HANDLE;
  real.FreeMemory (device, object, a);
}

static VKAPI_ATTR void VKAPI_CALL
destroy_device (VkDevice device, const VkAllocationCallbacks *a)
{
  shim.alive--;
  real.DestroyDevice (device, a);
}

static VKAPI_ATTR void VKAPI_CALL
destroy_instance (VkInstance instance, const VkAllocationCallbacks *a)
{
  shim.alive--;
  real.DestroyInstance (instance, a);
}

/* ------------------------------------------------------------- what fails */

static VKAPI_ATTR VkResult VKAPI_CALL
queue_submit (VkQueue queue, uint32_t n, const VkSubmitInfo *infos,
    VkFence fence)
{
  const VkResult result = count_call (SHIM_SUBMIT);

  return result == VK_SUCCESS ? real.QueueSubmit (queue, n, infos, fence)
                              : result;
}

/* The work is done when this says that it is not: a lost device's memory may
 * be freed, and tests must not free what is in use. */
static VKAPI_ATTR VkResult VKAPI_CALL
wait_for_fences (VkDevice device, uint32_t n, const VkFence *fences,
    VkBool32 all, uint64_t timeout)
{
  const VkResult result = count_call (SHIM_WAIT);
  const VkResult done = real.WaitForFences (device, n, fences, all, timeout);

  return result == VK_SUCCESS ? done : result;
}

/* ---------------------------------------------- what is flushed and bound */

static VKAPI_ATTR VkResult VKAPI_CALL
flush_ranges (VkDevice device, uint32_t n, const VkMappedMemoryRange *ranges)
{
  shim.flushes++;
  return real.FlushMappedMemoryRanges (device, n, ranges);
}

static VKAPI_ATTR VkResult VKAPI_CALL
invalidate_ranges (VkDevice device, uint32_t n,
    const VkMappedMemoryRange *ranges)
{
  shim.invalidates++;
  return real.InvalidateMappedMemoryRanges (device, n, ranges);
}

static VKAPI_ATTR void VKAPI_CALL
update_sets (VkDevice device, uint32_t n, const VkWriteDescriptorSet *writes,
    uint32_t n_copies, const VkCopyDescriptorSet *copies)
{
  if (shim.bindings)
    g_assert_cmpuint (n, <=, shim.bindings);
  for (uint32_t i = 0; i < n; i++) {
    const VkDescriptorBufferInfo *info = writes[i].pBufferInfo;

    g_assert_cmpuint (info->offset % 256, ==, 0);
    g_assert_cmpuint (info->range, !=, VK_WHOLE_SIZE);
    if (shim.range)
      g_assert_cmpuint (info->range, <=, shim.range);
    shim.largest_range = MAX (shim.largest_range, (guint) info->range);
  }
  real.UpdateDescriptorSets (device, n, writes, n_copies, copies);
}

static VKAPI_ATTR void VKAPI_CALL
put_barrier (VkCommandBuffer commands, VkPipelineStageFlags from,
    VkPipelineStageFlags to, VkDependencyFlags flags, uint32_t n_memory,
    const VkMemoryBarrier *memory, uint32_t n_buffers,
    const VkBufferMemoryBarrier *buffers, uint32_t n_images,
    const VkImageMemoryBarrier *images)
{
  if (!shim.no_barriers)
    real.CmdPipelineBarrier (commands, from, to, flags, n_memory, memory,
        n_buffers, buffers, n_images, images);
}

/* --------------------------------------------------------- what is hidden */

#define LOWER(field, limit)                                                    \
  if ((limit) && (field) > (limit))                                            \
    (field) = (limit);

static void
lower_limits (VkPhysicalDeviceLimits *limits)
{
  limits->minStorageBufferOffsetAlignment = 256;
  limits->nonCoherentAtomSize = 256;
  LOWER (limits->maxStorageBufferRange, shim.range)
  LOWER (limits->maxPerStageDescriptorStorageBuffers, shim.bindings)
  LOWER (limits->maxDescriptorSetStorageBuffers, shim.bindings)
  LOWER (limits->maxComputeWorkGroupInvocations, shim.threads)
  LOWER (limits->maxComputeWorkGroupSize[0], shim.threads)
  LOWER (limits->maxComputeSharedMemorySize, shim.shared)
}

static VKAPI_ATTR void VKAPI_CALL
get_properties2 (VkPhysicalDevice physical, VkPhysicalDeviceProperties2 *out)
{
  real.GetPhysicalDeviceProperties2 (physical, out);
  lower_limits (&out->properties.limits);
}

static VKAPI_ATTR void VKAPI_CALL
get_memory (VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties *out)
{
  real.GetPhysicalDeviceMemoryProperties (physical, out);
  if (shim.non_coherent)
    out->memoryTypes[0].propertyFlags &=
        ~(VkMemoryPropertyFlags) VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  if (!shim.staging)
    return;
  out->memoryTypeCount = 2;
  out->memoryTypes[1] = out->memoryTypes[0];
  out->memoryTypes[0].propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  out->memoryTypes[1].propertyFlags &=
      ~(VkMemoryPropertyFlags) VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
}

static VKAPI_ATTR void VKAPI_CALL
get_requirements (VkDevice device, VkBuffer buffer, VkMemoryRequirements *out)
{
  real.GetBufferMemoryRequirements (device, buffer, out);
  if (shim.staging)
    out->memoryTypeBits = 3;
}

/* ------------------------------------------------------------- the tables */

#define ENTRY(name, function)                                                  \
  {                                                                            \
    "vk" #name, (PFN_vkVoidFunction) function                                  \
  }
#define BOTH(Kind)                                                             \
  ENTRY (Create##Kind, create_##Kind), ENTRY (Destroy##Kind, destroy_##Kind)

typedef struct {
  const gchar *name;
  PFN_vkVoidFunction function;
} Entry;

static const Entry device_entries[] = {
  BOTH (Buffer),
  BOTH (CommandPool),
  BOTH (DescriptorPool),
  BOTH (DescriptorSetLayout),
  BOTH (Fence),
  BOTH (PipelineCache),
  BOTH (PipelineLayout),
  BOTH (ShaderModule),
  ENTRY (CreateComputePipelines, create_pipelines),
  ENTRY (DestroyPipeline, destroy_pipeline),
  ENTRY (AllocateMemory, allocate_memory),
  ENTRY (FreeMemory, free_memory),
  ENTRY (DestroyDevice, destroy_device),
  ENTRY (QueueSubmit, queue_submit),
  ENTRY (WaitForFences, wait_for_fences),
  ENTRY (FlushMappedMemoryRanges, flush_ranges),
  ENTRY (InvalidateMappedMemoryRanges, invalidate_ranges),
  ENTRY (UpdateDescriptorSets, update_sets),
  ENTRY (CmdPipelineBarrier, put_barrier),
  ENTRY (GetBufferMemoryRequirements, get_requirements),
};

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
get_device_function (VkDevice device, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (device_entries); i++)
    if (g_str_equal (device_entries[i].name, name))
      return device_entries[i].function;
  return real.GetDeviceProcAddr (device, name);
}

static VKAPI_ATTR VkResult VKAPI_CALL
create_device (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
    const VkAllocationCallbacks *a, VkDevice *out)
{
  const VkResult result = real.CreateDevice (physical, info, a, out);

  if (result != VK_SUCCESS)
    return result;
  shim.alive++;
  g_assert_true (clip_vk_load_device (&real, *out, NULL));
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
create_instance (const VkInstanceCreateInfo *info,
    const VkAllocationCallbacks *a, VkInstance *out)
{
  const VkResult result = real.CreateInstance (info, a, out);

  if (result != VK_SUCCESS)
    return result;
  shim.alive++;
  g_assert_true (clip_vk_load_instance (&real, *out, NULL));
  return result;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
get_instance_function (VkInstance instance, const char *name)
{
  static const Entry entries[] = {
    ENTRY (CreateInstance, create_instance),
    ENTRY (DestroyInstance, destroy_instance),
    ENTRY (CreateDevice, create_device),
    ENTRY (GetDeviceProcAddr, get_device_function),
    ENTRY (GetPhysicalDeviceProperties2, get_properties2),
    ENTRY (GetPhysicalDeviceMemoryProperties, get_memory),
  };

  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    if (g_str_equal (entries[i].name, name))
      return entries[i].function;
  return real_get (instance, name);
}

void
shim_install (void)
{
  void *library = dlopen ("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);

  g_assert_nonnull (library);
  real_get =
      (PFN_vkGetInstanceProcAddr) dlsym (library, "vkGetInstanceProcAddr");
  real.GetInstanceProcAddr = real_get;
  real.CreateInstance =
      (PFN_vkCreateInstance) real_get (NULL, "vkCreateInstance");
  shim = (Shim){ .result = VK_ERROR_DEVICE_LOST };
  clip_vk_override_loader (get_instance_function);
}

void
shim_remove (void)
{
  g_assert_cmpint (shim.alive, ==, 0);
  clip_vk_override_loader (NULL);
}
