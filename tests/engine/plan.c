/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The planner: tensors that live together never share memory, and the arena
 * is far smaller than all of them side by side.
 */
#include "engine/plan/plan.h"

static gsize
tensor_end (const ClipPlan *plan, const ClipTensor *tensor)
{
  return tensor->offset
      + (gsize) plan->max_batch * tensor->rows * tensor->columns
      * clip_dtype_size (tensor->dtype);
}

/* A chain of operations, each reading the one before and one at random. */
static ClipPlan *
random_plan (GRand *rand, guint n, gboolean guarded)
{
  ClipPlan *plan = clip_plan_new (g_rand_int_range (rand, 1, 5));
  ClipTensorId last = clip_plan_input (plan, "in", CLIP_DTYPE_F32, 3, 5);

  for (guint i = 0; i < n; i++) {
    ClipOp op = CLIP_OP (CLIP_OP_GEMM);

    op.a = last;
    op.b = g_rand_int_range (rand, 0, plan->tensors->len);
    op.out = clip_plan_tensor (plan, g_rand_int_range (rand, 1, 60),
        g_rand_int_range (rand, 1, 60), "t%u", i);
    clip_plan_add (plan, &op);
    last = op.out;
  }
  clip_plan_output (plan, last);
  clip_plan_finish (plan, guarded);
  return plan;
}

static void
check_pair (const ClipPlan *plan, const ClipTensor *a, const ClipTensor *b,
    gsize gap)
{
  const gboolean apart = tensor_end (plan, a) + gap <= b->offset
      || tensor_end (plan, b) + gap <= a->offset;
  const gboolean together =
      a->first_op <= b->last_op && b->first_op <= a->last_op;

  g_assert_true (apart || (!plan->guarded && !together));
}

static void
check_plan (const ClipPlan *plan, gsize gap)
{
  for (guint i = 0; i < plan->tensors->len; i++) {
    const ClipTensor *a = clip_plan_get_tensor (plan, i);

    if (a->place != CLIP_PLACE_ARENA)
      continue;
    g_assert_cmpuint (a->offset % CLIP_PLAN_ALIGN, ==, 0);
    g_assert_cmpuint (tensor_end (plan, a) + gap, <=, plan->arena_size);
    for (guint j = 0; j < i; j++) {
      const ClipTensor *b = clip_plan_get_tensor (plan, j);

      if (b->place == CLIP_PLACE_ARENA)
        check_pair (plan, a, b, gap);
    }
  }
}

static void
test_no_overlap (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (guint i = 0; i < 200; i++) {
    g_autoptr (ClipPlan) plan = random_plan (rand, 1 + i % 40, FALSE);

    check_plan (plan, 0);
  }
}

static void
test_guarded (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);

  for (guint i = 0; i < 50; i++) {
    g_autoptr (ClipPlan) plan = random_plan (rand, 1 + i % 40, TRUE);

    check_plan (plan, CLIP_PLAN_GUARD);
  }
}

/* In a chain, three tensors at most are alive at a time. */
static void
test_reuse (void)
{
  g_autoptr (ClipPlan) plan = clip_plan_new (2);
  ClipTensorId last = clip_plan_input (plan, "in", CLIP_DTYPE_F32, 16, 16);

  for (guint i = 0; i < 50; i++) {
    ClipOp op = CLIP_OP (CLIP_OP_LAYER_NORM);

    op.a = last;
    op.out = clip_plan_tensor (plan, 16, 16, "t%u", i);
    clip_plan_add (plan, &op);
    last = op.out;
  }
  clip_plan_finish (plan, FALSE);
  g_assert_cmpuint (plan->arena_size, ==, 2 * (2 * 16 * 16 * sizeof (gfloat)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/no-overlap", test_no_overlap);
  g_test_add_func ("/plan/guarded", test_guarded);
  g_test_add_func ("/plan/reuse", test_reuse);
  return g_test_run ();
}
