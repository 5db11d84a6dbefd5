/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A Vulkan device, opened: instance, capabilities, its one queue, and what all
 * programs on it share. Reference-counted, and shared by everybody who asks
 * for the same physical device; prepared weights hold a reference each, so it
 * outlives every model that lies on it. Any thread may use it; the queue and
 * the lists have locks.
 */
#pragma once

#include "engine/thread.h"
#include "engine/vulkan/api.h"

/* What the device can do and how much of it, asked once. Everything that
 * depends on the device is decided by this struct. */
typedef struct {
  gchar name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
  guint8 device_uuid[VK_UUID_SIZE];
  guint8 cache_uuid[VK_UUID_SIZE]; /* of what the driver compiles */
  guint32 vendor, device, driver_version;
  gboolean software;        /* a CPU behind a driver */
  gsize max_range;          /* bytes that a storage buffer binding may span */
  gsize max_allocation;     /* bytes of one allocation of memory */
  gsize offset_alignment;   /* bytes; of a binding's offset */
  gsize atom;               /* bytes; ranges flushed of non-coherent memory */
  guint max_bindings;       /* storage buffers of one kernel */
  guint max_threads;        /* invocations of a workgroup */
  gsize max_shared;         /* bytes of shared memory of a workgroup */
  guint max_groups;         /* workgroups in x, and in y and z */
  gdouble timestamp_period; /* nanoseconds a tick; 0: no timestamps */
  guint timestamp_bits;
  /* Device memory that the host can write, big enough for everything. */
  gboolean direct_weights;
  gboolean direct_inputs; /* the same, for a few megabytes */
} ClipVulkanCaps;

typedef struct _ClipVulkanPipelines ClipVulkanPipelines;
typedef struct _ClipVulkanWeightPool ClipVulkanWeightPool;

typedef struct {
  gint ref_count; /* registry's lock */
  guint serial;   /* unique in the process: weights belong to one device */
  ClipVk vk;
  VkInstance instance;
  VkDebugUtilsMessengerEXT messenger;
  VkPhysicalDevice physical;
  VkDevice device;
  guint queue_family;
  ClipVulkanCaps caps;
  VkPhysicalDeviceMemoryProperties memory;
  ClipVulkanPipelines *pipelines; /* has a lock */
  ClipVulkanWeightPool *weights;  /* has a lock */

  ClipMutex queue_lock;
  /* ---- */
  VkQueue queue;
  gboolean lost;      /* nobody else is given this device any more */
  gboolean abandoned; /* work never ended: nothing may be destroyed */
} ClipVulkanDevice;

/* `wanted`: see ClipVulkanParams. */
ClipVulkanDevice *clip_vulkan_device_open (const gchar *wanted, GError **error);
ClipVulkanDevice *clip_vulkan_device_ref (ClipVulkanDevice *device);
void clip_vulkan_device_unref (ClipVulkanDevice *device);

/* Submits command buffers, one after the other as jobs of their own, and waits
 * for the fence, which is reset first. After a failure the device is lost, and
 * what the commands used may be destroyed, unless the device is abandoned.
 * `seconds`: how long it may take. */
gboolean clip_vulkan_device_run (ClipVulkanDevice *device,
    const VkCommandBuffer *commands, guint n, VkFence fence, guint seconds,
    GError **error);
/* ---- for device.c: instance.c and caps.c */

/* Instance with its functions, with validation where the environment variable
 * GST_CLIP_VULKAN_VALIDATE asks for it ("core", "sync", "gpu"): then what the
 * validation layer finds is a GLib warning. */
gboolean clip_vulkan_instance_init (ClipVulkanDevice *device, GError **error);
void clip_vulkan_instance_clear (ClipVulkanDevice *device);
/* Sets physical and queue_family. */
gboolean clip_vulkan_choose (ClipVulkanDevice *device, const gchar *wanted,
    GError **error);
/* Fills caps and memory of the chosen device; UNSUPPORTED where it stays
 * behind what Vulkan 1.1 guarantees. */
gboolean clip_vulkan_ask_caps (ClipVulkanDevice *device, GError **error);
