/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbers as weight files store them, little-endian, to the machine's floats.
 */
#pragma once

#include "engine/types.h"

/* F16 or BF16 values to floats, exactly; `in` and `out` do not overlap.
 * Returns FALSE where one of them is infinite or not a number. */
gboolean clip_convert_f16 (const guint16 *in, gsize n, gfloat *out);
gboolean clip_convert_bf16 (const guint16 *in, gsize n, gfloat *out);
/* Brings n values of any of the floating types into the machine's byte order,
 * where they lie. Returns FALSE as above. */
gboolean clip_convert_in_place (ClipDType dtype, gpointer values, gsize n);
/* Whether every value is finite. */
gboolean clip_all_finite (const gfloat *values, gsize n);
