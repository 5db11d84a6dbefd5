/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A folder of tests/goldens: a model, texts, pictures, and what a reference
 * implementation answers in double precision. Failing to read one aborts the
 * test program.
 */
#pragma once

#include "engine/model/model.h"

typedef struct {
  gchar *folder;
  ClipModel *model;
  gchar **texts; /* texts.json */
  guint n_texts, n_images;
} Golden;

/* `name` is a folder of tests/goldens; "starter" has its model elsewhere. */
Golden *golden_load (const gchar *name);
void golden_free (Golden *golden);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Golden, golden_free)

/* A tensor of expected.safetensors, F32 or I32; *n elements. */
gpointer golden_expected (const Golden *golden, gsize *n,
    const gchar *name_format, ...) G_GNUC_PRINTF (3, 4);
/* images/I.png as an RGB view; *pixels owns the memory. */
ClipImage golden_image (const Golden *golden, guint i, GBytes **pixels);

/* ||a - b||_2 of two rows. */
gdouble golden_distance (const gfloat *a, const gfloat *b, guint dim);
