/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Models of known architectures with random weights, for benchmarks.
 */
#pragma once

#include "engine/model/model.h"

/* UNSUPPORTED for an architecture other than those of clip_model_new_random ().
 * The activation is quick_gelu, as in OpenAI's weights. */
gboolean clip_random_spec_init (ClipModelSpec *spec, const gchar *arch,
    GError **error);
/* Fills out (rows and columns are given), the same for the same seed and name:
 * normally distributed, deviation 0.02, around 1 for the gains of norms. */
gboolean clip_random_read (guint32 seed, const gchar *name, ClipHostTensor *out,
    GError **error);
