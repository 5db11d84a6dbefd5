/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan/program.h"

static void
vulkan_free (ClipBackend *backend)
{
  ClipVulkanBackend *vulkan = (ClipVulkanBackend *) backend;

  g_clear_pointer (&vulkan->device, clip_vulkan_device_unref);
  g_free (backend->description);
  g_free (backend->warning);
  g_free (vulkan);
}

/* Weights lie on a device: another one, or the same one opened again, has
 * none of them. */
static const gchar *
weight_layout (ClipBackend *backend)
{
  const ClipVulkanBackend *vulkan = (const ClipVulkanBackend *) backend;
  g_autofree gchar *layout = g_strdup_printf ("vulkan-%u-%s",
      vulkan->device->serial, vulkan->half ? "f16" : "f32");

  return g_intern_string (layout);
}

static ClipWeight *
prepare_weight (ClipBackend *backend, ClipRole role, ClipHostTensor *tensor,
    GError **error)
{
  ClipVulkanBackend *vulkan = (ClipVulkanBackend *) backend;

  return clip_vulkan_weight_new (vulkan->device, vulkan->half, role, tensor,
      error);
}

static const ClipOps vulkan_ops = {
  .free = vulkan_free,
  .weight_layout = weight_layout,
  .prepare_weight = prepare_weight,
  .free_weight = clip_vulkan_weight_free,
  .prepare = clip_vulkan_prepare,
  .run = clip_vulkan_run,
  .free_program = clip_vulkan_free_program,
};

/* Halves need a fifth buffer, for the flag. On a CPU behind a driver, packing
 * and unpacking them costs more than it saves. */
static gboolean
choose_precision (ClipVulkanBackend *vulkan, ClipPrecision precision,
    GError **error)
{
  const ClipVulkanCaps *caps = &vulkan->device->caps;
  const gboolean can = caps->max_bindings >= CLIP_VULKAN_MAX_BINDINGS;

  vulkan->half = precision == CLIP_PRECISION_F16
      || (precision == CLIP_PRECISION_AUTO && can && !caps->software);
  if (!vulkan->half || can)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
      "the Vulkan device %s binds %u buffers a kernel; 16-bit floats need %u",
      caps->name, caps->max_bindings, CLIP_VULKAN_MAX_BINDINGS);
  return FALSE;
}

static gboolean
choose_tile (ClipVulkanBackend *vulkan, const gchar *name, GError **error)
{
  if (!name)
    return TRUE;
  for (guint i = 0; i < CLIP_VULKAN_N_TILES; i++)
    if (g_str_equal (clip_vulkan_tiles[i].name, name))
      vulkan->tile = &clip_vulkan_tiles[i];
  if (vulkan->tile
      && clip_vulkan_tile_fits (vulkan->tile, &vulkan->device->caps))
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
      "the Vulkan device %s has no kernel \"%s\"", vulkan->device->caps.name,
      name);
  return FALSE;
}

ClipBackend *
clip_vulkan_backend_new (const ClipVulkanParams *params, GError **error)
{
  ClipVulkanBackend *vulkan = g_new0 (ClipVulkanBackend, 1);

  vulkan->parent.ops = &vulkan_ops;
  vulkan->device = clip_vulkan_device_open (params->device, error);
  if (!vulkan->device || !choose_precision (vulkan, params->precision, error)
      || !choose_tile (vulkan, params->kernel, error)
      || !clip_vulkan_check_products (vulkan, error)) {
    vulkan_free (&vulkan->parent);
    return NULL;
  }
  vulkan->parent.narrow = vulkan->half;
  vulkan->parent.description = g_strdup_printf ("vulkan, %s, %s",
      vulkan->device->caps.name, vulkan->half ? "f16" : "f32");
  return &vulkan->parent;
}
