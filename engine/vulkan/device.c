/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opening, sharing and closing devices; submitting to their queues.
 */
#include "engine/vulkan/device.h"

#include <string.h>

#include "engine/vulkan/pipeline.h"
#include "engine/vulkan/weight.h"

/* How long unfinished work is waited for before it is abandoned. */
#define SETTLE_SECONDS 5
#define NANOSECONDS G_GUINT64_CONSTANT (1000000000)

static ClipMutex registry = CLIP_MUTEX_INIT;
static GSList *devices;
static guint last_serial;

static void
device_free (ClipVulkanDevice *device)
{
  if (device->abandoned)
    return;
  clip_vulkan_weight_pool_clear (device);
  clip_vulkan_pipelines_clear (device);
  if (device->device && device->vk.DestroyDevice)
    device->vk.DestroyDevice (device->device, NULL);
  clip_vulkan_instance_clear (device);
  clip_mutex_clear (&device->queue_lock);
  g_free (device);
}

static gboolean
create_device (ClipVulkanDevice *device, GError **error)
{
  static const gfloat priority = 0.5f;
  const VkDeviceQueueCreateInfo queue = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
    .queueFamilyIndex = device->queue_family,
    .queueCount = 1,
    .pQueuePriorities = &priority,
  };
  const VkDeviceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
    .queueCreateInfoCount = 1,
    .pQueueCreateInfos = &queue,
  };

  if (!clip_vk_check (device->vk.CreateDevice (device->physical, &info, NULL,
                          &device->device),
          "opening the Vulkan device", error)
      || !clip_vk_load_device (&device->vk, device->device, error))
    return FALSE;
  device->vk.GetDeviceQueue (device->device, device->queue_family, 0,
      &device->queue);
  return TRUE;
}

static gboolean
is_same (ClipVulkanDevice *a, const ClipVulkanDevice *b)
{
  gboolean lost;

  clip_mutex_lock (&a->queue_lock);
  lost = a->lost;
  clip_mutex_unlock (&a->queue_lock);
  return !lost && a->vk.GetInstanceProcAddr == b->vk.GetInstanceProcAddr
      && memcmp (a->caps.device_uuid, b->caps.device_uuid, VK_UUID_SIZE) == 0;
}

/* With the registry's lock held. */
static ClipVulkanDevice *
find_shared (const ClipVulkanDevice *like)
{
  for (GSList *l = devices; l; l = l->next)
    if (is_same (l->data, like))
      return l->data;
  return NULL;
}

/* Opens what `device` has chosen, or takes what somebody has open already. */
static ClipVulkanDevice *
share (ClipVulkanDevice *device, GError **error)
{
  ClipVulkanDevice *shared;

  clip_mutex_lock (&registry);
  shared = find_shared (device);
  if (shared) {
    shared->ref_count++;
  } else if (create_device (device, error)
      && clip_vulkan_pipelines_init (device, error)) {
    clip_vulkan_weight_pool_init (device);
    device->serial = ++last_serial;
    devices = g_slist_prepend (devices, device);
    shared = device;
  }
  clip_mutex_unlock (&registry);
  return shared;
}

ClipVulkanDevice *
clip_vulkan_device_open (const gchar *wanted, GError **error)
{
  ClipVulkanDevice *device = g_new0 (ClipVulkanDevice, 1);
  ClipVulkanDevice *shared = NULL;

  device->ref_count = 1;
  clip_mutex_init (&device->queue_lock);
  if (clip_vulkan_instance_init (device, error)
      && clip_vulkan_choose (device, wanted, error)
      && clip_vulkan_ask_caps (device, error))
    shared = share (device, error);
  if (shared != device)
    device_free (device);
  return shared;
}

ClipVulkanDevice *
clip_vulkan_device_ref (ClipVulkanDevice *device)
{
  clip_mutex_lock (&registry);
  device->ref_count++;
  clip_mutex_unlock (&registry);
  return device;
}

void
clip_vulkan_device_unref (ClipVulkanDevice *device)
{
  gboolean last;

  clip_mutex_lock (&registry);
  last = --device->ref_count == 0;
  if (last)
    devices = g_slist_remove (devices, device);
  clip_mutex_unlock (&registry);
  if (last)
    device_free (device);
}

/* In one call: when it fails, nothing was submitted. */
static VkResult
submit (ClipVulkanDevice *device, const VkCommandBuffer *commands, guint n,
    VkFence fence)
{
  VkSubmitInfo *infos = g_newa (VkSubmitInfo, n);
  VkResult result = VK_ERROR_DEVICE_LOST;

  for (guint i = 0; i < n; i++)
    infos[i] = (VkSubmitInfo){ .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
      .commandBufferCount = 1,
      .pCommandBuffers = &commands[i] };
  clip_mutex_lock (&device->queue_lock);
  if (!device->lost)
    result = device->vk.QueueSubmit (device->queue, n, infos, fence);
  clip_mutex_unlock (&device->queue_lock);
  return result;
}

static VkResult
wait_for (ClipVulkanDevice *device, VkFence fence, guint seconds)
{
  return device->vk.WaitForFences (device->device, 1, &fence, VK_TRUE,
      seconds * NANOSECONDS);
}

/* What a lost device was doing has ended, by Vulkan's rules; after any other
 * failure it may still go on. */
static gboolean
has_ended (ClipVulkanDevice *device, VkFence fence, VkResult failure)
{
  VkResult result = failure;

  if (result != VK_ERROR_DEVICE_LOST)
    result = wait_for (device, fence, SETTLE_SECONDS);
  return result == VK_SUCCESS || result == VK_ERROR_DEVICE_LOST;
}

gboolean
clip_vulkan_device_run (ClipVulkanDevice *device,
    const VkCommandBuffer *commands, guint n, VkFence fence, guint seconds,
    GError **error)
{
  gboolean ended = TRUE;
  VkResult result = device->vk.ResetFences (device->device, 1, &fence);

  if (!clip_vk_check (result, "resetting a fence", error))
    return FALSE;
  result = submit (device, commands, n, fence);
  if (clip_vk_check (result, "handing work to the device", error)) {
    result = wait_for (device, fence, seconds);
    if (clip_vk_check (result, "waiting for the device", error))
      return TRUE;
    ended = has_ended (device, fence, result);
  }
  clip_mutex_lock (&device->queue_lock);
  device->lost = TRUE;
  device->abandoned |= !ended;
  clip_mutex_unlock (&device->queue_lock);
  return FALSE;
}
