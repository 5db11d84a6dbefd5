/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stands between the engine and the Vulkan loader: counts what is alive, lets
 * the n-th call of a kind fail, and hides what the device can do. What the
 * engine then binds is held against the limits that it was told.
 */
#pragma once

#include "engine/vulkan/api.h"

typedef enum {
  SHIM_ALLOCATE,
  SHIM_SUBMIT,
  SHIM_WAIT,
  SHIM_PIPELINE,
  SHIM_N_CALLS
} ShimCall;

typedef struct {
  /* The n-th call of a kind returns `result`; 0: none does. */
  guint fail_at[SHIM_N_CALLS];
  VkResult result;
  /* Limits; 0: the device's own. */
  guint bindings, threads, shared, range;
  gboolean staging;      /* device memory and host memory are two */
  gboolean non_coherent; /* host memory must be flushed */
  gboolean no_barriers;  /* a mistake: none is recorded */

  /* What happened. */
  guint calls[SHIM_N_CALLS];
  guint flushes, invalidates;
  gint alive; /* objects of every kind */
  guint largest_range;
} Shim;

extern Shim shim;

/* Puts the shim in place, with nothing to do. */
void shim_install (void);
/* Out again; fails the test where something is still alive. */
void shim_remove (void);
