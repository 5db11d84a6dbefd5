/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a clipfilter has done so far.
 */
#include "gst/gstclipstats.h"

#include <stdlib.h>
#include <string.h>

void
gst_clip_stats_add_encoded (GstClipStats *stats, GstClockTime latency)
{
  stats->latencies[stats->encoded % GST_CLIP_STATS_LATENCIES] = latency;
  stats->encoded++;
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  const GstClockTime x = *(const GstClockTime *) a;
  const GstClockTime y = *(const GstClockTime *) b;

  return x < y ? -1 : x > y;
}

GstStructure *
gst_clip_stats_to_structure (const GstClipStats *stats)
{
  const gsize n = MIN (stats->encoded, GST_CLIP_STATS_LATENCIES);
  GstClockTime sorted[GST_CLIP_STATS_LATENCIES];
  GstStructure *structure = gst_structure_new ("application/x-clipfilter-stats",
      "frames", G_TYPE_UINT64, stats->frames, "encoded", G_TYPE_UINT64,
      stats->encoded, "reused", G_TYPE_UINT64, stats->reused, "skipped",
      G_TYPE_UINT64, stats->skipped, NULL);

  if (n == 0)
    return structure;
  memcpy (sorted, stats->latencies, n * sizeof *sorted);
  qsort (sorted, n, sizeof *sorted, compare_times);
  gst_structure_set (structure, "latency-p50", G_TYPE_UINT64,
      sorted[(n - 1) * 50 / 100], "latency-p95", G_TYPE_UINT64,
      sorted[(n - 1) * 95 / 100], "latency-p99", G_TYPE_UINT64,
      sorted[(n - 1) * 99 / 100], NULL);
  return structure;
}
