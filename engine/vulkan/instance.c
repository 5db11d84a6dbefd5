/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The instance, and the validation layer on request.
 */
#include <string.h>

#include "engine/vulkan/device.h"

static VKAPI_ATTR VkBool32 VKAPI_CALL
report (VkDebugUtilsMessageSeverityFlagBitsEXT severity,
    VkDebugUtilsMessageTypeFlagsEXT types,
    const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
  g_warning ("Vulkan validation: %s", data->pMessage);
  return VK_FALSE;
}

static const VkDebugUtilsMessengerCreateInfoEXT messenger_info = {
  .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
  .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
      | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
  .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
  .pfnUserCallback = report,
};

#define LAYER "VK_LAYER_KHRONOS_validation"

static gboolean
has_layer (ClipVk *vk)
{
  g_autofree VkLayerProperties *layers = NULL;
  guint32 n = 0;

  if (vk->EnumerateInstanceLayerProperties (&n, NULL) != VK_SUCCESS)
    return FALSE;
  layers = g_new0 (VkLayerProperties, n);
  if (vk->EnumerateInstanceLayerProperties (&n, layers) != VK_SUCCESS)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (g_str_equal (layers[i].layerName, LAYER))
      return TRUE;
  return FALSE;
}

/* TRUE: validation is wanted; extra: the kind beside the core checks. */
static gboolean
parse_validation (VkValidationFeatureEnableEXT *extra, guint *n_extra,
    gboolean *wanted, GError **error)
{
  const gchar *value = g_getenv ("GST_CLIP_VULKAN_VALIDATE");

  *n_extra = 0;
  *wanted = value && *value;
  if (!*wanted || g_str_equal (value, "core"))
    return TRUE;
  *n_extra = 1;
  if (g_str_equal (value, "sync"))
    *extra = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
  else if (g_str_equal (value, "gpu"))
    *extra = VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT;
  else {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "GST_CLIP_VULKAN_VALIDATE is \"%s\", expected core, sync or gpu",
        value);
    return FALSE;
  }
  return TRUE;
}

static gboolean
add_messenger (ClipVulkanDevice *device, GError **error)
{
  const PFN_vkCreateDebugUtilsMessengerEXT create =
      (PFN_vkCreateDebugUtilsMessengerEXT)
          device->vk.GetInstanceProcAddr (device->instance,
              "vkCreateDebugUtilsMessengerEXT");

  if (!create)
    return clip_vk_check (VK_ERROR_EXTENSION_NOT_PRESENT,
        "reporting what the validation layer finds", error);
  return clip_vk_check (create (device->instance, &messenger_info, NULL,
                            &device->messenger),
      "reporting what the validation layer finds", error);
}

gboolean
clip_vulkan_instance_init (ClipVulkanDevice *device, GError **error)
{
  static const gchar *const layer = LAYER;
  static const gchar *const extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  const VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .pApplicationName = "gst-clip",
    .apiVersion = VK_API_VERSION_1_1,
  };
  VkValidationFeatureEnableEXT extra;
  VkValidationFeaturesEXT features = {
    .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
    .pNext = &messenger_info,
    .pEnabledValidationFeatures = &extra,
  };
  VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    .pApplicationInfo = &application,
  };
  gboolean validate;

  if (!parse_validation (&extra, &features.enabledValidationFeatureCount,
          &validate, error)
      || !clip_vk_load_global (&device->vk, error))
    return FALSE;
  if (validate && !has_layer (&device->vk)) {
    g_set_error_literal (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
        "GST_CLIP_VULKAN_VALIDATE is set, but " LAYER " is not installed");
    return FALSE;
  }
  if (validate) {
    info.pNext = &features;
    info.enabledLayerCount = info.enabledExtensionCount = 1;
    info.ppEnabledLayerNames = &layer;
    info.ppEnabledExtensionNames = &extension;
  }
  if (!clip_vk_check (device->vk.CreateInstance (&info, NULL,
                          &device->instance),
          "opening Vulkan 1.1", error)
      || !clip_vk_load_instance (&device->vk, device->instance, error))
    return FALSE;
  return !validate || add_messenger (device, error);
}

void
clip_vulkan_instance_clear (ClipVulkanDevice *device)
{
  PFN_vkDestroyDebugUtilsMessengerEXT destroy;

  if (!device->instance)
    return;
  if (device->messenger) {
    destroy = (PFN_vkDestroyDebugUtilsMessengerEXT)
                  device->vk.GetInstanceProcAddr (device->instance,
                      "vkDestroyDebugUtilsMessengerEXT");
    destroy (device->instance, device->messenger, NULL);
  }
  if (device->vk.DestroyInstance)
    device->vk.DestroyInstance (device->instance, NULL);
}
