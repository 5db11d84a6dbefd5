/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Places the arena: a tensor lives from the operation that writes it to the
 * last one that reads it, and two that never live together may share memory.
 * Each is put at the lowest offset that is free over its whole life, the
 * largest first; towers have a few dozen shapes, so the quadratic search is
 * nothing beside reading the weights.
 */
#include "engine/plan/plan.h"

static gsize
tensor_size (const ClipPlan *plan, const ClipTensor *tensor)
{
  const gsize bytes = (gsize) plan->max_batch * tensor->rows * tensor->columns
      * clip_dtype_size (tensor->dtype);

  return (bytes + CLIP_PLAN_ALIGN - 1) / CLIP_PLAN_ALIGN * CLIP_PLAN_ALIGN;
}

static gboolean
live_together (const ClipTensor *a, const ClipTensor *b)
{
  return a->first_op <= b->last_op && b->first_op <= a->last_op;
}

typedef struct {
  ClipTensor *tensor;
  gsize size;
} Placement;

static gint
compare_size (gconstpointer a, gconstpointer b)
{
  const gsize x = ((const Placement *) a)->size;
  const gsize y = ((const Placement *) b)->size;

  return x < y ? 1 : x > y ? -1 : 0;
}

static gint
compare_offset (gconstpointer a, gconstpointer b)
{
  const gsize x = ((const Placement *) a)->tensor->offset;
  const gsize y = ((const Placement *) b)->tensor->offset;

  return x < y ? -1 : x > y ? 1 : 0;
}

/* `placed` is sorted by offset: the first gap between tensors that live at
 * the same time takes this one. */
static void
place (GArray *placed, Placement *next)
{
  gsize offset = 0;

  for (guint i = 0; i < placed->len; i++) {
    const Placement *other = &g_array_index (placed, Placement, i);

    if (!live_together (other->tensor, next->tensor))
      continue;
    if (offset + next->size <= other->tensor->offset)
      break;
    offset = MAX (offset, other->tensor->offset + other->size);
  }
  next->tensor->offset = offset;
  g_array_append_val (placed, *next);
  g_array_sort (placed, compare_offset);
}

static void
place_guarded (ClipPlan *plan, GArray *all)
{
  gsize offset = CLIP_PLAN_GUARD;

  for (guint i = 0; i < all->len; i++) {
    Placement *p = &g_array_index (all, Placement, i);

    p->tensor->offset = offset;
    offset += p->size + CLIP_PLAN_GUARD;
  }
  plan->arena_size = offset;
}

void
clip_plan_finish (ClipPlan *plan, gboolean guarded)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Placement));
  g_autoptr (GArray) placed = g_array_new (FALSE, FALSE, sizeof (Placement));

  plan->guarded = guarded;
  for (guint i = 0; i < plan->tensors->len; i++) {
    ClipTensor *tensor = &g_array_index (plan->tensors, ClipTensor, i);
    Placement p = { tensor, tensor_size (plan, tensor) };

    if (tensor->place == CLIP_PLACE_ARENA && tensor->first_op != CLIP_NONE)
      g_array_append_val (all, p);
  }
  if (guarded) {
    place_guarded (plan, all);
    return;
  }
  g_array_sort (all, compare_size);
  for (guint i = 0; i < all->len; i++) {
    Placement *p = &g_array_index (all, Placement, i);

    place (placed, p);
    plan->arena_size = MAX (plan->arena_size, p->tensor->offset + p->size);
  }
}
