/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan/kernels.h"

static const guint32 attention_f32[] = {
#include "attention.f32.inc"
};
static const guint32 attention_f16[] = {
#include "attention.f16.inc"
};
static const guint32 conv_depthwise_f32[] = {
#include "conv_depthwise.f32.inc"
};
static const guint32 conv_depthwise_f16[] = {
#include "conv_depthwise.f16.inc"
};
static const guint32 conv_full_f32[] = {
#include "conv_full.f32.inc"
};
static const guint32 conv_full_f16[] = {
#include "conv_full.f16.inc"
};
static const guint32 embed_f32[] = {
#include "embed.f32.inc"
};
static const guint32 gather_f32[] = {
#include "gather.f32.inc"
};
static const guint32 gather_f16[] = {
#include "gather.f16.inc"
};
static const guint32 gemm_f32[] = {
#include "gemm.f32.inc"
};
static const guint32 gemm_f16[] = {
#include "gemm.f16.inc"
};
static const guint32 layer_norm_f32[] = {
#include "layer_norm.f32.inc"
};
static const guint32 layer_norm_f16[] = {
#include "layer_norm.f16.inc"
};
static const guint32 mean_pool_f32[] = {
#include "mean_pool.f32.inc"
};
static const guint32 normalise_f32[] = {
#include "normalise.f32.inc"
};
static const guint32 prepend_f32[] = {
#include "prepend.f32.inc"
};

#define ONE(kernel)                                                            \
  {                                                                            \
#    kernel, { kernel##_f32 },                                                 \
    {                                                                          \
      G_N_ELEMENTS (kernel##_f32)                                              \
    }                                                                          \
  }
#define BOTH(kernel)                                                           \
  {                                                                            \
#    kernel, { kernel##_f32, kernel##_f16 },                                   \
    {                                                                          \
      G_N_ELEMENTS (kernel##_f32), G_N_ELEMENTS (kernel##_f16)                 \
    }                                                                          \
  }

static const struct {
  const gchar *name;
  const guint32 *code[2];
  gsize n_words[2];
} kernels[CLIP_VULKAN_N_KERNELS] = {
  [CLIP_VULKAN_ATTENTION] = BOTH (attention),
  [CLIP_VULKAN_CONV_DEPTHWISE] = BOTH (conv_depthwise),
  [CLIP_VULKAN_CONV_FULL] = BOTH (conv_full),
  [CLIP_VULKAN_EMBED] = ONE (embed),
  [CLIP_VULKAN_GATHER] = BOTH (gather),
  [CLIP_VULKAN_GEMM] = BOTH (gemm),
  [CLIP_VULKAN_LAYER_NORM] = BOTH (layer_norm),
  [CLIP_VULKAN_MEAN_POOL] = ONE (mean_pool),
  [CLIP_VULKAN_NORMALISE] = ONE (normalise),
  [CLIP_VULKAN_PREPEND] = ONE (prepend),
};

const guint32 *
clip_vulkan_kernel_code (ClipVulkanKernel kernel, gboolean half, gsize *n_words)
{
  const guint i = half ? 1 : 0;

  g_assert (kernels[kernel].code[i]);
  *n_words = kernels[kernel].n_words[i];
  return kernels[kernel].code[i];
}

const gchar *
clip_vulkan_kernel_name (ClipVulkanKernel kernel)
{
  return kernels[kernel].name;
}
