/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/kernels/variants.h"
void
backend_add_tests (void)
{
}
