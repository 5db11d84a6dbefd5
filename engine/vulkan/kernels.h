/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The kernels of shaders/, embedded as SPIR-V, and how they are specialised.
 */
#pragma once

#include <glib.h>

typedef enum {
  CLIP_VULKAN_ATTENTION,
  CLIP_VULKAN_CONV_DEPTHWISE,
  CLIP_VULKAN_CONV_FULL,
  CLIP_VULKAN_EMBED,
  CLIP_VULKAN_GATHER,
  CLIP_VULKAN_GEMM,
  CLIP_VULKAN_LAYER_NORM,
  CLIP_VULKAN_MEAN_POOL,
  CLIP_VULKAN_NORMALISE,
  CLIP_VULKAN_PREPEND,
  CLIP_VULKAN_N_KERNELS
} ClipVulkanKernel;

/* Numbers of the specialisation constants: the first four are the same in
 * every kernel, and so are the last ones where a kernel has them. */
enum {
  CLIP_VULKAN_A_HALF,
  CLIP_VULKAN_B_HALF,
  CLIP_VULKAN_OUT_HALF,
  CLIP_VULKAN_THREADS,
  CLIP_VULKAN_OWN,
  CLIP_VULKAN_ACT = 10,
  CLIP_VULKAN_BIAS,
  CLIP_VULKAN_RESIDUAL,
  CLIP_VULKAN_OUT_QUADS,
  CLIP_VULKAN_N_CONSTANTS
};

/* Columns of a gemm's weight are padded to a multiple of COLUMNS, rows to a
 * multiple of ROWS: see shaders/gemm.comp. */
#define CLIP_VULKAN_PAD_COLUMNS 64
#define CLIP_VULKAN_PAD_ROWS 32

/* A kernel's SPIR-V. `half`: the module that may store 16-bit floats, which
 * has one buffer more; only for kernels whose output may be of that type. */
const guint32 *clip_vulkan_kernel_code (ClipVulkanKernel kernel, gboolean half,
    gsize *n_words);
const gchar *clip_vulkan_kernel_name (ClipVulkanKernel kernel);
