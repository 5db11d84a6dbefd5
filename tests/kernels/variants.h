/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The compiled variants of every backend's kernels, each forced by name.
 */
#pragma once

#include "engine/cpu/context.h"

typedef struct {
  const gchar *name;
  ClipProcessor processor;
  ClipSgemm sgemm;
  /* Vulkan's: the CPU's fields do not count. */
  gboolean vulkan;
  ClipPrecision precision;
  gboolean gemm_only; /* with the kernel that the variant's name ends in */
} Variant;

#define N_VARIANTS 16
extern const Variant variants[N_VARIANTS];

/* NULL, with the running test marked as skipped, where this machine's
 * processor cannot run it, or this build or machine has no Vulkan. One backend
 * serves all cases of a Vulkan variant. */
ClipBackend *variant_backend_new (const Variant *variant, guint n_threads);
void variant_backend_free (const Variant *variant, ClipBackend *backend);

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
/* A Vulkan variant's backend, and the end of the last one. */
ClipBackend *vulkan_variant_get (const Variant *variant, GError **error);
void vulkan_variant_clear (void);
