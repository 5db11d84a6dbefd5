/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* One line of the panel. */
typedef struct {
  gchar *text;     /* valid UTF-8, one line, no control characters */
  gboolean header; /* names whose labels follow; no score */
  gint percent;    /* the score, rounded */
} GstClipOverlayRow;

/* Which labels of a frame to show. */
typedef struct {
  gchar *meta_id;    /* of the results to show; NULL: all */
  guint top_k;       /* rows per result; 0: all */
  gdouble threshold; /* the least score that is shown */
} GstClipOverlayChoice;

/* The rows for @buffer, highest score first: those of its GstClipMetas, under
 * a header each where there are several, else those of the classifications of
 * the whole frame that other elements attached (GstAnalyticsClsMtd). Returns
 * an array of GstClipOverlayRow (transfer full), empty where there is nothing
 * to show. */
GArray *gst_clip_overlay_rows_new (GstBuffer *buffer,
    const GstClipOverlayChoice *choice);

/* Whether both would be drawn alike. */
gboolean gst_clip_overlay_rows_equal (const GArray *a, const GArray *b);

G_END_DECLS
