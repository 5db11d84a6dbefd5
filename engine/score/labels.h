/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What scoring knows of a bank of labels.
 */
#pragma once

#include "engine/clip.h"

struct _ClipLabels {
  gatomicrefcount references;
  gchar **labels; /* [n_labels] and NULL */
  guint n_labels, n_negatives;
  gsize dim;
  gfloat *bank; /* [n_labels + n_negatives x dim], unit rows */
  /* The model's. */
  ClipScoreMode mode;
  gfloat logit_scale, logit_bias;
  gboolean has_bias; /* trained with a sigmoid loss */
};
