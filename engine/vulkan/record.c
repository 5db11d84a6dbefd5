/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/vulkan/record.h"

#include <string.h>

/* Operations of one job on the device: a tenth of a second on the slowest of
 * GPUs, whose watchdogs end what takes seconds. */
#define WORK_PER_JOB 2e10
/* A software device has no watchdog and may be a thousand times slower than
 * that; a machine under load, or a memory checker, adds to it. */
#define SECONDS_PER_JOB 120

ClipVulkanRange
clip_vulkan_tensor_range (const ClipProgram *program, ClipTensorId id,
    guint batch)
{
  const ClipTensor *tensor = clip_plan_get_tensor (program->plan, id);
  const gsize element = program->half[id] ? 2 : clip_dtype_size (tensor->dtype);
  const gboolean direct = tensor->place == CLIP_PLACE_INPUT && !program->staged;

  return (ClipVulkanRange){
    .buffer = direct ? program->inputs.buffer : program->memory.buffer,
    .offset = program->offsets[id],
    .size = batch * tensor->rows * tensor->columns * element,
  };
}

/* ---------------------------------------------------------------- hazards */

static gboolean
overlap (const ClipVulkanRange *a, const ClipVulkanRange *b)
{
  return a->buffer == b->buffer && a->offset < b->offset + b->size
      && b->offset < a->offset + a->size;
}

static gboolean
must_wait (const ClipVulkanRecorder *recorder, const ClipVulkanAccess *access,
    guint n)
{
  for (guint i = 0; i < recorder->accesses->len; i++) {
    const ClipVulkanAccess *before =
        &g_array_index (recorder->accesses, ClipVulkanAccess, i);

    for (guint j = 0; j < n; j++)
      if ((before->write || access[j].write)
          && overlap (&before->range, &access[j].range))
        return TRUE;
  }
  return FALSE;
}

#define STAGES                                                                 \
  (VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT)
#define EVERY_ACCESS                                                           \
  (VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT                      \
      | VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT)

static void
put_barrier (ClipVulkanRecorder *recorder, VkPipelineStageFlags to,
    VkAccessFlags access)
{
  const VkMemoryBarrier barrier = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
    .dstAccessMask = access,
  };

  recorder->program->device->vk.CmdPipelineBarrier (recorder->commands, STAGES,
      to, 0, 1, &barrier, 0, NULL, 0, NULL);
}

/* Before a command that accesses these. */
static void
order (ClipVulkanRecorder *recorder, const ClipVulkanAccess *access, guint n)
{
  if (must_wait (recorder, access, n)) {
    put_barrier (recorder, STAGES, EVERY_ACCESS);
    g_array_set_size (recorder->accesses, 0);
  }
  g_array_append_vals (recorder->accesses, access, n);
}

void
clip_vulkan_recorder_copy (ClipVulkanRecorder *recorder, ClipVulkanRange from,
    ClipVulkanRange to)
{
  const VkBufferCopy region = {
    .srcOffset = from.offset, .dstOffset = to.offset, .size = from.size
  };

  order (recorder, (ClipVulkanAccess[]){ { from, FALSE }, { to, TRUE } }, 2);
  recorder->program->device->vk.CmdCopyBuffer (recorder->commands, from.buffer,
      to.buffer, 1, &region);
}

static void
fill (ClipVulkanRecorder *recorder, ClipVulkanRange range, guint32 word)
{
  order (recorder, &(ClipVulkanAccess){ range, TRUE }, 1);
  recorder->program->device->vk.CmdFillBuffer (recorder->commands, range.buffer,
      range.offset, range.size, word);
}

/* --------------------------------------------------------------- dispatches */

static gboolean
bind (ClipVulkanRecorder *recorder, const ClipVulkanDispatch *dispatch,
    const ClipVulkanPipeline *pipeline)
{
  const ClipVk *vk = &recorder->program->device->vk;
  const VkDevice device = recorder->program->device->device;
  const VkDescriptorSetAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
    .descriptorPool = recorder->recording->descriptors,
    .descriptorSetCount = 1,
    .pSetLayouts = &pipeline->set_layout,
  };
  VkDescriptorBufferInfo buffers[CLIP_VULKAN_MAX_BINDINGS];
  VkWriteDescriptorSet writes[CLIP_VULKAN_MAX_BINDINGS];
  VkDescriptorSet set;

  if (!clip_vk_check (vk->AllocateDescriptorSets (device, &info, &set),
          "naming a kernel's buffers", recorder->error))
    return FALSE;
  for (guint i = 0; i < dispatch->key.n_bindings; i++) {
    const ClipVulkanRange *range = &dispatch->bindings[i].range;

    buffers[i] =
        (VkDescriptorBufferInfo){ range->buffer, range->offset, range->size };
    writes[i] = (VkWriteDescriptorSet){
      .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
      .dstSet = set,
      .dstBinding = i,
      .descriptorCount = 1,
      .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
      .pBufferInfo = &buffers[i],
    };
  }
  vk->UpdateDescriptorSets (device, dispatch->key.n_bindings, writes, 0, NULL);
  vk->CmdBindDescriptorSets (recorder->commands, VK_PIPELINE_BIND_POINT_COMPUTE,
      pipeline->layout, 0, 1, &set, 0, NULL);
  return TRUE;
}

/* Bindings reach as far as the device allows, grids too. */
static gboolean
check_limits (ClipVulkanRecorder *recorder, const ClipVulkanDispatch *dispatch)
{
  const ClipVulkanCaps *caps = &recorder->program->device->caps;
  gsize largest = 0;
  guint groups = 0;

  for (guint i = 0; i < dispatch->key.n_bindings; i++)
    largest = MAX (largest, dispatch->bindings[i].range.size);
  for (guint i = 0; i < 3; i++)
    groups = MAX (groups, dispatch->groups[i]);
  if (largest <= caps->max_range && groups <= caps->max_groups)
    return TRUE;
  g_set_error (recorder->error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
      "the kernel %s needs %zu bytes at once and %u workgroups; the Vulkan "
      "device %s allows %zu and %u",
      clip_vulkan_kernel_name (dispatch->key.kernel), largest, groups,
      caps->name, caps->max_range, caps->max_groups);
  return FALSE;
}

gboolean
clip_vulkan_recorder_dispatch (ClipVulkanRecorder *recorder,
    const ClipVulkanDispatch *dispatch)
{
  ClipVulkanDevice *device = recorder->program->device;
  const ClipVulkanPipeline *pipeline;

  if (!check_limits (recorder, dispatch))
    return FALSE;
  pipeline = clip_vulkan_pipeline_get (device, &dispatch->key, recorder->error);
  if (!pipeline)
    return FALSE;
  order (recorder, dispatch->bindings, dispatch->key.n_bindings);
  device->vk.CmdBindPipeline (recorder->commands,
      VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->pipeline);
  if (!bind (recorder, dispatch, pipeline))
    return FALSE;
  device->vk.CmdPushConstants (recorder->commands, pipeline->layout,
      VK_SHADER_STAGE_COMPUTE_BIT, 0,
      dispatch->n_push * (guint32) sizeof (guint32), dispatch->push);
  device->vk.CmdDispatch (recorder->commands, dispatch->groups[0],
      dispatch->groups[1], dispatch->groups[2]);
  return TRUE;
}

/* --------------------------------------------------------------- recordings */

static gboolean
begin_commands (ClipVulkanRecorder *recorder)
{
  ClipVulkanDevice *device = recorder->program->device;
  ClipVulkanRecording *recording = recorder->recording;
  const VkCommandBufferAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .commandPool = recording->pool,
    .commandBufferCount = 1,
  };
  const VkCommandBufferBeginInfo begin = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
  };
  static const gchar doing[] = "recording commands";

  if (!clip_vk_check (device->vk.AllocateCommandBuffers (device->device, &info,
                          &recorder->commands),
          doing, recorder->error)
      || !clip_vk_check (device->vk.BeginCommandBuffer (recorder->commands,
                             &begin),
          doing, recorder->error))
    return FALSE;
  recording->commands =
      g_renew (VkCommandBuffer, recording->commands, recording->n_commands + 1);
  recording->commands[recording->n_commands++] = recorder->commands;
  recorder->work = 0;
  return TRUE;
}

static gboolean
end_commands (ClipVulkanRecorder *recorder)
{
  return clip_vk_check (recorder->program->device->vk
                            .EndCommandBuffer (recorder->commands),
      "recording commands", recorder->error);
}

/* Dispatches of an operation: one, or one for each part of its weight. */
static guint
count_dispatches (const ClipProgram *program, const ClipOp *op)
{
  return op->weight == CLIP_NONE ? 1 : program->weights[op->weight]->n_parts;
}

static gboolean
make_pools (ClipVulkanRecorder *recorder, guint first, guint end)
{
  const ClipProgram *program = recorder->program;
  const ClipVk *vk = &program->device->vk;
  const VkCommandPoolCreateInfo pool = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .queueFamilyIndex = program->device->queue_family,
  };
  VkDescriptorPoolSize size = { .type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER };
  VkDescriptorPoolCreateInfo descriptors = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
    .poolSizeCount = 1,
    .pPoolSizes = &size,
  };

  for (guint i = first; i < end; i++)
    descriptors.maxSets += count_dispatches (program,
        &g_array_index (program->plan->ops, ClipOp, i));
  size.descriptorCount = descriptors.maxSets * CLIP_VULKAN_MAX_BINDINGS;
  return clip_vk_check (vk->CreateCommandPool (program->device->device, &pool,
                            NULL, &recorder->recording->pool),
             "making a pool of commands", recorder->error)
      && clip_vk_check (vk->CreateDescriptorPool (program->device->device,
                            &descriptors, NULL,
                            &recorder->recording->descriptors),
          "making a pool of descriptors", recorder->error);
}

/* Inputs to where kernels read them, the flag to zero; what nobody writes
 * becomes NaN in a guarded plan. */
static void
bring_in (ClipVulkanRecorder *recorder)
{
  const ClipProgram *program = recorder->program;
  const ClipPlan *plan = program->plan;

  fill (recorder, (ClipVulkanRange){ program->memory.buffer, 0, 4 }, 0);
  if (plan->guarded)
    fill (recorder,
        (ClipVulkanRange){
            program->memory.buffer, program->arena_offset, plan->arena_size },
        0xffffffff);
  for (guint i = 0; program->staged && i < plan->tensors->len; i++) {
    ClipVulkanRange to;

    if (clip_plan_get_tensor (plan, i)->place != CLIP_PLACE_INPUT)
      continue;
    to = clip_vulkan_tensor_range (program, i, recorder->batch);
    clip_vulkan_recorder_copy (recorder,
        (ClipVulkanRange){
            program->inputs.buffer, program->input_offsets[i], to.size },
        to);
  }
}

static void
bring_out (ClipVulkanRecorder *recorder)
{
  const ClipProgram *program = recorder->program;
  const ClipPlan *plan = program->plan;

  clip_vulkan_recorder_copy (recorder,
      (ClipVulkanRange){ program->memory.buffer, 0, 4 },
      (ClipVulkanRange){ program->readback.buffer, 0, 4 });
  for (guint i = 0; i < plan->tensors->len; i++) {
    ClipVulkanRange from;

    if (clip_plan_get_tensor (plan, i)->place != CLIP_PLACE_OUTPUT)
      continue;
    from = clip_vulkan_tensor_range (program, i, recorder->batch);
    clip_vulkan_recorder_copy (recorder, from,
        (ClipVulkanRange){
            program->readback.buffer, program->read_offsets[i], from.size });
  }
  put_barrier (recorder, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
}

static gboolean
record_ops (ClipVulkanRecorder *recorder, guint first, guint end)
{
  const ClipPlan *plan = recorder->program->plan;

  for (guint i = first; i < end; i++) {
    const ClipOp *op = &g_array_index (plan->ops, ClipOp, i);
    const gdouble work = clip_vulkan_count_work (plan, op, recorder->batch);

    if (recorder->work > 0 && recorder->work + work > WORK_PER_JOB
        && !(end_commands (recorder) && begin_commands (recorder)))
      return FALSE;
    recorder->work += work;
    if (!clip_vulkan_record_op (recorder, op))
      return FALSE;
  }
  return TRUE;
}

/* Whatever ran before has ended, but only a barrier says that what it wrote is
 * to be seen. */
static gboolean
begin_recording (ClipVulkanRecorder *recorder, guint first, guint end)
{
  *recorder->recording = (ClipVulkanRecording){ 0 };
  recorder->accesses = g_array_new (FALSE, FALSE, sizeof (ClipVulkanAccess));
  if (!make_pools (recorder, first, end) || !begin_commands (recorder))
    return FALSE;
  put_barrier (recorder, STAGES, EVERY_ACCESS);
  return TRUE;
}

static gboolean
end_recording (ClipVulkanRecorder *recorder, gboolean ok)
{
  ok = ok && end_commands (recorder);
  g_array_unref (recorder->accesses);
  if (!ok)
    clip_vulkan_recording_clear (recorder->recording,
        recorder->program->device);
  return ok;
}

gboolean
clip_vulkan_record (ClipProgram *program, guint batch, guint first, guint end,
    ClipVulkanRecording *recording, GError **error)
{
  ClipVulkanRecorder recorder = {
    .program = program, .batch = batch, .recording = recording, .error = error
  };
  gboolean ok = begin_recording (&recorder, first, end);

  if (ok && first == 0)
    bring_in (&recorder);
  ok = ok && record_ops (&recorder, first, end);
  if (ok && end == program->plan->ops->len)
    bring_out (&recorder);
  return end_recording (&recorder, ok);
}

gboolean
clip_vulkan_record_copy (ClipProgram *program, ClipVulkanRange from,
    ClipVulkanRange to, ClipVulkanRecording *recording, GError **error)
{
  ClipVulkanRecorder recorder = {
    .program = program, .recording = recording, .error = error
  };
  const gboolean ok = begin_recording (&recorder, 0, 1);

  if (ok) {
    clip_vulkan_recorder_copy (&recorder, from, to);
    put_barrier (&recorder, VK_PIPELINE_STAGE_HOST_BIT,
        VK_ACCESS_HOST_READ_BIT);
  }
  return end_recording (&recorder, ok);
}

void
clip_vulkan_recording_clear (ClipVulkanRecording *recording,
    ClipVulkanDevice *device)
{
  if (!device->abandoned) {
    device->vk.DestroyCommandPool (device->device, recording->pool, NULL);
    device->vk.DestroyDescriptorPool (device->device, recording->descriptors,
        NULL);
  }
  g_free (recording->commands);
  *recording = (ClipVulkanRecording){ 0 };
}

gboolean
clip_vulkan_recording_run (const ClipVulkanRecording *recording,
    ClipProgram *program, GError **error)
{
  return clip_vulkan_device_run (program->device, recording->commands,
      recording->n_commands, program->fence,
      SECONDS_PER_JOB * recording->n_commands, error);
}
