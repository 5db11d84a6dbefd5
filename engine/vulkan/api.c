/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan/api.h"

#include <dlfcn.h>

#include "engine/thread.h"

static ClipMutex lock = CLIP_MUTEX_INIT;
static PFN_vkGetInstanceProcAddr overridden;

void
clip_vk_override_loader (PFN_vkGetInstanceProcAddr get)
{
  clip_mutex_lock (&lock);
  overridden = get;
  clip_mutex_unlock (&lock);
}

static PFN_vkGetInstanceProcAddr
open_loader (GError **error)
{
  static const gchar name[] = "libvulkan.so.1";
  static void *library;
  PFN_vkGetInstanceProcAddr get = NULL;

  clip_mutex_lock (&lock);
  if (!library && !overridden)
    library = dlopen (name, RTLD_NOW | RTLD_LOCAL);
  if (overridden)
    get = overridden;
  else if (library)
    get = (PFN_vkGetInstanceProcAddr) dlsym (library, "vkGetInstanceProcAddr");
  clip_mutex_unlock (&lock);
  if (!get)
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
        "the Vulkan loader %s is not installed or cannot be opened", name);
  return get;
}

static gboolean
missing (const gchar *name, GError **error)
{
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
      "the Vulkan driver lacks the function vk%s", name);
  return FALSE;
}

#define LOAD(name)                                                             \
  vk->name = (PFN_vk##name) get (handle, "vk" #name);                          \
  if (!vk->name)                                                               \
    return missing (#name, error);

gboolean
clip_vk_load_global (ClipVk *vk, GError **error)
{
  const PFN_vkGetInstanceProcAddr get = open_loader (error);
  const VkInstance handle = VK_NULL_HANDLE;

  if (!get)
    return FALSE;
  vk->GetInstanceProcAddr = get;
  CLIP_VK_GLOBAL_FUNCTIONS (LOAD)
  return TRUE;
}

gboolean
clip_vk_load_instance (ClipVk *vk, VkInstance handle, GError **error)
{
  const PFN_vkGetInstanceProcAddr get = vk->GetInstanceProcAddr;

  CLIP_VK_INSTANCE_FUNCTIONS (LOAD)
  return TRUE;
}

gboolean
clip_vk_load_device (ClipVk *vk, VkDevice handle, GError **error)
{
  const PFN_vkGetDeviceProcAddr get = vk->GetDeviceProcAddr;

  CLIP_VK_DEVICE_FUNCTIONS (LOAD)
  return TRUE;
}

static const gchar *
result_name (VkResult result)
{
  switch (result) {
    case VK_TIMEOUT:
      return "it took too long";
    case VK_ERROR_OUT_OF_HOST_MEMORY:
      return "out of host memory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      return "out of device memory";
    case VK_ERROR_INITIALIZATION_FAILED:
      return "initialisation failed";
    case VK_ERROR_DEVICE_LOST:
      return "the device was lost";
    case VK_ERROR_INCOMPATIBLE_DRIVER:
      return "there is no Vulkan driver";
    case VK_ERROR_TOO_MANY_OBJECTS:
      return "too many objects";
    default:
      return "Vulkan failed";
  }
}

gboolean
clip_vk_check (VkResult result, const gchar *what, GError **error)
{
  const gboolean memory = result == VK_ERROR_OUT_OF_HOST_MEMORY
      || result == VK_ERROR_OUT_OF_DEVICE_MEMORY;

  if (result == VK_SUCCESS)
    return TRUE;
  g_set_error (error, CLIP_ERROR,
      memory ? CLIP_ERROR_MEMORY : CLIP_ERROR_DEVICE, "%s: %s (VkResult %d)",
      what, result_name (result), result);
  return FALSE;
}
