/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The recorder: dispatches and copies go into command buffers, with a barrier
 * before one only where it needs what an earlier one wrote, or overwrites what
 * an earlier one reads.
 */
#pragma once

#include "engine/vulkan/program.h"

typedef struct {
  ClipVulkanRange range;
  gboolean write;
} ClipVulkanAccess;

typedef struct {
  ClipVulkanPipelineKey key;
  ClipVulkanAccess bindings[CLIP_VULKAN_MAX_BINDINGS];
  guint32 push[CLIP_VULKAN_MAX_PUSH];
  guint n_push;
  guint groups[3];
} ClipVulkanDispatch;

typedef struct {
  ClipProgram *program;
  guint batch;
  ClipVulkanRecording *recording;
  VkCommandBuffer commands; /* the one being recorded */
  GArray *accesses;         /* ClipVulkanAccess since the last barrier */
  gdouble work;             /* floating-point operations in `commands` */
  GError **error;
} ClipVulkanRecorder;

gboolean clip_vulkan_recorder_dispatch (ClipVulkanRecorder *recorder,
    const ClipVulkanDispatch *dispatch);
void clip_vulkan_recorder_copy (ClipVulkanRecorder *recorder,
    ClipVulkanRange from, ClipVulkanRange to);

/* Records one operation of the plan. */
gboolean clip_vulkan_record_op (ClipVulkanRecorder *recorder, const ClipOp *op);
/* Floating-point operations of one, for the whole batch. */
gdouble clip_vulkan_count_work (const ClipPlan *plan, const ClipOp *op,
    guint batch);
