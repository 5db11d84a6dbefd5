/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The Vulkan backend: plans as recorded compute dispatches, on any device with
 * Vulkan 1.1. The loader is opened at run time.
 */
#pragma once

#include "engine/plan/backend.h"

typedef struct {
  /* NULL or "auto": the best GPU, never a software device. Else an index in
   * the loader's order, a UUID or its beginning, or a part of the name. */
  const gchar *device;
  ClipPrecision precision; /* AUTO: F16 where the device can */
  const gchar *kernel;     /* NULL, or the one kernel for all products: tests */
} ClipVulkanParams;

/* Fails with DEVICE where there is no loader, driver or such device, and with
 * UNSUPPORTED where the device cannot do what is asked. */
ClipBackend *clip_vulkan_backend_new (const ClipVulkanParams *params,
    GError **error);
