/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Timings of the kernels, printed and not judged.
 */
#pragma once

#include "tests/kernels/variants.h"

void bench_against_blas (void);
void bench_operations (void);
/* Sorts x; x[0] is the best afterwards. */
gdouble bench_median (gdouble *x, guint n);
