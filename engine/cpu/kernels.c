/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/cpu/variant.h"

#include "engine/thread.h"

#define N_VARIANTS (CLIP_PROCESSOR_AVX512 + 1)

static ClipKernels tables[N_VARIANTS];

#define FILL(kernels, variant)                                                 \
  G_STMT_START                                                                 \
  {                                                                            \
    clip_kernels_gemm_##variant (kernels);                                     \
    clip_kernels_norm_##variant (kernels);                                     \
    clip_kernels_attention_##variant (kernels);                                \
    clip_kernels_conv_##variant (kernels);                                     \
    clip_kernels_elementwise_##variant (kernels);                              \
  }                                                                            \
  G_STMT_END

static void
fill_tables (void)
{
  for (guint i = 0; i < N_VARIANTS; i++) {
    tables[i].processor = (ClipProcessor) i;
    FILL (&tables[i], c);
#if defined(__x86_64__)
    if (i >= CLIP_PROCESSOR_AVX2)
      FILL (&tables[i], avx2);
    if (i >= CLIP_PROCESSOR_AVX512)
      FILL (&tables[i], avx512);
#endif
  }
}

const ClipKernels *
clip_kernels_get (ClipProcessor processor)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once (&once, fill_tables);
  return &tables[processor];
}
