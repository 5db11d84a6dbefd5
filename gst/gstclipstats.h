/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a clipfilter has done so far.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_CLIP_STATS_LATENCIES 512

/* The caller's lock protects it. */
typedef struct {
  guint64 frames;  /* the sum of the next three */
  guint64 encoded; /* looked at */
  guint64 reused;  /* given the scores of an earlier frame, as intervals say */
  guint64 skipped; /* late, without content, or nothing to score */
  /* Of the last encoded frames, nanoseconds, in a ring. */
  GstClockTime latencies[GST_CLIP_STATS_LATENCIES];
} GstClipStats;

void gst_clip_stats_add_encoded (GstClipStats *stats, GstClockTime latency);
/* application/x-clipfilter-stats; latencies only after the first frame. */
GstStructure *gst_clip_stats_to_structure (const GstClipStats *stats);

G_END_DECLS
