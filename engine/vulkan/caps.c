/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which device, and what it can do.
 */
#include <string.h>

#include "engine/vulkan/device.h"

/* Inputs and their kin fit into this much host-visible device memory. */
#define DIRECT_INPUTS ((VkDeviceSize) 128 << 20)

static gchar *
format_uuid (const guint8 *uuid)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf (text,
        i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
  return g_string_free (text, FALSE);
}

typedef struct {
  VkPhysicalDevice physical;
  VkPhysicalDeviceProperties properties;
  gchar *uuid;
  gint queue_family; /* -1: cannot compute */
} Candidate;

static void
candidate_clear (gpointer data)
{
  g_free (((Candidate *) data)->uuid);
}

/* A family that computes and does not draw leaves the desktop alone. */
static gint
find_queue_family (const ClipVk *vk, VkPhysicalDevice physical)
{
  g_autofree VkQueueFamilyProperties *families = NULL;
  guint32 n = 0;
  gint found = -1;

  vk->GetPhysicalDeviceQueueFamilyProperties (physical, &n, NULL);
  families = g_new0 (VkQueueFamilyProperties, n);
  vk->GetPhysicalDeviceQueueFamilyProperties (physical, &n, families);
  for (guint i = 0; i < n; i++) {
    const VkQueueFlags flags = families[i].queueFlags;

    if (!(flags & VK_QUEUE_COMPUTE_BIT) || families[i].queueCount == 0)
      continue;
    if (found < 0 || !(flags & VK_QUEUE_GRAPHICS_BIT))
      found = (gint) i;
  }
  return found;
}

static GArray *
list_devices (const ClipVulkanDevice *device, GError **error)
{
  const ClipVk *vk = &device->vk;
  g_autofree VkPhysicalDevice *physical = NULL;
  GArray *list;
  guint32 n = 0;
  VkResult result;

  result = vk->EnumeratePhysicalDevices (device->instance, &n, NULL);
  if (!clip_vk_check (result, "listing the Vulkan devices", error))
    return NULL;
  physical = g_new0 (VkPhysicalDevice, n);
  result = vk->EnumeratePhysicalDevices (device->instance, &n, physical);
  if (!clip_vk_check (result, "listing the Vulkan devices", error))
    return NULL;
  list = g_array_new (FALSE, TRUE, sizeof (Candidate));
  g_array_set_clear_func (list, candidate_clear);
  for (guint i = 0; i < n; i++) {
    VkPhysicalDeviceIDProperties id = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES
    };
    VkPhysicalDeviceProperties2 properties = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &id
    };
    Candidate candidate = { .physical = physical[i] };

    vk->GetPhysicalDeviceProperties (physical[i], &candidate.properties);
    /* A 1.0 device knows nothing of the second form. */
    if (candidate.properties.apiVersion >= VK_API_VERSION_1_1)
      vk->GetPhysicalDeviceProperties2 (physical[i], &properties);
    candidate.uuid = format_uuid (id.deviceUUID);
    candidate.queue_family = find_queue_family (vk, physical[i]);
    g_array_append_val (list, candidate);
  }
  return list;
}

static guint
rank (const Candidate *candidate)
{
  if (candidate->properties.apiVersion < VK_API_VERSION_1_1
      || candidate->queue_family < 0)
    return 0;
  switch (candidate->properties.deviceType) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return 3;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return 2;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return 1;
    default:
      return 0;
  }
}

static gboolean
matches (const Candidate *candidate, guint index, const gchar *wanted)
{
  g_autofree gchar *name =
      g_utf8_casefold (candidate->properties.deviceName, -1);
  g_autofree gchar *text = g_utf8_casefold (wanted, -1);
  guint64 number;

  if (g_ascii_string_to_unsigned (wanted, 10, 0, G_MAXUINT, &number, NULL))
    return number == index;
  return strstr (name, text) != NULL
      || (strlen (text) >= 8 && g_str_has_prefix (candidate->uuid, text));
}

static const Candidate *
find_candidate (const GArray *list, const gchar *wanted)
{
  const Candidate *best = NULL;

  for (guint i = 0; i < list->len; i++) {
    const Candidate *candidate = &g_array_index (list, Candidate, i);

    if (wanted) {
      if (matches (candidate, i, wanted))
        return candidate;
    } else if (rank (candidate) > (best ? rank (best) : 0)) {
      best = candidate;
    }
  }
  return best;
}

static gchar *
describe_list (const GArray *list)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < list->len; i++) {
    const Candidate *candidate = &g_array_index (list, Candidate, i);

    g_string_append_printf (text, "%s%u: %s (%s)%s", i ? ", " : "", i,
        candidate->properties.deviceName, candidate->uuid,
        candidate->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU
            ? ", a software device"
            : "");
  }
  return g_string_free (text, FALSE);
}

gboolean
clip_vulkan_choose (ClipVulkanDevice *device, const gchar *wanted,
    GError **error)
{
  const gchar *name =
      wanted && *wanted && !g_str_equal (wanted, "auto") ? wanted : NULL;
  g_autoptr (GArray) list = list_devices (device, error);
  g_autofree gchar *there = NULL;
  const Candidate *chosen;

  if (!list)
    return FALSE;
  chosen = find_candidate (list, name);
  there = describe_list (list);
  if (!chosen) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
        name ? "no Vulkan device is called \"%s\"; there is %s"
             : "there is no GPU with Vulkan 1.1%s; there is %s",
        name ? name : "", list->len ? there : "none");
    return FALSE;
  }
  if (chosen->properties.apiVersion < VK_API_VERSION_1_1
      || chosen->queue_family < 0) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
        "the Vulkan device %s cannot compute with Vulkan 1.1",
        chosen->properties.deviceName);
    return FALSE;
  }
  device->physical = chosen->physical;
  device->queue_family = (guint) chosen->queue_family;
  return TRUE;
}

/* Whether the host can write device memory, on a heap of at least `size`, or
 * on the largest heap of the device where size is 0. */
static gboolean
has_direct_memory (const VkPhysicalDeviceMemoryProperties *memory,
    VkDeviceSize size)
{
  const VkMemoryPropertyFlags wanted =
      VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;

  for (guint i = 0; size == 0 && i < memory->memoryHeapCount; i++)
    if (memory->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      size = MAX (size, memory->memoryHeaps[i].size);
  for (guint i = 0; i < memory->memoryTypeCount; i++)
    if ((memory->memoryTypes[i].propertyFlags & wanted) == wanted
        && memory->memoryHeaps[memory->memoryTypes[i].heapIndex].size >= size)
      return TRUE;
  return FALSE;
}

static void
ask_queue (ClipVulkanDevice *device, const VkPhysicalDeviceLimits *limits)
{
  g_autofree VkQueueFamilyProperties *families = NULL;
  guint32 n = device->queue_family + 1;

  families = g_new0 (VkQueueFamilyProperties, n);
  device->vk.GetPhysicalDeviceQueueFamilyProperties (device->physical, &n,
      families);
  device->caps.timestamp_bits = families[n - 1].timestampValidBits;
  device->caps.timestamp_period =
      device->caps.timestamp_bits > 0 ? limits->timestampPeriod : 0;
}

/* What Vulkan 1.1 guarantees; a device that says less is broken. */
static gboolean
check_floor (const ClipVulkanCaps *caps, GError **error)
{
  if (caps->max_bindings >= 4 && caps->max_threads >= 128
      && caps->max_shared >= 16384 && caps->offset_alignment <= 256
      && caps->max_groups >= 65535 && caps->max_range >= 4096)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
      "the Vulkan device %s offers less than Vulkan 1.1 guarantees: %u storage "
      "buffers, %u invocations, %zu bytes of shared memory",
      caps->name, caps->max_bindings, caps->max_threads, caps->max_shared);
  return FALSE;
}

gboolean
clip_vulkan_ask_caps (ClipVulkanDevice *device, GError **error)
{
  VkPhysicalDeviceMaintenance3Properties maintenance = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES
  };
  VkPhysicalDeviceIDProperties id = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
    .pNext = &maintenance
  };
  VkPhysicalDeviceProperties2 all = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &id
  };
  const VkPhysicalDeviceProperties *properties = &all.properties;
  const VkPhysicalDeviceLimits *limits = &properties->limits;
  ClipVulkanCaps *caps = &device->caps;

  device->vk.GetPhysicalDeviceProperties2 (device->physical, &all);
  device->vk.GetPhysicalDeviceMemoryProperties (device->physical,
      &device->memory);
  g_strlcpy (caps->name, properties->deviceName, sizeof caps->name);
  memcpy (caps->device_uuid, id.deviceUUID, VK_UUID_SIZE);
  memcpy (caps->cache_uuid, properties->pipelineCacheUUID, VK_UUID_SIZE);
  caps->vendor = properties->vendorID;
  caps->device = properties->deviceID;
  caps->driver_version = properties->driverVersion;
  caps->software = properties->deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  caps->max_range = limits->maxStorageBufferRange;
  caps->max_allocation = maintenance.maxMemoryAllocationSize;
  caps->offset_alignment = limits->minStorageBufferOffsetAlignment;
  caps->atom = MAX (limits->nonCoherentAtomSize, 1);
  caps->max_bindings = MIN (limits->maxPerStageDescriptorStorageBuffers,
      limits->maxDescriptorSetStorageBuffers);
  caps->max_threads = MIN (limits->maxComputeWorkGroupInvocations,
      limits->maxComputeWorkGroupSize[0]);
  caps->max_shared = limits->maxComputeSharedMemorySize;
  caps->max_groups = MIN (limits->maxComputeWorkGroupCount[0],
      MIN (limits->maxComputeWorkGroupCount[1],
          limits->maxComputeWorkGroupCount[2]));
  caps->direct_weights = has_direct_memory (&device->memory, 0);
  caps->direct_inputs = has_direct_memory (&device->memory, DIRECT_INPUTS);
  ask_queue (device, limits);
  return check_floor (caps, error);
}
