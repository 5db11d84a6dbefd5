/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan/pipeline.h"

#include <string.h>

struct _ClipVulkanPipelines {
  ClipMutex lock;
  /* ---- */
  GHashTable *made; /* ClipVulkanPipelineKey -> ClipVulkanPipeline */
  VkDescriptorSetLayout set_layouts[CLIP_VULKAN_MAX_BINDINGS + 1];
  VkPipelineLayout layouts[CLIP_VULKAN_MAX_BINDINGS + 1];
  VkShaderModule modules[CLIP_VULKAN_N_KERNELS][2];
  VkPipelineCache cache;
  gboolean changed;
};

/* Keys are cleared before they are filled: padding compares equal. */
static guint
hash_key (gconstpointer data)
{
  const guint8 *bytes = data;
  guint hash = 5381;

  for (gsize i = 0; i < sizeof (ClipVulkanPipelineKey); i++)
    hash = hash * 33 + bytes[i];
  return hash;
}

static gboolean
equal_keys (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (ClipVulkanPipelineKey)) == 0;
}

static gboolean
make_layouts (ClipVulkanDevice *device, guint n, GError **error)
{
  ClipVulkanPipelines *pipelines = device->pipelines;
  VkDescriptorSetLayoutBinding bindings[CLIP_VULKAN_MAX_BINDINGS];
  const VkDescriptorSetLayoutCreateInfo set_info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
    .bindingCount = n,
    .pBindings = bindings,
  };
  const VkPushConstantRange push = { .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
    .size = CLIP_VULKAN_MAX_PUSH * sizeof (guint32) };
  const VkPipelineLayoutCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
    .setLayoutCount = 1,
    .pSetLayouts = &pipelines->set_layouts[n],
    .pushConstantRangeCount = 1,
    .pPushConstantRanges = &push,
  };

  if (pipelines->layouts[n])
    return TRUE;
  for (guint i = 0; i < n; i++)
    bindings[i] = (VkDescriptorSetLayoutBinding){ .binding = i,
      .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
      .descriptorCount = 1,
      .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT };
  if (!pipelines->set_layouts[n]
      && !clip_vk_check (device->vk.CreateDescriptorSetLayout (device->device,
                             &set_info, NULL, &pipelines->set_layouts[n]),
          "describing a kernel's buffers", error))
    return FALSE;
  return clip_vk_check (device->vk.CreatePipelineLayout (device->device, &info,
                            NULL, &pipelines->layouts[n]),
      "describing a kernel's buffers", error);
}

static gboolean
make_module (ClipVulkanDevice *device, const ClipVulkanPipelineKey *key,
    GError **error)
{
  VkShaderModule *module =
      &device->pipelines->modules[key->kernel][key->half ? 1 : 0];
  gsize n;
  const guint32 *code = clip_vulkan_kernel_code (key->kernel, key->half, &n);
  const VkShaderModuleCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
    .codeSize = n * sizeof *code,
    .pCode = code,
  };

  return *module
      || clip_vk_check (device->vk.CreateShaderModule (device->device, &info,
                            NULL, module),
          "loading a kernel", error);
}

static gboolean
compile (ClipVulkanDevice *device, const ClipVulkanPipelineKey *key,
    VkPipeline *pipeline, GError **error)
{
  ClipVulkanPipelines *pipelines = device->pipelines;
  VkSpecializationMapEntry entries[CLIP_VULKAN_N_CONSTANTS];
  const VkSpecializationInfo constants = {
    .mapEntryCount = CLIP_VULKAN_N_CONSTANTS,
    .pMapEntries = entries,
    .dataSize = sizeof key->constants,
    .pData = key->constants,
  };
  const VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
    .stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
        .stage = VK_SHADER_STAGE_COMPUTE_BIT,
        .module = pipelines->modules[key->kernel][key->half ? 1 : 0],
        .pName = "main",
        .pSpecializationInfo = &constants },
    .layout = pipelines->layouts[key->n_bindings],
  };
  g_autofree gchar *doing = g_strdup_printf ("compiling the kernel %s",
      clip_vulkan_kernel_name (key->kernel));

  for (guint i = 0; i < CLIP_VULKAN_N_CONSTANTS; i++)
    entries[i] = (VkSpecializationMapEntry){ .constantID = i,
      .offset = i * (guint32) sizeof (guint32),
      .size = sizeof (guint32) };
  return clip_vk_check (device->vk.CreateComputePipelines (device->device,
                            pipelines->cache, 1, &info, NULL, pipeline),
      doing, error);
}

static const ClipVulkanPipeline *
make (ClipVulkanDevice *device, const ClipVulkanPipelineKey *key,
    GError **error)
{
  ClipVulkanPipelines *pipelines = device->pipelines;
  ClipVulkanPipeline *made;
  VkPipeline pipeline;

  if (!make_layouts (device, key->n_bindings, error)
      || !make_module (device, key, error)
      || !compile (device, key, &pipeline, error))
    return NULL;
  pipelines->changed = TRUE;
  made = g_new0 (ClipVulkanPipeline, 1);
  made->pipeline = pipeline;
  made->layout = pipelines->layouts[key->n_bindings];
  made->set_layout = pipelines->set_layouts[key->n_bindings];
  g_hash_table_insert (pipelines->made, g_memdup2 (key, sizeof *key), made);
  return made;
}

const ClipVulkanPipeline *
clip_vulkan_pipeline_get (ClipVulkanDevice *device,
    const ClipVulkanPipelineKey *key, GError **error)
{
  ClipVulkanPipelines *pipelines = device->pipelines;
  const ClipVulkanPipeline *found;

  clip_mutex_lock (&pipelines->lock);
  found = g_hash_table_lookup (pipelines->made, key);
  if (!found)
    found = make (device, key, error);
  clip_mutex_unlock (&pipelines->lock);
  return found;
}

gboolean
clip_vulkan_pipelines_init (ClipVulkanDevice *device, GError **error)
{
  g_autofree gchar *file = clip_vulkan_cache_file (&device->caps);
  g_autoptr (GBytes) saved = clip_vulkan_cache_read (&device->caps, file);
  VkPipelineCacheCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO
  };
  ClipVulkanPipelines *pipelines = g_new0 (ClipVulkanPipelines, 1);

  if (saved)
    info.pInitialData = g_bytes_get_data (saved, &info.initialDataSize);
  clip_mutex_init (&pipelines->lock);
  pipelines->made =
      g_hash_table_new_full (hash_key, equal_keys, g_free, g_free);
  device->pipelines = pipelines;
  return clip_vk_check (device->vk.CreatePipelineCache (device->device, &info,
                            NULL, &pipelines->cache),
      "making a cache of kernels", error);
}

static void
save (ClipVulkanDevice *device)
{
  ClipVulkanPipelines *pipelines = device->pipelines;
  g_autofree gchar *file = clip_vulkan_cache_file (&device->caps);
  g_autofree gpointer data = NULL;
  gsize size = 0;

  if (device->vk.GetPipelineCacheData (device->device, pipelines->cache, &size,
          NULL)
      != VK_SUCCESS)
    return;
  data = g_malloc (size);
  if (device->vk.GetPipelineCacheData (device->device, pipelines->cache, &size,
          data)
      == VK_SUCCESS)
    clip_vulkan_cache_write (&device->caps, file, data, size);
}

void
clip_vulkan_pipelines_clear (ClipVulkanDevice *device)
{
  ClipVulkanPipelines *pipelines = device->pipelines;
  const ClipVk *vk = &device->vk;
  GHashTableIter iter;
  gpointer value;

  if (!pipelines)
    return;
  if (pipelines->changed && pipelines->cache && !device->lost)
    save (device);
  g_hash_table_iter_init (&iter, pipelines->made);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    vk->DestroyPipeline (device->device,
        ((ClipVulkanPipeline *) value)->pipeline, NULL);
  for (guint i = 0; i < CLIP_VULKAN_N_KERNELS * 2; i++)
    vk->DestroyShaderModule (device->device, pipelines->modules[i / 2][i % 2],
        NULL);
  for (guint i = 0; i <= CLIP_VULKAN_MAX_BINDINGS; i++) {
    vk->DestroyPipelineLayout (device->device, pipelines->layouts[i], NULL);
    vk->DestroyDescriptorSetLayout (device->device, pipelines->set_layouts[i],
        NULL);
  }
  vk->DestroyPipelineCache (device->device, pipelines->cache, NULL);
  g_hash_table_unref (pipelines->made);
  clip_mutex_clear (&pipelines->lock);
  g_clear_pointer (&device->pipelines, g_free);
}
