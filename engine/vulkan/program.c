/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan/program.h"

#include <string.h>

/* Every device binds at multiples of this. */
#define ALIGNMENT 256

static gsize
align (gsize n)
{
  return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static gsize
whole_size (const ClipPlan *plan, const ClipTensor *tensor)
{
  return plan->max_batch * tensor->rows * tensor->columns
      * clip_dtype_size (tensor->dtype);
}

typedef struct {
  gsize memory, inputs, readback;
} Sizes;

/* Places everything; both the flag and the arena come before. */
static Sizes
lay_out (ClipProgram *program)
{
  const ClipPlan *plan = program->plan;
  const guint n = plan->tensors->len;
  Sizes sizes = { .memory = ALIGNMENT, .readback = ALIGNMENT };

  program->offsets = g_new0 (gsize, n);
  program->input_offsets = g_new0 (gsize, n);
  program->read_offsets = g_new0 (gsize, n);
  program->arena_offset = sizes.memory;
  sizes.memory += align (plan->arena_size);
  for (guint i = 0; i < n; i++) {
    const ClipTensor *tensor = clip_plan_get_tensor (plan, i);
    const gsize size = align (whole_size (plan, tensor));

    switch (tensor->place) {
      case CLIP_PLACE_ARENA:
        program->offsets[i] = program->arena_offset + tensor->offset;
        break;
      case CLIP_PLACE_INPUT:
        program->input_offsets[i] = sizes.inputs;
        program->offsets[i] = program->staged ? sizes.memory : sizes.inputs;
        sizes.inputs += size;
        sizes.memory += program->staged ? size : 0;
        break;
      case CLIP_PLACE_OUTPUT:
        program->offsets[i] = sizes.memory;
        program->read_offsets[i] = sizes.readback;
        sizes.memory += size;
        sizes.readback += size;
        break;
    }
  }
  return sizes;
}

static gboolean
allocate (ClipProgram *program, GError **error)
{
  ClipVulkanDevice *device = program->device;
  const VkFenceCreateInfo info = { .sType =
                                       VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
  Sizes sizes;

  program->staged = !device->caps.direct_inputs;
  sizes = lay_out (program);
  if (!clip_vulkan_buffer_init (&program->memory, device, CLIP_VULKAN_DEVICE,
          sizes.memory, "intermediate results", error)
      || !clip_vulkan_buffer_init (&program->inputs, device,
          program->staged ? CLIP_VULKAN_UPLOAD : CLIP_VULKAN_DIRECT,
          sizes.inputs, "inputs", error)
      || !clip_vulkan_buffer_init (&program->readback, device,
          CLIP_VULKAN_READBACK, sizes.readback, "results", error))
    return FALSE;
  return clip_vk_check (device->vk.CreateFence (device->device, &info, NULL,
                            &program->fence),
      "making a fence", error);
}

static gboolean
record_all (ClipProgram *program, GError **error)
{
  const guint n = program->plan->max_batch;

  program->recordings = g_new0 (ClipVulkanRecording, n);
  for (guint i = 0; i < n; i++)
    if (!clip_vulkan_record (program, i + 1, 0, program->plan->ops->len,
            &program->recordings[i], error))
      return FALSE;
  return TRUE;
}

/* Tensors of integers are inputs: they are checked on the host, so that no
 * kernel reads beside a table. */
static gboolean
check_integers (const ClipPlan *plan, GError **error)
{
  for (guint i = 0; i < plan->tensors->len; i++) {
    const ClipTensor *tensor = clip_plan_get_tensor (plan, i);

    if (tensor->dtype == CLIP_DTYPE_I32 && tensor->place != CLIP_PLACE_INPUT) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
          "tensor %s holds integers and is no input", tensor->name);
      return FALSE;
    }
  }
  return TRUE;
}

ClipProgram *
clip_vulkan_prepare (ClipBackend *backend, const ClipPlan *plan,
    ClipWeight *const *weights, GError **error)
{
  ClipVulkanBackend *vulkan = (ClipVulkanBackend *) backend;
  ClipProgram *program;

  if (!clip_plan_check (plan, error) || !check_integers (plan, error))
    return NULL;
  program = g_new0 (ClipProgram, 1);
  program->backend = vulkan;
  program->device = clip_vulkan_device_ref (vulkan->device);
  program->plan = plan;
  program->weights = g_memdup2 (weights, plan->weights->len * sizeof *weights);
  clip_vulkan_choose_types (program);
  if (!allocate (program, error) || !record_all (program, error))
    g_clear_pointer (&program, clip_vulkan_free_program);
  return program;
}

void
clip_vulkan_free_program (ClipProgram *program)
{
  ClipVulkanDevice *device = program->device;

  for (guint i = 0; program->recordings && i < program->plan->max_batch; i++)
    clip_vulkan_recording_clear (&program->recordings[i], device);
  g_free (program->recordings);
  if (!device->abandoned) {
    device->vk.DestroyFence (device->device, program->fence, NULL);
    clip_vulkan_buffer_clear (&program->memory, device);
    clip_vulkan_buffer_clear (&program->inputs, device);
    clip_vulkan_buffer_clear (&program->readback, device);
  }
  g_free (program->offsets);
  g_free (program->input_offsets);
  g_free (program->read_offsets);
  g_free (program->half);
  g_free (program->weights);
  g_free (program);
  clip_vulkan_device_unref (device);
}

/* ---------------------------------------------------------------------- run */

static gboolean
check_range (const ClipTensor *out, const gint32 *values, gsize n, gsize end,
    const gchar *what, GError **error)
{
  for (gsize i = 0; i < n; i++)
    if (values[i] < 0 || (gsize) values[i] >= end) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
          "tensor %s: %s %d at %zu, expected 0 to %zu", out->name, what,
          values[i], i, end - 1);
      return FALSE;
    }
  return TRUE;
}

/* Ids and positions of every operation against what they point into. */
static gboolean
check_inputs (const ClipProgram *program, guint batch,
    gconstpointer const *inputs, GError **error)
{
  const ClipPlan *plan = program->plan;

  for (guint i = 0; i < plan->ops->len; i++) {
    const ClipOp *op = &g_array_index (plan->ops, ClipOp, i);
    const ClipTensor *a = clip_plan_get_tensor (plan, op->a);
    const ClipTensor *out = clip_plan_get_tensor (plan, op->out);
    const ClipTensor *into =
        op->b == CLIP_NONE ? a : clip_plan_get_tensor (plan, op->b);

    if (op->kind == CLIP_OP_EMBED
        && !check_range (out, inputs[a->slot], batch * a->rows,
            program->weights[op->weight]->rows, "token id", error))
      return FALSE;
    if (op->positions != CLIP_NONE
        && !check_range (out,
            inputs[clip_plan_get_tensor (plan, op->positions)->slot], batch,
            into->rows, "position", error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_inputs (ClipProgram *program, guint batch, gconstpointer const *inputs,
    GError **error)
{
  const ClipPlan *plan = program->plan;

  for (guint i = 0; i < plan->tensors->len; i++) {
    const ClipTensor *tensor = clip_plan_get_tensor (plan, i);

    if (tensor->place == CLIP_PLACE_INPUT)
      memcpy (program->inputs.mapped + program->input_offsets[i],
          inputs[tensor->slot],
          clip_vulkan_tensor_range (program, i, batch).size);
  }
  return clip_vulkan_buffer_flush (&program->inputs, program->device, error);
}

static gboolean
read_outputs (ClipProgram *program, guint batch, gpointer const *outputs,
    GError **error)
{
  const ClipPlan *plan = program->plan;

  if (!clip_vulkan_buffer_invalidate (&program->readback, program->device,
          error))
    return FALSE;
  if (*(const guint32 *) program->readback.mapped != 0) {
    program->backend->parent.overflowed = TRUE;
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
        "a value did not fit into 16 bits on the Vulkan device %s",
        program->device->caps.name);
    return FALSE;
  }
  for (guint i = 0; i < plan->tensors->len; i++) {
    const ClipTensor *tensor = clip_plan_get_tensor (plan, i);

    if (tensor->place == CLIP_PLACE_OUTPUT)
      memcpy (outputs[tensor->slot],
          program->readback.mapped + program->read_offsets[i],
          clip_vulkan_tensor_range (program, i, batch).size);
  }
  return TRUE;
}

gboolean
clip_vulkan_run (ClipProgram *program, guint batch, gconstpointer const *inputs,
    gpointer const *outputs, ClipDumpFunc dump, gpointer dump_data,
    GError **error)
{
  const ClipPlan *plan = program->plan;

  if (batch == 0 || batch > plan->max_batch) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "a batch of %u items, the plan takes 1 to %u", batch, plan->max_batch);
    return FALSE;
  }
  if (!check_inputs (program, batch, inputs, error)
      || !write_inputs (program, batch, inputs, error))
    return FALSE;
  if (dump || plan->guarded) {
    if (!clip_vulkan_run_inspected (program, batch, dump, dump_data, error))
      return FALSE;
  } else if (!clip_vulkan_recording_run (&program->recordings[batch - 1],
                 program, error)) {
    return FALSE;
  }
  return read_outputs (program, batch, outputs, error);
}
