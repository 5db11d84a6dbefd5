/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/processor.h"

#include <glib.h>

static const char *const names[] = { "c", "avx2", "avx512" };

const char *
clip_processor_name (ClipProcessor processor)
{
  return names[processor];
}

ClipProcessor
clip_processor_detect (void)
{
  ClipProcessor best = CLIP_PROCESSOR_C;
  const char *wanted = g_getenv ("GST_CLIP_PROCESSOR");

#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma")
      && __builtin_cpu_supports ("f16c")) {
    best = CLIP_PROCESSOR_AVX2;
    if (__builtin_cpu_supports ("avx512f")
        && __builtin_cpu_supports ("avx512bw")
        && __builtin_cpu_supports ("avx512dq")
        && __builtin_cpu_supports ("avx512vl"))
      best = CLIP_PROCESSOR_AVX512;
  }
#endif
  for (int i = 0; wanted && i < (int) best; i++)
    if (g_str_equal (wanted, names[i]))
      best = (ClipProcessor) i;
  return best;
}
