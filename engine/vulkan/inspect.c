/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Programs under a magnifying glass: operation after operation, for dumps and
 * for guarded plans.
 */
#include "engine/vulkan/half.h"
#include "engine/vulkan/record.h"

#include <string.h>

#define POISON 0xff

/* Copies what lies in `from` to the host; free with g_free (). */
static guint8 *
fetch (ClipProgram *program, ClipVulkanRange from, GError **error)
{
  ClipVulkanDevice *device = program->device;
  ClipVulkanRecording recording;
  ClipVulkanBuffer buffer;
  guint8 *data = NULL;

  if (!clip_vulkan_buffer_init (&buffer, device, CLIP_VULKAN_READBACK,
          from.size, "a tensor", error))
    return NULL;
  if (clip_vulkan_record_copy (program, from,
          (ClipVulkanRange){ buffer.buffer, 0, from.size }, &recording,
          error)) {
    if (clip_vulkan_recording_run (&recording, program, error)
        && clip_vulkan_buffer_invalidate (&buffer, device, error))
      data = g_memdup2 (buffer.mapped, from.size);
    clip_vulkan_recording_clear (&recording, device);
  }
  if (!device->abandoned)
    clip_vulkan_buffer_clear (&buffer, device);
  return data;
}

static gboolean
dump_tensor (ClipProgram *program, ClipTensorId id, guint batch,
    ClipDumpFunc dump, gpointer dump_data, GError **error)
{
  const ClipTensor *tensor = clip_plan_get_tensor (program->plan, id);
  const gsize n = batch * tensor->rows * tensor->columns;
  g_autofree guint8 *data =
      fetch (program, clip_vulkan_tensor_range (program, id, batch), error);
  g_autofree gfloat *values = g_new (gfloat, n);

  if (!data)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    values[i] = program->half[id] ? clip_half_to_float (((guint16 *) data)[i])
                                  : ((gfloat *) data)[i];
  dump (tensor->name, values, batch * tensor->rows, tensor->columns, dump_data);
  return TRUE;
}

static gboolean
run_op (ClipProgram *program, guint batch, guint i, GError **error)
{
  ClipVulkanRecording recording;
  gboolean ok;

  if (!clip_vulkan_record (program, batch, i, i + 1, &recording, error))
    return FALSE;
  ok = clip_vulkan_recording_run (&recording, program, error);
  clip_vulkan_recording_clear (&recording, program->device);
  return ok;
}

static gboolean
is_poison (const guint8 *from, const guint8 *end)
{
  while (from < end)
    if (*from++ != POISON)
      return FALSE;
  return TRUE;
}

/* The bytes around every tensor, and those behind the batch's items. */
static gboolean
check_guards (ClipProgram *program, guint batch, GError **error)
{
  const ClipPlan *plan = program->plan;
  g_autofree guint8 *arena = fetch (program,
      (ClipVulkanRange){
          program->memory.buffer, program->arena_offset, plan->arena_size },
      error);

  if (!arena)
    return FALSE;
  for (guint i = 0; i < plan->tensors->len; i++) {
    const ClipTensor *tensor = clip_plan_get_tensor (plan, i);
    const guint8 *data = arena + tensor->offset;
    const gsize used = clip_vulkan_tensor_range (program, i, batch).size;
    const gsize size = plan->max_batch * tensor->rows * tensor->columns
        * clip_dtype_size (tensor->dtype);

    if (tensor->place != CLIP_PLACE_ARENA || tensor->first_op == CLIP_NONE
        || (is_poison (data - CLIP_PLAN_GUARD, data)
            && is_poison (data + used, data + size + CLIP_PLAN_GUARD)))
      continue;
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "something was written beside tensor %s", tensor->name);
    return FALSE;
  }
  return TRUE;
}

gboolean
clip_vulkan_run_inspected (ClipProgram *program, guint batch, ClipDumpFunc dump,
    gpointer dump_data, GError **error)
{
  const ClipPlan *plan = program->plan;

  for (guint i = 0; i < plan->ops->len; i++) {
    const ClipOp *op = &g_array_index (plan->ops, ClipOp, i);

    if (!run_op (program, batch, i, error)
        || (dump
            && !dump_tensor (program, op->out, batch, dump, dump_data, error)))
      return FALSE;
  }
  return !plan->guarded || plan->arena_size == 0
      || check_guards (program, batch, error);
}
