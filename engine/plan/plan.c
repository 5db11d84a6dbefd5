/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/plan/plan.h"

static void
tensor_clear (gpointer data)
{
  g_free (((ClipTensor *) data)->name);
}

static void
weight_ref_clear (gpointer data)
{
  g_free (((ClipWeightRef *) data)->name);
}

ClipPlan *
clip_plan_new (guint max_batch)
{
  ClipPlan *plan = g_new0 (ClipPlan, 1);

  plan->max_batch = max_batch;
  plan->tensors = g_array_new (FALSE, TRUE, sizeof (ClipTensor));
  g_array_set_clear_func (plan->tensors, tensor_clear);
  plan->weights = g_array_new (FALSE, TRUE, sizeof (ClipWeightRef));
  g_array_set_clear_func (plan->weights, weight_ref_clear);
  plan->ops = g_array_new (FALSE, TRUE, sizeof (ClipOp));
  return plan;
}

void
clip_plan_free (ClipPlan *plan)
{
  g_array_unref (plan->tensors);
  g_array_unref (plan->weights);
  g_array_unref (plan->ops);
  g_free (plan);
}

static ClipTensorId
add_tensor (ClipPlan *plan, ClipTensor tensor)
{
  tensor.first_op = CLIP_NONE;
  g_array_append_val (plan->tensors, tensor);
  return plan->tensors->len - 1;
}

ClipTensorId
clip_plan_input (ClipPlan *plan, const gchar *name, ClipDType dtype, gsize rows,
    gsize columns)
{
  return add_tensor (plan,
      (ClipTensor){ .name = g_strdup (name),
          .dtype = dtype,
          .place = CLIP_PLACE_INPUT,
          .slot = plan->n_inputs++,
          .rows = rows,
          .columns = columns });
}

void
clip_plan_output (ClipPlan *plan, ClipTensorId id)
{
  ClipTensor *tensor = &g_array_index (plan->tensors, ClipTensor, id);

  tensor->place = CLIP_PLACE_OUTPUT;
  tensor->slot = plan->n_outputs++;
}

ClipTensorId
clip_plan_tensor (ClipPlan *plan, gsize rows, gsize columns,
    const gchar *name_format, ...)
{
  va_list args;
  gchar *name;

  va_start (args, name_format);
  name = g_strdup_vprintf (name_format, args);
  va_end (args);
  return add_tensor (plan,
      (ClipTensor){ .name = name,
          .dtype = CLIP_DTYPE_F32,
          .place = CLIP_PLACE_ARENA,
          .rows = rows,
          .columns = columns });
}

ClipWeightId
clip_plan_weight (ClipPlan *plan, ClipRole role, gsize rows, gsize columns,
    const gchar *name_format, ...)
{
  ClipWeightRef ref = { .role = role, .rows = rows, .columns = columns };
  va_list args;

  va_start (args, name_format);
  ref.name = g_strdup_vprintf (name_format, args);
  va_end (args);
  g_array_append_val (plan->weights, ref);
  return plan->weights->len - 1;
}

void
clip_plan_add (ClipPlan *plan, const ClipOp *op)
{
  const ClipTensorId used[] = { op->a, op->b, op->out, op->positions };

  for (guint i = 0; i < G_N_ELEMENTS (used); i++) {
    ClipTensor *tensor;

    if (used[i] == CLIP_NONE)
      continue;
    tensor = &g_array_index (plan->tensors, ClipTensor, used[i]);
    if (tensor->first_op == CLIP_NONE)
      tensor->first_op = plan->ops->len;
    tensor->last_op = plan->ops->len;
  }
  g_array_append_val (plan->ops, *op);
}
