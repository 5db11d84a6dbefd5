/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The products of a ViT-B/32, epilogues and all, against bare cblas_sgemm ()
 * calls of the same shapes and threads: alternating, every layer with weights
 * of its own as in a tower. OpenBLAS runs the core it detects.
 */
#include "tests/kernels/bench.h"

#include <stdlib.h>

#define ROUNDS 11
#define LAYERS 12

typedef struct {
  const gchar *name;
  guint rows; /* of one item */
  guint columns, depth;
  guint repeats;
  ClipActivation act;
  gboolean bias, residual;
} Product;

static const Product products[] = {
  { "patch", 49, 768, 3072, 1, CLIP_ACT_NONE, FALSE, FALSE },
  { "qkv", 50, 2304, 768, LAYERS, CLIP_ACT_NONE, TRUE, FALSE },
  { "out", 50, 768, 768, LAYERS, CLIP_ACT_NONE, TRUE, TRUE },
  { "fc1", 50, 3072, 768, LAYERS, CLIP_ACT_QUICK_GELU, TRUE, FALSE },
  { "fc2", 50, 768, 3072, LAYERS, CLIP_ACT_NONE, TRUE, TRUE },
  { "projection", 1, 512, 768, 1, CLIP_ACT_NONE, FALSE, FALSE },
};
#define N_PRODUCTS G_N_ELEMENTS (products)

typedef struct {
  ClipCpuBackend *backend; /* NULL: bare cblas_sgemm () */
  guint n_threads, batch;
  gfloat *weights[N_PRODUCTS][LAYERS];
  gfloat *a, *out, *bias, *scratch;
  gdouble seconds[N_PRODUCTS + 1][ROUNDS]; /* of one layer; last: of all */
} Contestant;

static gfloat *
make_floats (gsize n, gboolean random)
{
  gfloat *x = clip_cpu_alloc (n * sizeof (gfloat), "a benchmark", NULL);

  for (gsize i = 0; random && i < n; i++)
    x[i] = (gfloat) ((i * 2654435761u >> 8) % 2048) / 1024.f - 1.f;
  return x;
}

static void
contestant_init (Contestant *c, ClipCpuBackend *backend, guint n_threads,
    guint batch)
{
  c->backend = backend;
  c->n_threads = n_threads;
  c->batch = batch;
  for (guint p = 0; p < N_PRODUCTS; p++)
    for (guint i = 0; i < products[p].repeats; i++) {
      const gsize columns = products[p].columns, depth = products[p].depth;

      c->weights[p][i] = make_floats (columns * depth, TRUE);
      if (backend && !backend->sgemm) {
        gfloat *packed =
            make_floats (backend->kernels->packed_size (columns, depth), FALSE);

        backend->kernels->pack (c->weights[p][i], depth, columns, depth,
            packed);
        free (c->weights[p][i]);
        c->weights[p][i] = packed;
      }
    }
  c->a = make_floats (batch * 50 * 3072, TRUE);
  c->out = make_floats (batch * 50 * 3072, FALSE);
  c->bias = make_floats (3072, TRUE);
  if (backend)
    c->scratch =
        make_floats (clip_cpu_gemm_scratch (backend) * n_threads, FALSE);
}

static void
contestant_clear (Contestant *c)
{
  for (guint p = 0; p < N_PRODUCTS; p++)
    for (guint i = 0; i < products[p].repeats; i++)
      free (c->weights[p][i]);
  free (c->a);
  free (c->out);
  free (c->bias);
  free (c->scratch);
}

static void
multiply (Contestant *c, const Product *p, const gfloat *weight)
{
  const ClipGemm gemm = {
    .a = c->a,
    .a_stride = p->depth,
    .packed = weight,
    .columns = p->columns,
    .depth = p->depth,
    .packed_depth = p->depth,
    .bias = p->bias ? c->bias : NULL,
    .residual = p->residual ? c->out : NULL,
    .residual_stride = p->columns,
    .out = c->out,
    .out_stride = p->columns,
    .act = p->act,
  };

  if (c->backend)
    clip_cpu_gemm (c->backend, &gemm, c->batch, p->rows, c->scratch,
        clip_cpu_gemm_scratch (c->backend));
  else
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, c->batch * p->rows,
        p->columns, p->depth, 1.f, c->a, p->depth, weight, p->depth, 0.f,
        c->out, p->columns);
}

/* OpenBLAS's threads keep spinning for some 30 ms after their last call; they
 * must not take processors from the next contestant. */
#define REST (60 * G_TIME_SPAN_MILLISECOND)

static void
run_round (Contestant *c, guint round)
{
  g_usleep (REST);
  openblas_set_num_threads (c->backend ? 1 : c->n_threads);
  memset (c->out, 0, sizeof (gfloat) * c->batch * 50 * 3072);
  c->seconds[N_PRODUCTS][round] = 0;
  for (guint p = 0; p < N_PRODUCTS; p++) {
    const gint64 start = g_get_monotonic_time ();

    for (guint i = 0; i < products[p].repeats; i++)
      multiply (c, &products[p], c->weights[p][i]);
    c->seconds[p][round] = (g_get_monotonic_time () - start) * 1e-6;
    c->seconds[N_PRODUCTS][round] += c->seconds[p][round];
  }
}

static void
print_comparison (Contestant *ours, Contestant *bare, const gchar *name)
{
  gdouble total = 0;

  for (guint p = 0; p <= N_PRODUCTS; p++) {
    const gboolean all = p == N_PRODUCTS;
    const gdouble flop = all ? total
                             : 2. * ours->batch * products[p].rows
            * products[p].columns * products[p].depth * products[p].repeats;
    const gdouble own = bench_median (ours->seconds[p], ROUNDS);
    const gdouble other = bench_median (bare->seconds[p], ROUNDS);

    total += flop;
    g_print ("%-9s batch %u threads %u %-10s %8.3f ms %6.1f GFLOP/s, "
             "cblas_sgemm %8.3f ms %6.1f GFLOP/s, ratio %.3f (of the best "
             "rounds %.3f)\n",
        name, ours->batch, ours->n_threads, all ? "total" : products[p].name,
        own * 1e3, flop / own * 1e-9, other * 1e3, flop / other * 1e-9,
        own / other, ours->seconds[p][0] / bare->seconds[p][0]);
  }
}

static void
compare_with_blas (const Variant *variant, guint n_threads, guint batch)
{
  g_autofree Contestant *ours = g_new0 (Contestant, 1);
  g_autofree Contestant *bare = g_new0 (Contestant, 1);
  ClipBackend *backend = variant_backend_new (variant, n_threads);

  if (!backend)
    return;
  contestant_init (ours, (ClipCpuBackend *) backend, n_threads, batch);
  contestant_init (bare, NULL, n_threads, batch);
  for (guint round = 0; round < ROUNDS; round++) {
    run_round (ours, round);
    run_round (bare, round);
  }
  print_comparison (ours, bare, variant->name);
  contestant_clear (ours);
  contestant_clear (bare);
  backend->ops->free (backend);
}

void
bench_against_blas (void)
{
  const guint n_threads = clip_pool_count_processors ();
  const Variant *best = &variants[clip_processor_detect ()];

  g_print ("OpenBLAS core: %s\n", openblas_get_corename ());
  for (guint batch = 1; batch <= 8; batch += 7) {
    compare_with_blas (best, 1, batch);
    if (n_threads > 1)
      compare_with_blas (best, n_threads, batch);
  }
}
