/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of the CPU backend share.
 */
#pragma once

#include <cblas.h>

#include "engine/cpu/cpu.h"
#include "engine/cpu/kernels.h"
#include "engine/cpu/pool.h"

typedef __typeof__ (cblas_sgemm) *ClipSgemm;

typedef struct {
  ClipBackend parent;
  ClipPool *pool;
  const ClipKernels *kernels;
  /* NULL: our own kernels on packed weights. Else matrices stay row-major, the
   * pool cuts the product and each thread calls this for its piece. */
  ClipSgemm sgemm;
} ClipCpuBackend;

struct _ClipWeight {
  ClipRole role;
  ClipDType dtype;
  gsize rows, columns; /* as the tower knows it */
  /* MATRIX: packed, or row-major for OpenBLAS. CONV_FULL: packed. CONV:
   * [k * k x channels]. VECTOR, TABLE: as they were. */
  gpointer data;
};

/* NULL with a MEMORY error that names `what`; zeroed, aligned to 64 bytes, to
 * be freed with free (). */
gpointer clip_cpu_alloc (gsize size, const gchar *what, GError **error);

ClipWeight *clip_cpu_prepare_weight (ClipBackend *backend, ClipRole role,
    ClipHostTensor *tensor, GError **error);
void clip_cpu_free_weight (ClipWeight *weight);

/* A whole gemm on the pool: `items` times `rows` rows. scratch holds
 * scratch_size floats for each thread, at least clip_cpu_gemm_scratch (). */
void clip_cpu_gemm (ClipCpuBackend *backend, const ClipGemm *gemm, gsize items,
    gsize rows, gfloat *scratch, gsize scratch_size);
gsize clip_cpu_gemm_scratch (ClipCpuBackend *backend);

/* Whether a product whose answer is known comes out right. */
gboolean clip_cpu_check_gemm (ClipCpuBackend *backend, gboolean *right,
    GError **error);

ClipProgram *clip_cpu_prepare (ClipBackend *backend, const ClipPlan *plan,
    ClipWeight *const *weights, GError **error);
gboolean clip_cpu_run (ClipProgram *program, guint batch,
    gconstpointer const *inputs, gpointer const *outputs, ClipDumpFunc dump,
    gpointer dump_data, GError **error);
void clip_cpu_free_program (ClipProgram *program);

struct _ClipProgram {
  ClipCpuBackend *backend;
  const ClipPlan *plan;
  ClipWeight **weights;
  guint8 *arena;
  gfloat *scratch; /* scratch_size floats for each thread */
  gsize scratch_size;
};

/* One run of a program. */
typedef struct {
  const ClipProgram *program;
  guint batch;
  gconstpointer const *inputs;
  gpointer const *outputs;
} ClipCpuRun;

gpointer clip_cpu_run_tensor (const ClipCpuRun *run, ClipTensorId id);

/* Floats that each thread needs for an operation. */
gsize clip_cpu_op_scratch (ClipCpuBackend *backend, const ClipPlan *plan,
    const ClipOp *op);
gboolean clip_cpu_run_op (const ClipCpuRun *run, const ClipOp *op,
    GError **error);

/* clip_cpu_backend_new () with a processor and a BLAS (NULL: our kernels) of
 * the caller's choice; tests force variants and a wrong BLAS with it. */
ClipBackend *clip_cpu_backend_new_with (guint n_threads,
    ClipProcessor processor, ClipSgemm sgemm, GError **error);
