/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 16-bit floats (IEEE binary16) on the host.
 */
#pragma once

#include <glib.h>

#define CLIP_HALF_MAX 65504.f

/* Rounds to nearest, ties to even; beyond the range: infinity. */
guint16 clip_half_from_float (gfloat x);
gfloat clip_half_to_float (guint16 h);
