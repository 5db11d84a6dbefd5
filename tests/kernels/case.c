/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/kernels/case.h"

#include <math.h>
#include <stdlib.h>

#include "tests/kernels/reference.h"

static gfloat
random_float (const Case *c)
{
  if (c->half)
    return (gfloat) g_test_rand_int_range (-1023, 1024) / 512.f;
  return (gfloat) g_test_rand_double_range (-2, 2);
}

static Guarded
random_floats (const Case *c, gsize n)
{
  Guarded guarded = guarded_new (n * sizeof (gfloat));

  for (gsize i = 0; i < n; i++)
    ((gfloat *) guarded.data)[i] = random_float (c);
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

Case
case_new (const Variant *variant, ClipOpKind kind)
{
  Case c = { .batch = g_test_rand_int_range (1, 4),
    .half = variant->precision == CLIP_PRECISION_F16,
    .op = CLIP_OP (kind),
    .a_input = CLIP_NONE,
    .b_input = CLIP_NONE };

  c.plan = clip_plan_new (c.batch);
  return c;
}

/* A convolution of one pixel with one: its output is its input, and may lie in
 * the arena, in 16 bits. */
static ClipTensorId
add_identity (Case *c, ClipTensorId a)
{
  const ClipTensor *from = shape (c, a);
  const gsize rows = from->rows, columns = from->columns;
  ClipHostTensor *ones = &c->weights[c->n_weights++];
  ClipOp op = CLIP_OP (CLIP_OP_CONV);

  *ones =
      (ClipHostTensor){ CLIP_DTYPE_F32, columns, 1, g_new (gfloat, columns) };
  for (gsize i = 0; i < columns; i++)
    ((gfloat *) ones->data)[i] = 1;
  op.a = a;
  op.weight = clip_plan_weight (c->plan,
      columns == 1 ? CLIP_ROLE_CONV_FULL : CLIP_ROLE_CONV, columns, 1, "ones%u",
      c->n_weights);
  op.height = op.out_height = (guint) rows;
  op.width = op.out_width = op.kernel = op.stride = 1;
  op.groups = (guint) columns;
  op.out = clip_plan_tensor (c->plan, rows, columns, "same%u", c->n_weights);
  clip_plan_add (c->plan, &op);
  return op.out;
}

void
case_add_a (Case *c, gsize rows, gsize columns)
{
  c->a_input = clip_plan_input (c->plan, "a", CLIP_DTYPE_F32, rows, columns);
  c->a = random_floats (c, c->batch * rows * columns);
  c->op.a = c->half ? add_identity (c, c->a_input) : c->a_input;
}

void
case_add_b (Case *c, gsize rows, gsize columns)
{
  c->b = random_floats (c, c->batch * rows * columns);
  if (c->into_b)
    return;
  c->b_input = clip_plan_input (c->plan, "b", CLIP_DTYPE_F32, rows, columns);
  c->op.b = c->half ? add_identity (c, c->b_input) : c->b_input;
}

void
case_add_ids (Case *c, gsize rows, gint end)
{
  c->op.a = c->a_input =
      clip_plan_input (c->plan, "ids", CLIP_DTYPE_I32, rows, 1);
  c->a = random_ints (c->batch * rows, end);
}

void
case_add_positions (Case *c, gint end)
{
  c->op.positions =
      clip_plan_input (c->plan, "positions", CLIP_DTYPE_I32, 1, 1);
  c->positions = random_ints (c->batch, end);
}

ClipWeightId
case_add_weight (Case *c, ClipRole role, ClipDType dtype, gsize rows,
    gsize columns)
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
      ((gfloat *) tensor->data)[i] = random_float (c);
  }
  return clip_plan_weight (c->plan, role, rows, columns, "weight%u",
      c->n_weights);
}

void
case_add_out (Case *c, gsize rows, gsize columns)
{
  ClipTensorId last;

  c->op.out = clip_plan_tensor (c->plan, rows, columns, "out");
  if (c->into_b)
    c->op.b = c->op.out;
  clip_plan_add (c->plan, &c->op);
  last = c->half ? add_identity (c, c->op.out) : c->op.out;
  clip_plan_output (c->plan, last);
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
run_items (const Case *c, ClipBackend *backend, ClipProgram *program,
    guint first, guint batch, gfloat *out)
{
  const ClipTensorId ids[] = { c->a_input, c->b_input, c->op.positions };
  const Guarded *data[] = { &c->a, &c->b, &c->positions };
  const ClipTensor *out_shape = shape (c, c->op.out);
  const gsize size = out_shape->rows * out_shape->columns;
  gconstpointer inputs[3] = { NULL };
  gpointer outputs[] = { out };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    const ClipTensor *tensor = shape (c, ids[i]);

    if (tensor)
      inputs[tensor->slot] = (const gfloat *) data[i]->data
          + first * tensor->rows * tensor->columns;
  }
  if (c->into_b)
    memcpy (out, (const gfloat *) c->b.data + first * size,
        batch * size * sizeof (gfloat));
  backend->ops->run (program, batch, inputs, outputs, NULL, NULL, &error);
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
  for (gsize i = 0; i < n; i++) {
    /* Half a unit in the last place of a half, normal or not. */
    if (c->half)
      slack[i] += fabs (expected[i]) / 2048 + 0x1p-25;
    if (!(fabs (got[i] - expected[i]) <= slack[i])) {
      g_test_message ("row %zu column %zu of [%u * %zu x %zu]: %.9g, expected "
                      "%.9g +- %.2g",
          i / out->columns, i % out->columns, c->batch, out->rows, out->columns,
          got[i], expected[i], slack[i]);
      g_test_fail ();
      return;
    }
  }
}

static void
check_case_threads (const Variant *variant, const Case *c, guint n_threads)
{
  ClipBackend *backend = variant_backend_new (variant, n_threads);
  const ClipOps *ops = backend->ops;
  const ClipTensor *out_shape = shape (c, c->op.out);
  const gsize item = out_shape->rows * out_shape->columns;
  ClipWeight *weights[CASE_MAX_WEIGHTS];
  Guarded guards[CASE_MAX_WEIGHTS];
  Guarded out = guarded_new (c->batch * item * sizeof (gfloat));
  Guarded alone = guarded_new (item * sizeof (gfloat));
  g_autoptr (GError) error = NULL;
  ClipProgram *program;

  for (guint i = 0; i < c->n_weights; i++) {
    weights[i] = ops->prepare_weight (backend,
        g_array_index (c->plan->weights, ClipWeightRef, i).role,
        (ClipHostTensor *) &c->weights[i], &error);
    g_assert_no_error (error);
    if (variant->vulkan)
      continue;
    guards[i] = guard_weight ((ClipCpuBackend *) backend, weights[i]);
    weights[i]->data = guards[i].data;
  }
  program = ops->prepare (backend, c->plan, weights, &error);
  g_assert_no_error (error);
  run_items (c, backend, program, 0, c->batch, out.data);
  compare (c, out.data);
  for (guint i = 0; i < c->batch; i++) {
    run_items (c, backend, program, i, 1, alone.data);
    g_assert_cmpmem (alone.data, item * sizeof (gfloat),
        (gfloat *) out.data + i * item, item * sizeof (gfloat));
  }
  ops->free_program (program);
  for (guint i = 0; i < c->n_weights; i++) {
    if (!variant->vulkan)
      weights[i]->data = NULL;
    ops->free_weight (weights[i]);
    if (!variant->vulkan)
      guarded_free (&guards[i]);
  }
  guarded_free (&out);
  guarded_free (&alone);
  variant_backend_free (variant, backend);
}

void
case_check (const Variant *variant, Case *c)
{
  check_case_threads (variant, c, 1);
  if (!variant->vulkan)
    check_case_threads (variant, c, 3);
  case_clear (c);
}
