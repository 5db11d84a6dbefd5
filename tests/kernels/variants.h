/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The compiled variants of the CPU's kernels, each forced by name.
 */
#pragma once

#include "engine/cpu/context.h"

typedef struct {
  const gchar *name;
  ClipProcessor processor;
  ClipSgemm sgemm;
} Variant;

#define N_VARIANTS 4
extern const Variant variants[N_VARIANTS];

/* NULL, with the running test marked as skipped, where this machine's
 * processor cannot run it. */
ClipBackend *variant_backend_new (const Variant *variant, guint n_threads);

/* Memory between a poisoned stretch and a page that cannot be touched. */
typedef struct {
  guint8 *map;
  gsize map_size;
  gpointer data;
} Guarded;

Guarded guarded_new (gsize size);
/* Fails the test when something was written before the data. */
void guarded_free (Guarded *guarded);

void ops_add_tests (void);
void backend_add_tests (void);
