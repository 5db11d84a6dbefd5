/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plan on a device: its memory, and command buffers that are recorded once
 * for each batch size and replayed.
 */
#pragma once

#include "engine/vulkan/pipeline.h"
#include "engine/vulkan/tiles.h"
#include "engine/vulkan/vulkan.h"
#include "engine/vulkan/weight.h"

typedef struct {
  ClipBackend parent;
  ClipVulkanDevice *device;   /* a reference */
  gboolean half;              /* weights and activations in 16 bits */
  const ClipVulkanTile *tile; /* NULL: chosen for each product */
} ClipVulkanBackend;

/* Commands for one batch size, or for a part of a plan. */
typedef struct {
  VkCommandPool pool;
  VkDescriptorPool descriptors;
  VkCommandBuffer *commands; /* each a job of its own on the device */
  guint n_commands;
} ClipVulkanRecording;

typedef struct {
  VkBuffer buffer;
  VkDeviceSize offset, size;
} ClipVulkanRange;

struct _ClipProgram {
  ClipVulkanBackend *backend;
  ClipVulkanDevice *device;
  const ClipPlan *plan;
  ClipWeight **weights;
  gboolean *half; /* of each tensor: whether it is stored in 16 bits */

  /* `memory` holds the overflow flag, the arena, the outputs and, where the
   * host cannot write device memory, copies of the inputs. Each tensor's
   * offset is in there, an input's in `inputs` too. */
  ClipVulkanBuffer memory, inputs, readback;
  gsize *offsets;       /* of each tensor, in memory; of an input that is not
                           copied, in inputs */
  gsize *input_offsets; /* of each tensor that is an input, in inputs */
  gsize *read_offsets;  /* of each tensor that is an output, in readback */
  gsize arena_offset;
  gboolean staged; /* inputs are copied into memory first */
  VkFence fence;
  ClipVulkanRecording *recordings; /* [max_batch], for 1 .. max_batch items */
};

/* Fills program->half. */
void clip_vulkan_choose_types (ClipProgram *program);

ClipProgram *clip_vulkan_prepare (ClipBackend *backend, const ClipPlan *plan,
    ClipWeight *const *weights, GError **error);
gboolean clip_vulkan_run (ClipProgram *program, guint batch,
    gconstpointer const *inputs, gpointer const *outputs, ClipDumpFunc dump,
    gpointer dump_data, GError **error);
void clip_vulkan_free_program (ClipProgram *program);

/* Whether a product whose answer is known comes out right: else an error. */
gboolean clip_vulkan_check_products (ClipVulkanBackend *vulkan, GError **error);

/* ---- record.c */

/* The part of a tensor that `batch` items take. */
ClipVulkanRange clip_vulkan_tensor_range (const ClipProgram *program,
    ClipTensorId id, guint batch);

/* Operations first .. end - 1 of the plan for a batch; with the first, the
 * inputs are brought in, with the last, the outputs brought out. */
gboolean clip_vulkan_record (ClipProgram *program, guint batch, guint first,
    guint end, ClipVulkanRecording *recording, GError **error);
/* A copy, to be read by the host. */
gboolean clip_vulkan_record_copy (ClipProgram *program, ClipVulkanRange from,
    ClipVulkanRange to, ClipVulkanRecording *recording, GError **error);
void clip_vulkan_recording_clear (ClipVulkanRecording *recording,
    ClipVulkanDevice *device);
gboolean clip_vulkan_recording_run (const ClipVulkanRecording *recording,
    ClipProgram *program, GError **error);

/* ---- inspect.c */

/* Runs operation after operation and hands each result to dump (may be NULL).
 * Checks the guards of a guarded plan at the end. For tests: allocates. */
gboolean clip_vulkan_run_inspected (ClipProgram *program, guint batch,
    ClipDumpFunc dump, gpointer dump_data, GError **error);
