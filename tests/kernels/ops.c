/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One-operation plans of random shapes, on every variant. Inputs, weights and
 * outputs end at a page that cannot be touched. Each item is then computed
 * alone and must come out the same to the last bit.
 */
#include "tests/kernels/reference.h"
#include "tests/kernels/variants.h"

#include <math.h>
#include <stdlib.h>

#define MAX_WEIGHTS 2

typedef struct {
  ClipPlan *plan;
  ClipOp op;
  guint batch;
  ClipHostTensor weights[MAX_WEIGHTS];
  guint n_weights;
  Guarded a, b, positions;
  gboolean into_b; /* the output starts as a copy of b, and is b */
} Case;

static gsize
pick (const guint16 *sizes, gsize n)
{
  return sizes[g_test_rand_int_range (0, n)];
}

#define PICK(...)                                                              \
  pick ((const guint16[]){ __VA_ARGS__ },                                      \
      G_N_ELEMENTS (((const guint16[]){ __VA_ARGS__ })))

static gfloat
random_float (void)
{
  return (gfloat) g_test_rand_double_range (-2, 2);
}

static Guarded
random_floats (gsize n)
{
  Guarded guarded = guarded_new (n * sizeof (gfloat));

  for (gsize i = 0; i < n; i++)
    ((gfloat *) guarded.data)[i] = random_float ();
  return guarded;
}

static Guarded
random_ints (gsize n, gint end)
{
  Guarded guarded = guarded_new (n * sizeof (gint32));

  for (gsize i = 0; i < n; i++)
    ((gint32 *) guarded.data)[i] = g_test_rand_int_range (0, end);
  return guarded;
}

static const ClipTensor *
shape (const Case *c, ClipTensorId id)
{
  return id == CLIP_NONE ? NULL : clip_plan_get_tensor (c->plan, id);
}

static Case
case_new (ClipOpKind kind)
{
  Case c = { .batch = g_test_rand_int_range (1, 4), .op = CLIP_OP (kind) };

  c.plan = clip_plan_new (c.batch);
  return c;
}

static void
add_a (Case *c, gsize rows, gsize columns)
{
  c->op.a = clip_plan_input (c->plan, "a", CLIP_DTYPE_F32, rows, columns);
  c->a = random_floats (c->batch * rows * columns);
}

static void
add_b (Case *c, gsize rows, gsize columns)
{
  c->op.b = clip_plan_input (c->plan, "b", CLIP_DTYPE_F32, rows, columns);
  c->b = random_floats (c->batch * rows * columns);
}

static void
add_positions (Case *c, gint end)
{
  c->op.positions =
      clip_plan_input (c->plan, "positions", CLIP_DTYPE_I32, 1, 1);
  c->positions = random_ints (c->batch, end);
}

static ClipWeightId
add_weight (Case *c, ClipRole role, ClipDType dtype, gsize rows, gsize columns)
{
  ClipHostTensor *tensor = &c->weights[c->n_weights++];

  *tensor = (ClipHostTensor){ dtype, rows, columns,
    g_malloc (rows * columns * clip_dtype_size (dtype)) };
  for (gsize i = 0; i < rows * columns; i++) {
    const gfloat exact = g_test_rand_int_range (-1023, 1024) / 512.f;
    guint32 bits;

    memcpy (&bits, &exact, sizeof bits);
    if (dtype == CLIP_DTYPE_F16)
      ((guint16 *) tensor->data)[i] = reference_to_f16 (exact);
    else if (dtype == CLIP_DTYPE_BF16)
      ((guint16 *) tensor->data)[i] = bits >> 16;
    else
      ((gfloat *) tensor->data)[i] = random_float ();
  }
  return clip_plan_weight (c->plan, role, rows, columns, "weight%u",
      c->n_weights);
}

static void
add_out (Case *c, gsize rows, gsize columns)
{
  c->op.out = clip_plan_tensor (c->plan, rows, columns, "out");
  clip_plan_output (c->plan, c->op.out);
  if (c->into_b)
    c->op.b = c->op.out;
  clip_plan_add (c->plan, &c->op);
  clip_plan_finish (c->plan, TRUE);
}

static void
case_clear (Case *c)
{
  clip_plan_free (c->plan);
  for (guint i = 0; i < c->n_weights; i++)
    clip_host_tensor_clear (&c->weights[i]);
  guarded_free (&c->a);
  guarded_free (&c->b);
  guarded_free (&c->positions);
}

/* Moves a prepared weight before a page that cannot be touched; the kernels
 * are to read nothing behind it. */
static Guarded
guard_weight (ClipCpuBackend *backend, ClipWeight *weight)
{
  gsize size = weight->rows * weight->columns * clip_dtype_size (weight->dtype);
  Guarded guarded;

  if (weight->role == CLIP_ROLE_CONV_FULL
      || (weight->role == CLIP_ROLE_MATRIX && !backend->sgemm))
    size = backend->kernels->packed_size (weight->rows, weight->columns)
        * sizeof (gfloat);
  guarded = guarded_new (size);
  memcpy (guarded.data, weight->data, size);
  free (weight->data);
  weight->data = NULL;
  return guarded;
}

/* Runs items first .. first + batch - 1 of the case. */
static void
run_items (const Case *c, ClipProgram *program, guint first, guint batch,
    gfloat *out)
{
  const ClipTensorId ids[] = { c->op.a, c->op.b, c->op.positions };
  const Guarded *data[] = { &c->a, &c->b, &c->positions };
  const ClipTensor *out_shape = shape (c, c->op.out);
  const gsize size = out_shape->rows * out_shape->columns;
  gconstpointer inputs[3] = { NULL };
  gpointer outputs[] = { out };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    const ClipTensor *tensor = shape (c, ids[i]);

    if (tensor && data[i]->data && tensor->place == CLIP_PLACE_INPUT)
      inputs[tensor->slot] = (const gfloat *) data[i]->data
          + first * tensor->rows * tensor->columns;
  }
  if (c->into_b)
    memcpy (out, (const gfloat *) c->b.data + first * size,
        batch * size * sizeof (gfloat));
  clip_cpu_run (program, batch, inputs, outputs, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
compare (const Case *c, const gfloat *got)
{
  const ClipTensor *out = shape (c, c->op.out);
  const gsize n = c->batch * out->rows * out->columns;
  g_autofree gdouble *expected = g_new (gdouble, n);
  g_autofree gdouble *slack = g_new (gdouble, n);
  const ReferenceOp reference = {
    .op = &c->op,
    .a_shape = shape (c, c->op.a),
    .b_shape = shape (c, c->op.b),
    .out_shape = out,
    .batch = c->batch,
    .a = c->a.data,
    .b = c->b.data,
    .ids = c->a.data,
    .positions = c->positions.data,
    .weight = c->op.weight != CLIP_NONE ? &c->weights[c->op.weight] : NULL,
    .bias = c->op.bias != CLIP_NONE ? &c->weights[c->op.bias] : NULL,
  };

  reference_run (&reference, expected, slack);
  for (gsize i = 0; i < n; i++)
    if (!(fabs (got[i] - expected[i]) <= slack[i])) {
      g_test_message ("row %zu column %zu of [%u * %zu x %zu]: %.9g, expected "
                      "%.9g +- %.2g",
          i / out->columns, i % out->columns, c->batch, out->rows, out->columns,
          got[i], expected[i], slack[i]);
      g_test_fail ();
      return;
    }
}

static void
check_case_threads (const Variant *variant, const Case *c, guint n_threads)
{
  ClipBackend *backend = variant_backend_new (variant, n_threads);
  const ClipTensor *out_shape = shape (c, c->op.out);
  const gsize item = out_shape->rows * out_shape->columns;
  ClipWeight *weights[MAX_WEIGHTS];
  Guarded guards[MAX_WEIGHTS];
  Guarded out = guarded_new (c->batch * item * sizeof (gfloat));
  Guarded alone = guarded_new (item * sizeof (gfloat));
  g_autoptr (GError) error = NULL;
  ClipProgram *program;

  for (guint i = 0; i < c->n_weights; i++) {
    weights[i] = clip_cpu_prepare_weight (backend,
        g_array_index (c->plan->weights, ClipWeightRef, i).role,
        (ClipHostTensor *) &c->weights[i], &error);
    g_assert_no_error (error);
    guards[i] = guard_weight ((ClipCpuBackend *) backend, weights[i]);
    weights[i]->data = guards[i].data;
  }
  program = clip_cpu_prepare (backend, c->plan, weights, &error);
  g_assert_no_error (error);
  run_items (c, program, 0, c->batch, out.data);
  compare (c, out.data);
  for (guint i = 0; i < c->batch; i++) {
    run_items (c, program, i, 1, alone.data);
    g_assert_cmpmem (alone.data, item * sizeof (gfloat),
        (gfloat *) out.data + i * item, item * sizeof (gfloat));
  }
  clip_cpu_free_program (program);
  for (guint i = 0; i < c->n_weights; i++) {
    weights[i]->data = NULL;
    clip_cpu_free_weight (weights[i]);
    guarded_free (&guards[i]);
  }
  guarded_free (&out);
  guarded_free (&alone);
  backend->ops->free (backend);
}

static void
check_case (const Variant *variant, Case *c)
{
  check_case_threads (variant, c, 1);
  check_case_threads (variant, c, 3);
  case_clear (c);
}

static gboolean
can_run (const Variant *variant)
{
  ClipBackend *backend = variant_backend_new (variant, 1);

  if (backend)
    backend->ops->free (backend);
  return backend != NULL;
}

#define EDGES 1, 2, 3, 5, 7, 8, 13, 14, 15, 16, 17, 29, 31, 32, 33, 48, 63, 65

static void
check_gemm (const Variant *variant, gsize rows, gsize columns, gsize depth,
    ClipActivation act, gboolean bias, gboolean residual, gboolean into_b)
{
  Case c = case_new (CLIP_OP_GEMM);

  c.op.act = act;
  c.into_b = residual && into_b;
  add_a (&c, rows, depth);
  c.op.weight =
      add_weight (&c, CLIP_ROLE_MATRIX, CLIP_DTYPE_F32, columns, depth);
  if (bias)
    c.op.bias = add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, 1, columns);
  if (c.into_b)
    c.b = random_floats (c.batch * rows * columns);
  else if (residual)
    add_b (&c, rows, columns);
  add_out (&c, rows, columns);
  check_case (variant, &c);
}

static void
test_gemm (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < 40; i++)
    check_gemm (data, PICK (EDGES, 113, 150), PICK (EDGES, 129, 160, 300),
        PICK (EDGES, 255, 256, 257, 512, 600),
        g_test_rand_int_range (0, CLIP_ACT_SILU + 1), g_test_rand_bit (),
        g_test_rand_bit (), g_test_rand_bit ());
  for (gint act = 0; act <= CLIP_ACT_SILU; act++)
    check_gemm (data, 11, 70, 300, act, TRUE, TRUE, TRUE);
}

static void
test_layer_norm (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < 20; i++) {
    const gsize rows = PICK (1, 2, 7, 50);
    const gsize columns = PICK (EDGES, 127, 256, 768, 1029);
    Case c = case_new (CLIP_OP_LAYER_NORM);

    c.op.epsilon = 1e-5f;
    add_a (&c, rows, columns);
    /* A mean that is large beside the deviation. */
    for (gsize j = 0; i % 2 && j < c.batch * rows * columns; j++)
      ((gfloat *) c.a.data)[j] += 100.f;
    c.op.weight = add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, 1, columns);
    c.op.bias = add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, 1, columns);
    add_out (&c, rows, columns);
    check_case (data, &c);
  }
}

static void
test_attention (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < 24; i++) {
    const gsize n_keys = PICK (1, 2, 5, 16, 17, 50, 57, 77, 130, 261);
    const gboolean causal = i % 2, one = i % 3 == 0;
    const gsize n_queries = one ? 1
        : causal                ? (gsize) g_test_rand_int_range (1, n_keys + 1)
                                : PICK (1, 3, 56, 57, 115);
    const gsize width = (gsize) g_test_rand_int_range (1, 4)
        * PICK (1, 3, 8, 32, 64, 72, 88, 104, 300);
    Case c = case_new (CLIP_OP_ATTENTION);

    c.op.heads = width % 3 == 0 ? 3 : width % 2 == 0 ? 2 : 1;
    c.op.head_dim = width / c.op.heads;
    c.op.mask = causal ? CLIP_MASK_CAUSAL : CLIP_MASK_NONE;
    c.op.q_column = g_test_rand_int_range (0, 3);
    c.op.k_column = g_test_rand_int_range (0, 3);
    c.op.v_column = c.op.k_column + width;
    add_a (&c, n_queries, width + c.op.q_column);
    add_b (&c, n_keys, c.op.v_column + width);
    if (causal && one)
      add_positions (&c, n_keys);
    add_out (&c, n_queries, width);
    check_case (data, &c);
  }
}

static void
test_embed (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < 12; i++) {
    const gsize rows = PICK (1, 5, 77), columns = PICK (EDGES, 512);
    const gint vocab = 97;
    Case c = case_new (CLIP_OP_EMBED);

    c.op.a = clip_plan_input (c.plan, "ids", CLIP_DTYPE_I32, rows, 1);
    c.a = random_ints (c.batch * rows, vocab);
    c.op.weight = add_weight (&c, CLIP_ROLE_TABLE,
        (const ClipDType[]){
            CLIP_DTYPE_F32, CLIP_DTYPE_F16, CLIP_DTYPE_BF16 }[i % 3],
        vocab, columns);
    c.op.bias =
        add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, rows + 2, columns);
    add_out (&c, rows, columns);
    check_case (data, &c);
  }
}

static void
test_prepend (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < 8; i++) {
    const gsize rows = PICK (1, 7, 49), columns = PICK (EDGES, 768);
    Case c = case_new (CLIP_OP_PREPEND);

    add_a (&c, rows, columns);
    c.op.weight = add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, 1, columns);
    c.op.bias =
        add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, rows + 1, columns);
    add_out (&c, rows + 1, columns);
    check_case (data, &c);
  }
}

static void
check_conv (const Variant *variant, gboolean depthwise)
{
  const gsize channels = depthwise ? PICK (EDGES, 96) : PICK (1, 3, 4, 17, 33);
  const gsize out_channels = depthwise ? channels : PICK (EDGES);
  Case c = case_new (CLIP_OP_CONV);
  gsize taps;

  c.op.kernel = g_test_rand_int_range (1, 8);
  c.op.stride = g_test_rand_int_range (1, 3);
  c.op.pad_top = g_test_rand_int_range (0, c.op.kernel);
  c.op.pad_left = g_test_rand_int_range (0, c.op.kernel);
  c.op.height = g_test_rand_int_range (1, 20);
  c.op.width = g_test_rand_int_range (1, 20);
  /* At most as many outputs as have a tap: the padding behind is the rest. */
  c.op.out_height = g_test_rand_int_range (1,
      (c.op.height + c.op.pad_top - 1) / c.op.stride + 2);
  c.op.out_width = g_test_rand_int_range (1,
      (c.op.width + c.op.pad_left - 1) / c.op.stride + 2);
  c.op.groups = depthwise ? channels : 1;
  c.op.act = g_test_rand_int_range (0, CLIP_ACT_SILU + 1);
  taps = (gsize) c.op.kernel * c.op.kernel;
  add_a (&c, (gsize) c.op.height * c.op.width, channels);
  /* One channel is both: then the role follows the group count. */
  c.op.weight = add_weight (&c,
      c.op.groups == 1 ? CLIP_ROLE_CONV_FULL : CLIP_ROLE_CONV, CLIP_DTYPE_F32,
      out_channels, c.op.groups == 1 ? taps * channels : taps);
  c.op.bias =
      add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, 1, out_channels);
  add_out (&c, (gsize) c.op.out_height * c.op.out_width, out_channels);
  check_case (variant, &c);
}

static void
test_conv_depthwise (gconstpointer data)
{
  for (guint i = 0; can_run (data) && i < 40; i++)
    check_conv (data, TRUE);
}

static void
test_conv_full (gconstpointer data)
{
  for (guint i = 0; can_run (data) && i < 20; i++)
    check_conv (data, FALSE);
}

static void
test_mean_pool (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < 8; i++) {
    const gsize rows = PICK (1, 2, 25, 49), columns = PICK (EDGES, 1280);
    Case c = case_new (CLIP_OP_MEAN_POOL);

    add_a (&c, rows, columns);
    add_out (&c, 1, columns);
    check_case (data, &c);
  }
}

static void
test_gather (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < 8; i++) {
    const gsize rows = PICK (1, 2, 77), columns = PICK (EDGES, 512);
    Case c = case_new (CLIP_OP_GATHER);

    add_a (&c, rows, columns);
    if (i % 2)
      add_positions (&c, rows);
    add_out (&c, 1, columns);
    check_case (data, &c);
  }
}

static void
test_normalise (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < 8; i++) {
    const gsize rows = PICK (1, 3), columns = PICK (EDGES, 512, 1024);
    Case c = case_new (CLIP_OP_NORMALISE);

    add_a (&c, rows, columns);
    add_out (&c, rows, columns);
    check_case (data, &c);
  }
}

void
ops_add_tests (void)
{
  static const struct {
    const gchar *name;
    GTestDataFunc func;
  } tests[] = { { "gemm", test_gemm }, { "layer-norm", test_layer_norm },
    { "attention", test_attention }, { "embed", test_embed },
    { "prepend", test_prepend }, { "conv-depthwise", test_conv_depthwise },
    { "conv-full", test_conv_full }, { "mean-pool", test_mean_pool },
    { "gather", test_gather }, { "normalise", test_normalise } };

  for (guint v = 0; v < N_VARIANTS; v++)
    for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
      g_autofree gchar *path =
          g_strdup_printf ("/kernels/%s/%s", variants[v].name, tests[i].name);

      g_test_add_data_func (path, &variants[v], tests[i].func);
    }
}
