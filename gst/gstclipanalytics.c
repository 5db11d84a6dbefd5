/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same scores as GStreamer's analytics library (1.24) carries them.
 */
#define GST_USE_UNSTABLE_API
#include "gst/gstclipanalytics.h"

#include <gst/analytics/analytics.h>

/* Class names are quarks, which are never freed: a process whose labels never
 * stop changing gets no new ones after this many. */
#define MAX_QUARKS 65536

static GQuark
find_quark (const gchar *label)
{
  static gint n_quarks = 0;
  GQuark quark = g_quark_try_string (label);

  if (quark == 0 && g_atomic_int_get (&n_quarks) < MAX_QUARKS) {
    g_atomic_int_inc (&n_quarks);
    quark = g_quark_from_string (label);
  }
  return quark;
}

void
gst_clip_analytics_attach (const GstClipResult *result, GstBuffer *buffer)
{
  g_autofree gfloat *levels = g_new (gfloat, result->n);
  g_autofree GQuark *quarks = g_new (GQuark, result->n);
  GstAnalyticsRelationMeta *relations;
  GstAnalyticsClsMtd classification;
  gsize n = 0;

  for (guint i = 0; i < result->n; i++) {
    const guint label = result->order[i];

    quarks[n] = find_quark (clip_labels_get_label (result->labels, label));
    levels[n] = result->scores[label];
    if (quarks[n] != 0)
      n++;
  }
  if (n == 0)
    return;
  relations = gst_buffer_add_analytics_relation_meta (buffer);
  gst_analytics_relation_meta_add_cls_mtd (relations, n, levels, quarks,
      &classification);
}
