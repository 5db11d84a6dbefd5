/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/backends.h"

#include "engine/cpu/cpu.h"
#ifdef HAVE_VULKAN
#  include "engine/vulkan/vulkan.h"
#endif

static ClipBackend *
new_cpu (const ClipEncoderParams *params, GError **error)
{
  ClipBackend *backend = clip_cpu_backend_new (params->n_threads, error);

  if (backend)
    backend->name = "cpu";
  return backend;
}

static ClipBackend *
new_vulkan (const ClipEncoderParams *params, GError **error)
{
  ClipBackend *backend = NULL;

#ifdef HAVE_VULKAN
  backend =
      clip_vulkan_backend_new (&(ClipVulkanParams){ .device = params->device,
                                   .precision = params->precision },
          error);
  if (backend)
    backend->name = "vulkan";
#else
  g_set_error_literal (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
      "this build has no Vulkan");
#endif
  return backend;
}

static gboolean
names_device (const ClipEncoderParams *params)
{
  return params->device && *params->device
      && !g_str_equal (params->device, "auto");
}

static void
add_line (gchar **text, const gchar *line)
{
  gchar *longer =
      *text ? g_strconcat (*text, "; ", line, NULL) : g_strdup (line);

  g_free (*text);
  *text = longer;
}

static ClipBackend *
new_auto (const ClipEncoderParams *params, GError **error)
{
  g_autoptr (GError) why_not = NULL;
  g_autofree gchar *line = NULL;
  ClipBackend *backend = new_vulkan (params, &why_not);

  if (backend)
    return backend;
  backend = new_cpu (params, error);
  if (!backend)
    return NULL;
  line = g_strdup_printf ("not Vulkan: %s", why_not->message);
  add_line (&backend->description, line);
  if (names_device (params))
    add_line (&backend->warning, line);
  return backend;
}

static ClipBackend *
new_cpu_as_asked (const ClipEncoderParams *params, GError **error)
{
  if (params->precision != CLIP_PRECISION_F16 && !names_device (params))
    return new_cpu (params, error);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
      "the CPU backend computes in 32 bits and has no devices to choose from");
  return NULL;
}

ClipBackend *
clip_backend_new (const ClipEncoderParams *params, GError **error)
{
  const gchar *name = params->backend ? params->backend : "auto";

  if (g_str_equal (name, "auto"))
    return new_auto (params, error);
  if (g_str_equal (name, "cpu"))
    return new_cpu_as_asked (params, error);
  if (g_str_equal (name, "vulkan"))
    return new_vulkan (params, error);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
      "there is no backend \"%s\"; there are auto, cpu and vulkan", name);
  return NULL;
}
