/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Kernel files are compiled once for each variant, with CLIP_VARIANT set to
 * its name; each fills its family's entries of the table.
 */
#pragma once

#include "engine/cpu/kernels.h"

#define CLIP_KERNELS_PASTE(family, variant) clip_kernels_##family##_##variant
#define CLIP_KERNELS_NAME(family, variant) CLIP_KERNELS_PASTE (family, variant)
/* void clip_kernels_gemm_avx2 (ClipKernels *kernels) */
#define CLIP_KERNELS_INIT(family)                                              \
  void CLIP_KERNELS_NAME (family, CLIP_VARIANT) (ClipKernels * kernels)

#define CLIP_KERNELS_DECLARE(variant)                                          \
  void clip_kernels_gemm_##variant (ClipKernels *kernels);                     \
  void clip_kernels_norm_##variant (ClipKernels *kernels);                     \
  void clip_kernels_attention_##variant (ClipKernels *kernels);                \
  void clip_kernels_conv_##variant (ClipKernels *kernels);                     \
  void clip_kernels_elementwise_##variant (ClipKernels *kernels)

CLIP_KERNELS_DECLARE (c);
CLIP_KERNELS_DECLARE (avx2);
CLIP_KERNELS_DECLARE (avx512);
