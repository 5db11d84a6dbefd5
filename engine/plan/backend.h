/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ClipOps: what a device must be able to do for the engine to run on it.
 * Towers know no device and devices know no model; both know plans. A new
 * device is a folder that fills this table.
 */
#pragma once

#include "engine/clip.h"
#include "engine/plan/plan.h"

typedef struct _ClipBackend ClipBackend;
typedef struct _ClipProgram ClipProgram; /* a plan, ready to run */
typedef struct _ClipWeight ClipWeight;   /* a weight, ready to use */

/* Called after each operation with what it wrote, [rows x columns] f32 (rows
 * over the whole batch), for comparing layer by layer with a reference. */
typedef void (*ClipDumpFunc) (const gchar *name, const gfloat *data, gsize rows,
    gsize columns, gpointer user_data);

typedef struct {
  void (*free) (ClipBackend *backend);

  /* Prepared weights of equal layout are shared between backends: the key
   * says how this backend lays them out ("cpu-avx512"). Static string. */
  const gchar *(*weight_layout) (ClipBackend *backend);
  /* Takes the host tensor's data over when it can be used as it is (and sets
   * data NULL), copies otherwise. Thread-safe. */
  ClipWeight *(*prepare_weight) (ClipBackend *backend, ClipRole role,
      ClipHostTensor *tensor, GError **error);
  void (*free_weight) (ClipWeight *weight);

  /* `weights` are in the order of plan->weights and are not owned by the
   * program; both outlive it. Allocates everything a run needs. */
  ClipProgram *(*prepare) (ClipBackend *backend, const ClipPlan *plan,
      ClipWeight *const *weights, GError **error);
  /* Runs `batch` <= max_batch items; one thread at a time per backend.
   * inputs and outputs by slot, each [batch*rows x columns]. Allocates
   * nothing. `dump` may be NULL. */
  gboolean (*run) (ClipProgram *program, guint batch,
      gconstpointer const *inputs, gpointer const *outputs, ClipDumpFunc dump,
      gpointer dump_data, GError **error);
  void (*free_program) (ClipProgram *program);
} ClipOps;

/* Every backend's struct begins with this. */
struct _ClipBackend {
  const ClipOps *ops;
  const gchar *name;  /* "cpu" */
  gchar *description; /* for people */
  gchar *warning;     /* NULL, or what was found wrong at start */
  /* Computes in 16 bits. Where a value does not fit, a run fails and sets
   * `overflowed`; the same in 32 bits will do. */
  gboolean narrow, overflowed;
};
