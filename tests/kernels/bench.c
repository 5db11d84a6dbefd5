/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each operation of each variant alone, on one thread, in shapes that towers
 * have.
 */
#include "tests/kernels/bench.h"

#include <stdlib.h>

#define ROUNDS 31
/* Seconds of one run beyond which three rounds must do: a software device. */
#define SLOW 0.02

typedef struct {
  const gchar *name;
  ClipOp op;
  guint a_rows, a_columns, b_rows, b_columns, out_rows, out_columns;
  guint weight_rows, weight_columns;
  ClipRole role;
  gdouble flop; /* 0: bytes read and written count */
} Row;

#define GEMM(name_, rows_, columns_, depth_, act_)                             \
  {                                                                            \
    .name = name_, .op = { .kind = CLIP_OP_GEMM, .act = act_ },                \
    .a_rows = rows_, .a_columns = depth_, .out_rows = rows_,                   \
    .out_columns = columns_, .weight_rows = columns_,                          \
    .weight_columns = depth_, .role = CLIP_ROLE_MATRIX,                        \
    .flop = 2. * rows_ * columns_ * depth_                                     \
  }

#define ATTENTION(name_, queries_, tokens_, heads_, mask_)                     \
  {                                                                            \
    .name = name_,                                                             \
    .op = { .kind = CLIP_OP_ATTENTION,                                         \
      .mask = mask_,                                                           \
      .heads = heads_,                                                         \
      .head_dim = 64,                                                          \
      .k_column = 64 * heads_,                                                 \
      .v_column = 128 * heads_ },                                              \
    .a_rows = queries_, .a_columns = 64 * heads_, .b_rows = tokens_,           \
    .b_columns = 192 * heads_, .out_rows = queries_,                           \
    .out_columns = 64 * heads_, .flop = 4. * queries_ * tokens_ * 64 * heads_  \
  }

#define DEPTHWISE(name_, side_, channels_, kernel_)                            \
  {                                                                            \
    .name = name_,                                                             \
    .op = { .kind = CLIP_OP_CONV,                                              \
      .act = CLIP_ACT_RELU6,                                                   \
      .height = side_,                                                         \
      .width = side_,                                                          \
      .out_height = side_,                                                     \
      .out_width = side_,                                                      \
      .kernel = kernel_,                                                       \
      .stride = 1,                                                             \
      .groups = channels_,                                                     \
      .pad_top = kernel_ / 2,                                                  \
      .pad_left = kernel_ / 2 },                                               \
    .a_rows = side_ * side_, .a_columns = channels_,                           \
    .out_rows = side_ * side_, .out_columns = channels_,                       \
    .weight_rows = channels_, .weight_columns = kernel_ * kernel_,             \
    .role = CLIP_ROLE_CONV,                                                    \
    .flop = 2. * side_ * side_ * channels_ * kernel_ * kernel_                 \
  }

static const Row rows[] = {
  GEMM ("gemm 400 x 3072 x 768 quick_gelu", 400, 3072, 768,
      CLIP_ACT_QUICK_GELU),
  GEMM ("gemm 400 x 3072 x 768 gelu_erf", 400, 3072, 768, CLIP_ACT_GELU_ERF),
  GEMM ("gemm 50 x 768 x 768", 50, 768, 768, CLIP_ACT_NONE),
  GEMM ("gemm 1 x 3072 x 768", 1, 3072, 768, CLIP_ACT_NONE),
  GEMM ("gemm 8 x 3072 x 768", 8, 3072, 768, CLIP_ACT_NONE),
  GEMM ("gemm 6400 x 96 x 16 relu6", 6400, 96, 16, CLIP_ACT_RELU6),
  GEMM ("gemm 400 x 80 x 240", 400, 80, 240, CLIP_ACT_NONE),
  ATTENTION ("attention 50 x 50, 12 heads", 50, 50, 12, CLIP_MASK_NONE),
  ATTENTION ("attention 77 x 77, 8 heads, causal", 77, 77, 8, CLIP_MASK_CAUSAL),
  ATTENTION ("attention 577 x 577, 16 heads", 577, 577, 16, CLIP_MASK_NONE),
  ATTENTION ("attention 1 x 50, 12 heads", 1, 50, 12, CLIP_MASK_NONE),
  DEPTHWISE ("depthwise 3x3, 80 x 80 x 32", 80, 32, 3),
  DEPTHWISE ("depthwise 5x5, 10 x 10 x 672", 10, 672, 5),
  { .name = "stem 3x3 stride 2, 160 x 160 x 3 to 32",
      .op = { .kind = CLIP_OP_CONV,
          .act = CLIP_ACT_RELU6,
          .height = 160,
          .width = 160,
          .out_height = 80,
          .out_width = 80,
          .kernel = 3,
          .stride = 2,
          .groups = 1 },
      .a_rows = 160 * 160,
      .a_columns = 3,
      .out_rows = 80 * 80,
      .out_columns = 32,
      .weight_rows = 32,
      .weight_columns = 27,
      .role = CLIP_ROLE_CONV_FULL,
      .flop = 2. * 80 * 80 * 32 * 27 },
  { .name = "layer norm 400 x 768",
      .op = { .kind = CLIP_OP_LAYER_NORM, .epsilon = 1e-5f },
      .a_rows = 400,
      .a_columns = 768,
      .out_rows = 400,
      .out_columns = 768,
      .weight_rows = 1,
      .weight_columns = 768,
      .role = CLIP_ROLE_VECTOR },
  { .name = "mean pool 25 x 1280",
      .op = { .kind = CLIP_OP_MEAN_POOL },
      .a_rows = 25,
      .a_columns = 1280,
      .out_rows = 1,
      .out_columns = 1280 },
  { .name = "normalise 8 x 512",
      .op = { .kind = CLIP_OP_NORMALISE },
      .a_rows = 8,
      .a_columns = 512,
      .out_rows = 8,
      .out_columns = 512 },
};

gdouble
bench_median (gdouble *x, guint n)
{
  for (guint i = 1; i < n; i++)
    for (guint j = i; j > 0 && x[j] < x[j - 1]; j--) {
      const gdouble swap = x[j];

      x[j] = x[j - 1];
      x[j - 1] = swap;
    }
  return x[n / 2];
}

static gfloat *
random_floats (gsize n)
{
  gfloat *x = g_new (gfloat, n);

  for (gsize i = 0; i < n; i++)
    x[i] = (gfloat) g_random_double_range (-1, 1);
  return x;
}

static ClipWeightId
add_weight (ClipPlan *plan, ClipBackend *backend, ClipRole role, gsize height,
    gsize width, ClipWeight **weights)
{
  const ClipWeightId id = clip_plan_weight (plan, role, height, width, "w");
  g_auto (ClipHostTensor)
      host = { CLIP_DTYPE_F32, height, width, random_floats (height * width) };

  weights[id] = backend->ops->prepare_weight (backend, role, &host, NULL);
  return id;
}

/* The plan of one row; its inputs are a and, where there is one, b. */
static ClipPlan *
make_plan (const Row *row, ClipBackend *backend, ClipWeight **weights)
{
  ClipPlan *plan = clip_plan_new (1);
  ClipOp op = row->op;

  op.b = op.positions = op.weight = op.bias = CLIP_NONE;
  op.a =
      clip_plan_input (plan, "a", CLIP_DTYPE_F32, row->a_rows, row->a_columns);
  if (row->b_rows)
    op.b = clip_plan_input (plan, "b", CLIP_DTYPE_F32, row->b_rows,
        row->b_columns);
  if (row->weight_rows) {
    op.weight = add_weight (plan, backend, row->role, row->weight_rows,
        row->weight_columns, weights);
    op.bias = add_weight (plan, backend, CLIP_ROLE_VECTOR, 1, row->out_columns,
        weights);
  }
  op.out = clip_plan_tensor (plan, row->out_rows, row->out_columns, "out");
  clip_plan_output (plan, op.out);
  clip_plan_add (plan, &op);
  clip_plan_finish (plan, FALSE);
  return plan;
}

static void
print_row (const Row *row, const gchar *variant, gdouble seconds)
{
  const gdouble bytes = sizeof (gfloat)
      * ((gdouble) row->a_rows * row->a_columns
          + (gdouble) row->b_rows * row->b_columns
          + (gdouble) row->weight_rows * row->weight_columns
          + (gdouble) row->out_rows * row->out_columns);

  g_print ("%-23s %-40s %10.1f us %7.1f GFLOP/s %7.1f GB/s\n", variant,
      row->name, seconds * 1e6, row->flop / seconds * 1e-9,
      bytes / seconds * 1e-9);
}

static void
time_row (const Row *row, const Variant *variant)
{
  ClipBackend *backend = variant_backend_new (variant, 1);
  ClipWeight *weights[2] = { NULL };
  ClipPlan *plan;
  ClipProgram *program;
  g_autofree gfloat *a = random_floats ((gsize) row->a_rows * row->a_columns);
  g_autofree gfloat *b = random_floats ((gsize) row->b_rows * row->b_columns);
  g_autofree gfloat *out =
      g_new (gfloat, (gsize) row->out_rows * row->out_columns);
  gdouble seconds[ROUNDS];
  guint rounds = ROUNDS;

  if (!backend)
    return;
  plan = make_plan (row, backend, weights);
  program = backend->ops->prepare (backend, plan, weights, NULL);
  for (guint round = 0; round < rounds; round++) {
    const gint64 start = g_get_monotonic_time ();
    gint64 end;
    guint n = 0;

    do {
      backend->ops->run (program, 1, (gconstpointer[]){ a, b },
          (gpointer[]){ out }, NULL, NULL, NULL);
      n++;
      end = g_get_monotonic_time ();
    } while (end - start < G_TIME_SPAN_MILLISECOND);
    seconds[round] = (end - start) * 1e-6 / n;
    if (seconds[round] > SLOW)
      rounds = 3;
  }
  print_row (row, variant->name, bench_median (seconds, rounds));
  backend->ops->free_program (program);
  for (guint i = 0; i < plan->weights->len; i++)
    backend->ops->free_weight (weights[i]);
  clip_plan_free (plan);
  variant_backend_free (variant, backend);
}

void
bench_operations (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    for (guint v = 0; v < N_VARIANTS; v++)
      if (!variants[v].gemm_only || rows[i].op.kind == CLIP_OP_GEMM)
        time_row (&rows[i], &variants[v]);
  vulkan_variant_clear ();
}
