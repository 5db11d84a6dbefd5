/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Vulkan's variants, on the device that CLIP_TEST_DEVICE names: Mesa's
 * software device where it does not.
 */
#include "tests/kernels/variants.h"
#ifdef HAVE_VULKAN
#  include "engine/vulkan/vulkan.h"

static const Variant *current;
static ClipBackend *backend;

ClipBackend *
vulkan_variant_get (const Variant *variant, GError **error)
{
  const gchar *device = g_getenv ("CLIP_TEST_DEVICE");
  const ClipVulkanParams params = {
    .device = device ? device : "llvmpipe",
    .precision = variant->precision,
    .kernel = variant->gemm_only ? strchr (variant->name, '/') + 1 : NULL,
  };

  if (variant == current)
    return backend;
  vulkan_variant_clear ();
  backend = clip_vulkan_backend_new (&params, error);
  if (backend)
    current = variant;
  return backend;
}

void
vulkan_variant_clear (void)
{
  if (backend)
    backend->ops->free (backend);
  backend = NULL;
  current = NULL;
}
#else
ClipBackend *
vulkan_variant_get (const Variant *variant, GError **error)
{
  g_set_error_literal (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
      "this build has no Vulkan");
  return NULL;
}

void
vulkan_variant_clear (void)
{
}
#endif
