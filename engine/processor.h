/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which of the compiled kernel variants this processor can run.
 */
#pragma once

typedef enum {
  CLIP_PROCESSOR_C,      /* what the compiler assumes anyway */
  CLIP_PROCESSOR_AVX2,   /* AVX2, FMA, F16C */
  CLIP_PROCESSOR_AVX512, /* and AVX-512 F, BW, DQ, VL */
} ClipProcessor;

/* The best variant, or the one that the environment variable
 * GST_CLIP_PROCESSOR names (c, avx2, avx512), never more than the processor
 * has. Cheap; any thread. */
ClipProcessor clip_processor_detect (void);
const char *clip_processor_name (ClipProcessor processor);
