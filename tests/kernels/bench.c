/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/kernels/variants.h"
int
bench_run (void)
{
  return 0;
}
