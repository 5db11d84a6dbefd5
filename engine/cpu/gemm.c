/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A gemm, cut into parts for the pool. The cuts never change a result: our
 * kernels compute a row the same way wherever it lies, and OpenBLAS, which
 * does not, is given the same pieces of one item whatever the batch.
 */
#include "engine/cpu/context.h"

/* Of a part for our kernels: a strip of rows, once copied, serves this many
 * columns, and a block of so many of W stays in the second-level cache while
 * the rows pass. */
#define ROWS 112
#define COLUMNS 384
/* Of a part for OpenBLAS. */
#define BLAS_ROWS 256
#define BLAS_COLUMNS 256

typedef struct {
  ClipCpuBackend *backend;
  const ClipGemm *gemm;
  gsize rows; /* of everything; for OpenBLAS of one item */
  gsize panels, panel_parts, row_parts;
  gfloat *scratch;
  gsize scratch_size;
} Job;

static gsize
divide_up (gsize n, gsize by)
{
  return (n + by - 1) / by;
}

static void
run_native (gpointer data, guint turn, guint thread)
{
  const Job *job = data;
  const gsize i = turn % job->row_parts, j = turn / job->row_parts;

  job->backend->kernels->gemm (job->gemm, job->rows * i / job->row_parts,
      job->rows * (i + 1) / job->row_parts, job->panels * j / job->panel_parts,
      job->panels * (j + 1) / job->panel_parts,
      job->scratch + thread * job->scratch_size);
}

static void
run_blas (gpointer data, guint turn, guint thread)
{
  const Job *job = data;
  const ClipGemm *gemm = job->gemm;
  const gsize item = turn / (job->row_parts * job->panel_parts);
  const gsize part = turn % (job->row_parts * job->panel_parts);
  const gsize row = item * job->rows + part % job->row_parts * BLAS_ROWS;
  const gsize rows = MIN (BLAS_ROWS, (item + 1) * job->rows - row);
  const gsize column = part / job->row_parts * BLAS_COLUMNS;
  const gsize columns = MIN (BLAS_COLUMNS, gemm->columns - column);
  gfloat *sums = job->scratch + thread * job->scratch_size;

  job->backend->sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, rows, columns,
      gemm->depth, 1.f, gemm->a + row * gemm->a_stride, gemm->a_stride,
      gemm->packed + column * gemm->packed_depth, gemm->packed_depth, 0.f, sums,
      columns);
  job->backend->kernels->epilogue (sums, columns,
      gemm->bias ? gemm->bias + column : NULL,
      gemm->residual ? gemm->residual + row * gemm->residual_stride + column
                     : NULL,
      gemm->residual_stride, gemm->out + row * gemm->out_stride + column,
      gemm->out_stride, rows, columns, gemm->act);
}

void
clip_cpu_gemm (ClipCpuBackend *backend, const ClipGemm *gemm, gsize items,
    gsize rows, gfloat *scratch, gsize scratch_size)
{
  Job job = { .backend = backend,
    .gemm = gemm,
    .scratch = scratch,
    .scratch_size = scratch_size };

  if (backend->sgemm) {
    job.rows = rows;
    job.row_parts = divide_up (rows, BLAS_ROWS);
    job.panel_parts = divide_up (gemm->columns, BLAS_COLUMNS);
    clip_pool_run (backend->pool, items * job.row_parts * job.panel_parts,
        run_blas, &job);
  } else {
    const gsize wanted = 3 * (gsize) clip_pool_get_n_threads (backend->pool);

    job.rows = items * rows;
    job.row_parts = divide_up (job.rows, ROWS);
    job.panels = divide_up (gemm->columns, backend->kernels->panel);
    job.panel_parts = divide_up (gemm->columns, COLUMNS);
    if (job.panel_parts * job.row_parts < wanted)
      job.panel_parts = MIN (job.panels, divide_up (wanted, job.row_parts));
    clip_pool_run (backend->pool, job.row_parts * job.panel_parts, run_native,
        &job);
  }
}

gsize
clip_cpu_gemm_scratch (ClipCpuBackend *backend)
{
  if (backend->sgemm)
    return BLAS_ROWS * BLAS_COLUMNS;
  return backend->kernels->gemm_scratch (ROWS,
      divide_up (COLUMNS, backend->kernels->panel));
}
