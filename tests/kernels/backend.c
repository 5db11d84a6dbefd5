/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CPU backend around its kernels: the pool, the check of the BLAS, errors,
 * guards, and that a run allocates nothing.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/allocations.h"
#include "tests/kernels/variants.h"

typedef struct {
  atomic_uint *counts;
  atomic_uint busy[64]; /* by thread index */
} PoolData;

static void
count_turn (gpointer data, guint turn, guint thread)
{
  PoolData *pool = data;

  g_assert_cmpuint (atomic_fetch_add (&pool->busy[thread], 1), ==, 0);
  atomic_fetch_add (&pool->counts[turn], 1);
  if (turn % 97 == 0)
    g_usleep (10);
  atomic_fetch_sub (&pool->busy[thread], 1);
}

static void
test_pool (gconstpointer n_threads)
{
  g_autoptr (GError) error = NULL;
  ClipPool *pool = clip_pool_new (GPOINTER_TO_UINT (n_threads), &error);
  PoolData data = { g_new0 (atomic_uint, 300) };

  g_assert_no_error (error);
  g_assert_cmpuint (clip_pool_get_n_threads (pool), ==,
      GPOINTER_TO_UINT (n_threads));
  for (guint loop = 0; loop < 3000; loop++) {
    const guint n = loop * 7919 % 300;

    /* Long enough now and then for everybody to fall asleep. */
    if (loop % 500 == 0)
      g_usleep (5000);
    clip_pool_run (pool, n, count_turn, &data);
    for (guint i = 0; i < n; i++)
      g_assert_cmpuint (atomic_exchange (&data.counts[i], 0), ==, 1);
  }
  clip_pool_free (pool);
  g_free (data.counts);
}

static void
test_processors (void)
{
  g_assert_cmpuint (clip_pool_count_processors (), >=, 1);
  g_assert_cmpuint (clip_pool_count_processors (), <=, g_get_num_processors ());
}

/* The result of a BLAS that was not made for this processor: the last column
 * of larger products is off. */
static void
wrong_sgemm (OPENBLAS_CONST enum CBLAS_ORDER order,
    OPENBLAS_CONST enum CBLAS_TRANSPOSE trans_a,
    OPENBLAS_CONST enum CBLAS_TRANSPOSE trans_b, OPENBLAS_CONST blasint m,
    OPENBLAS_CONST blasint n, OPENBLAS_CONST blasint k,
    OPENBLAS_CONST float alpha, OPENBLAS_CONST float *a,
    OPENBLAS_CONST blasint lda, OPENBLAS_CONST float *b,
    OPENBLAS_CONST blasint ldb, OPENBLAS_CONST float beta, float *c,
    OPENBLAS_CONST blasint ldc)
{
  cblas_sgemm (order, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c,
      ldc);
  if (m > 16 && n > 48)
    c[n - 1] += 1.f;
}

static void
test_wrong_blas (void)
{
  g_autoptr (GError) error = NULL;
  ClipBackend *backend =
      clip_cpu_backend_new_with (1, CLIP_PROCESSOR_C, wrong_sgemm, &error);

  g_assert_no_error (error);
  g_assert_nonnull (backend->warning);
  g_assert_nonnull (strstr (backend->warning, openblas_get_corename ()));
  g_assert_null (((ClipCpuBackend *) backend)->sgemm);
  g_assert_cmpstr (backend->ops->weight_layout (backend), ==, "cpu-c");
  backend->ops->free (backend);
}

static void
test_choice (void)
{
  g_autoptr (GError) error = NULL;
  ClipBackend *backend;

  g_setenv ("GST_CLIP_GEMM", "openblas", TRUE);
  backend = clip_cpu_backend_new (1, &error);
  g_assert_no_error (error);
  g_assert_nonnull (((ClipCpuBackend *) backend)->sgemm);
  g_assert_nonnull (strstr (backend->description, "OpenBLAS"));
  backend->ops->free (backend);

  g_setenv ("GST_CLIP_GEMM", "native", TRUE);
  backend = clip_cpu_backend_new (0, &error);
  g_assert_no_error (error);
  g_assert_null (((ClipCpuBackend *) backend)->sgemm);
  g_assert_null (strstr (backend->description, "OpenBLAS"));
  backend->ops->free (backend);

  g_setenv ("GST_CLIP_GEMM", "atlas", TRUE);
  g_assert_null (clip_cpu_backend_new (0, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
  g_unsetenv ("GST_CLIP_GEMM");
}

/* ids [3 x 1] -> tokens -> norm -> projected -> unit; one small tower. */
typedef struct {
  ClipBackend *backend;
  ClipPlan *plan;
  ClipWeight *weights[6];
  ClipProgram *program;
  gint32 ids[6];
  gfloat out[6 * 5];
} Tower;

static ClipWeightId
tower_weight (Tower *tower, ClipRole role, gsize rows, gsize columns)
{
  const ClipWeightId id = clip_plan_weight (tower->plan, role, rows, columns,
      "w%u", tower->plan->weights->len);
  g_auto (ClipHostTensor)
      host = { CLIP_DTYPE_F32, rows, columns, g_new (gfloat, rows * columns) };
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < rows * columns; i++)
    ((gfloat *) host.data)[i] = (gfloat) g_test_rand_double_range (-1, 1);
  tower->weights[id] =
      tower->backend->ops->prepare_weight (tower->backend, role, &host, &error);
  g_assert_no_error (error);
  return id;
}

static Tower *
tower_new (void)
{
  Tower *tower = g_new0 (Tower, 1);
  g_autoptr (GError) error = NULL;
  ClipOp op = CLIP_OP (CLIP_OP_EMBED);

  tower->backend = clip_cpu_backend_new (2, &error);
  g_assert_no_error (error);
  tower->plan = clip_plan_new (2);
  op.a = clip_plan_input (tower->plan, "ids", CLIP_DTYPE_I32, 3, 1);
  op.weight = tower_weight (tower, CLIP_ROLE_TABLE, 9, 7);
  op.bias = tower_weight (tower, CLIP_ROLE_VECTOR, 3, 7);
  op.out = clip_plan_tensor (tower->plan, 3, 7, "tokens");
  clip_plan_add (tower->plan, &op);

  op = (ClipOp){ .kind = CLIP_OP_LAYER_NORM,
    .a = op.out,
    .b = CLIP_NONE,
    .positions = CLIP_NONE,
    .epsilon = 1e-5f };
  op.weight = tower_weight (tower, CLIP_ROLE_VECTOR, 1, 7);
  op.bias = tower_weight (tower, CLIP_ROLE_VECTOR, 1, 7);
  op.out = clip_plan_tensor (tower->plan, 3, 7, "norm");
  clip_plan_add (tower->plan, &op);

  op = (ClipOp){ .kind = CLIP_OP_GEMM,
    .a = op.out,
    .b = CLIP_NONE,
    .positions = CLIP_NONE,
    .bias = CLIP_NONE };
  op.weight = tower_weight (tower, CLIP_ROLE_MATRIX, 5, 7);
  op.out = clip_plan_tensor (tower->plan, 3, 5, "projected");
  clip_plan_add (tower->plan, &op);

  op = (ClipOp){ .kind = CLIP_OP_NORMALISE,
    .a = op.out,
    .b = CLIP_NONE,
    .positions = CLIP_NONE,
    .weight = CLIP_NONE,
    .bias = CLIP_NONE };
  op.out = clip_plan_tensor (tower->plan, 3, 5, "unit");
  clip_plan_output (tower->plan, op.out);
  clip_plan_add (tower->plan, &op);
  clip_plan_finish (tower->plan, TRUE);
  tower->program = tower->backend->ops->prepare (tower->backend, tower->plan,
      tower->weights, &error);
  g_assert_no_error (error);
  return tower;
}

static void
tower_free (Tower *tower)
{
  tower->backend->ops->free_program (tower->program);
  for (guint i = 0; i < tower->plan->weights->len; i++)
    tower->backend->ops->free_weight (tower->weights[i]);
  clip_plan_free (tower->plan);
  tower->backend->ops->free (tower->backend);
  g_free (tower);
}

static gboolean
tower_run (Tower *tower, guint batch, ClipDumpFunc dump, gpointer data,
    GError **error)
{
  gconstpointer inputs[] = { tower->ids };
  gpointer outputs[] = { tower->out };

  return tower->backend->ops->run (tower->program, batch, inputs, outputs, dump,
      data, error);
}

static void
note_name (const gchar *name, const gfloat *data, gsize rows, gsize columns,
    gpointer names)
{
  g_string_append_printf (names, "%s [%zu x %zu] ", name, rows, columns);
  for (gsize i = 0; i < rows * columns; i++)
    g_assert_true (data[i] > -100.f && data[i] < 100.f);
}

static void
test_dump (void)
{
  Tower *tower = tower_new ();
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (tower_run (tower, 2, note_name, names, &error));
  g_assert_cmpstr (names->str, ==,
      "tokens [6 x 7] norm [6 x 7] projected [6 x 5] unit [6 x 5] ");
  tower_free (tower);
}

static void
test_bad_runs (void)
{
  Tower *tower = tower_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (tower_run (tower, 3, NULL, NULL, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (tower_run (tower, 0, NULL, NULL, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
  g_clear_error (&error);
  tower->ids[4] = 9;
  g_assert_true (tower_run (tower, 1, NULL, NULL, &error));
  g_assert_false (tower_run (tower, 2, NULL, NULL, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "token id 9 in row 4"));
  g_clear_error (&error);
  tower->ids[4] = -1;
  g_assert_false (tower_run (tower, 2, NULL, NULL, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
  tower_free (tower);
}

/* Weights of other shapes or roles than the plan's are noticed. */
static void
test_bad_weights (void)
{
  Tower *tower = tower_new ();
  g_autoptr (GError) error = NULL;

  tower->weights[4]->columns++;
  g_assert_null (tower->backend->ops->prepare (tower->backend, tower->plan,
      tower->weights, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "w4"));
  tower->weights[4]->columns--;
  tower_free (tower);
}

static const ClipKernels *real_kernels;

static void
overrun (const gfloat *x, const gfloat *weight, const gfloat *bias,
    gfloat epsilon, gfloat *out, gsize rows, gsize columns)
{
  real_kernels->layer_norm (x, weight, bias, epsilon, out, rows, columns);
  out[rows * columns] = 0.f;
}

static void
test_overrun (void)
{
  Tower *tower = tower_new ();
  ClipCpuBackend *cpu = (ClipCpuBackend *) tower->backend;
  ClipKernels wrong = *cpu->kernels;
  g_autoptr (GError) error = NULL;

  g_assert_true (tower_run (tower, 2, NULL, NULL, &error));
  real_kernels = cpu->kernels;
  wrong.layer_norm = overrun;
  cpu->kernels = &wrong;
  for (guint batch = 1; batch <= 2; batch++) {
    g_assert_false (tower_run (tower, batch, NULL, NULL, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE);
    g_assert_nonnull (strstr (error->message, "norm"));
    g_clear_error (&error);
  }
  cpu->kernels = real_kernels;
  tower_free (tower);
}

static void
test_allocations (void)
{
  Tower *tower;
  g_autoptr (GError) error = NULL;
  guint64 before;

  if (!allocations_are_counted ()) {
    g_test_skip ("a sanitizer owns malloc ()");
    return;
  }
  tower = tower_new ();
  before = allocations_count ();
  g_free (g_malloc (100));
  g_assert_cmpuint (allocations_count (), >, before);
  g_assert_true (tower_run (tower, 2, NULL, NULL, &error));
  before = allocations_count ();
  for (guint i = 0; i < 100; i++)
    g_assert_true (tower_run (tower, 1 + i % 2, NULL, NULL, &error));
  g_assert_cmpuint (allocations_count (), ==, before);
  tower_free (tower);
}

void
backend_add_tests (void)
{
  g_test_add_data_func ("/backend/pool/1", GUINT_TO_POINTER (1), test_pool);
  g_test_add_data_func ("/backend/pool/2", GUINT_TO_POINTER (2), test_pool);
  g_test_add_data_func ("/backend/pool/7", GUINT_TO_POINTER (7), test_pool);
  g_test_add_func ("/backend/processors", test_processors);
  g_test_add_func ("/backend/wrong-blas", test_wrong_blas);
  g_test_add_func ("/backend/choice", test_choice);
  g_test_add_func ("/backend/dump", test_dump);
  g_test_add_func ("/backend/bad-runs", test_bad_runs);
  g_test_add_func ("/backend/bad-weights", test_bad_weights);
  g_test_add_func ("/backend/overrun", test_overrun);
  g_test_add_func ("/backend/allocations", test_allocations);
}
