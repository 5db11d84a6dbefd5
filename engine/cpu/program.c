/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/cpu/context.h"

#include <stdlib.h>

/* Bytes of a guarded arena that nobody wrote: as floats they are NaN, so that
 * a kernel that reads what it should not spreads it. */
#define POISON 0xff

void
clip_cpu_free_program (ClipProgram *program)
{
  free (program->arena);
  free (program->scratch);
  g_free (program->weights);
  g_free (program);
}

/* Prepared weights are what the plan has been checked with. */
static gboolean
check_weights (const ClipPlan *plan, ClipWeight *const *weights, GError **error)
{
  for (guint i = 0; i < plan->weights->len; i++) {
    const ClipWeightRef *ref = &g_array_index (plan->weights, ClipWeightRef, i);

    if (weights[i]->role == ref->role && weights[i]->rows == ref->rows
        && weights[i]->columns == ref->columns)
      continue;
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "weight %s is [%zu x %zu] in role %d, expected [%zu x %zu] in role %d",
        ref->name, weights[i]->rows, weights[i]->columns, weights[i]->role,
        ref->rows, ref->columns, ref->role);
    return FALSE;
  }
  return TRUE;
}

ClipProgram *
clip_cpu_prepare (ClipBackend *backend, const ClipPlan *plan,
    ClipWeight *const *weights, GError **error)
{
  ClipCpuBackend *cpu = (ClipCpuBackend *) backend;
  ClipProgram *program;
  gsize scratch = 0, size;

  if (!clip_plan_check (plan, error) || !check_weights (plan, weights, error))
    return NULL;
  for (guint i = 0; i < plan->ops->len; i++)
    scratch = MAX (scratch,
        clip_cpu_op_scratch (cpu, plan, &g_array_index (plan->ops, ClipOp, i)));
  scratch = (scratch + 15) / 16 * 16;
  if (!g_size_checked_mul (&size, scratch * sizeof (gfloat),
          clip_pool_get_n_threads (cpu->pool))) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MEMORY,
        "no memory for %zu floats of scratch for each thread", scratch);
    return NULL;
  }
  program = g_new0 (ClipProgram, 1);
  program->backend = cpu;
  program->plan = plan;
  program->weights = g_memdup2 (weights, plan->weights->len * sizeof *weights);
  program->scratch_size = scratch;
  program->arena = clip_cpu_alloc (plan->arena_size, "the arena", error);
  if (program->arena)
    program->scratch = clip_cpu_alloc (size, "scratch memory", error);
  if (!program->scratch)
    g_clear_pointer (&program, clip_cpu_free_program);
  return program;
}

gpointer
clip_cpu_run_tensor (const ClipCpuRun *run, ClipTensorId id)
{
  const ClipTensor *tensor;

  if (id == CLIP_NONE)
    return NULL;
  tensor = clip_plan_get_tensor (run->program->plan, id);
  switch (tensor->place) {
    case CLIP_PLACE_INPUT:
      return (gpointer) run->inputs[tensor->slot];
    case CLIP_PLACE_OUTPUT:
      return run->outputs[tensor->slot];
    case CLIP_PLACE_ARENA:
      break;
  }
  return run->program->arena + tensor->offset;
}

static gboolean
is_poison (const guint8 *from, const guint8 *end)
{
  while (from < end)
    if (*from++ != POISON)
      return FALSE;
  return TRUE;
}

/* The bytes around a tensor, and those of items beyond the batch. */
static gboolean
check_guards (const ClipCpuRun *run, const ClipOp *op, GError **error)
{
  const ClipPlan *plan = run->program->plan;

  for (guint i = 0; i < plan->tensors->len; i++) {
    const ClipTensor *tensor = clip_plan_get_tensor (plan, i);
    const gsize item =
        tensor->rows * tensor->columns * clip_dtype_size (tensor->dtype);
    const guint8 *data = run->program->arena + tensor->offset;

    if (tensor->place != CLIP_PLACE_ARENA || tensor->first_op == CLIP_NONE)
      continue;
    if (is_poison (data - CLIP_PLAN_GUARD, data)
        && is_poison (data + run->batch * item,
            data + plan->max_batch * item + CLIP_PLAN_GUARD))
      continue;
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
        "the operation that made tensor %s wrote outside of tensor %s",
        clip_plan_get_tensor (plan, op->out)->name, tensor->name);
    return FALSE;
  }
  return TRUE;
}

gboolean
clip_cpu_run (ClipProgram *program, guint batch, gconstpointer const *inputs,
    gpointer const *outputs, ClipDumpFunc dump, gpointer dump_data,
    GError **error)
{
  const ClipPlan *plan = program->plan;
  const ClipCpuRun run = { program, batch, inputs, outputs };

  if (batch == 0 || batch > plan->max_batch) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "a batch of %u items, the plan takes 1 to %u", batch, plan->max_batch);
    return FALSE;
  }
  if (plan->guarded)
    memset (program->arena, POISON, plan->arena_size);
  for (guint i = 0; i < plan->ops->len; i++) {
    const ClipOp *op = &g_array_index (plan->ops, ClipOp, i);
    const ClipTensor *out = clip_plan_get_tensor (plan, op->out);

    if (!clip_cpu_run_op (&run, op, error)
        || (plan->guarded && !check_guards (&run, op, error)))
      return FALSE;
    if (dump)
      dump (out->name, clip_cpu_run_tensor (&run, op->out), batch * out->rows,
          out->columns, dump_data);
  }
  return TRUE;
}
