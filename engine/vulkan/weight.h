/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Weights in device memory. They lie in blocks that many share, and one that a
 * binding could not span comes in parts.
 */
#pragma once

#include "engine/plan/backend.h"
#include "engine/vulkan/memory.h"

typedef struct _ClipVulkanBlock ClipVulkanBlock;

typedef struct {
  ClipVulkanBlock *block;
  VkBuffer buffer;
  VkDeviceSize offset, size;
  guint first, n; /* MATRIX: columns of the output; TABLE: rows */
} ClipVulkanPart;

struct _ClipWeight {
  ClipVulkanDevice *device; /* a reference */
  ClipRole role;
  ClipDType dtype;     /* TABLE: the file's; else F32, or F16 for a MATRIX */
  gsize rows, columns; /* as the tower knows it */
  /* MATRIX: [inputs x outputs], padded as kernels.h says; a part's columns
   * padded alone. CONV, CONV_FULL: [taps x channels], `stride` channels a row.
   * VECTOR, TABLE: as they were. */
  guint stride;
  guint n_parts;
  ClipVulkanPart *parts;
};

void clip_vulkan_weight_pool_init (ClipVulkanDevice *device);
void clip_vulkan_weight_pool_clear (ClipVulkanDevice *device);

/* `half`: matrices are to be stored in 16 bits, where their values fit. */
ClipWeight *clip_vulkan_weight_new (ClipVulkanDevice *device, gboolean half,
    ClipRole role, const ClipHostTensor *tensor, GError **error);
void clip_vulkan_weight_free (ClipWeight *weight);
