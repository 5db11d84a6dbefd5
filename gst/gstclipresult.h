/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Scores on their way out of the element: as metadata and as a message.
 */
#pragma once

#include <gst/gst.h>

#include "engine/clip.h"

G_BEGIN_DECLS

/* A view: nothing is owned. */
typedef struct {
  const gchar *id, *model;
  ClipLabels *labels;
  const gfloat *scores; /* [labels] */
  const guint *order;   /* [n]: indices of what is reported, highest first */
  guint n;
  GstClockTime inference_pts, age; /* NONE where unknown */
  const gfloat *embedding;         /* [dim]; NULL: not to be attached */
  guint dim;
} GstClipResult;

/* Replaces the meta of the same id. The buffer is writable. */
void gst_clip_result_attach (const GstClipResult *result, GstBuffer *buffer);
/* Takes away the metas of this id that an earlier element left. */
void gst_clip_result_detach (GstBuffer *buffer, const gchar *id);

/* Of a frame's timestamp; NONE where the segment is not one of time. */
GstClockTime gst_clip_get_stream_time (const GstSegment *segment,
    GstBuffer *buffer);
GstClockTime gst_clip_get_running_time (const GstSegment *segment,
    GstBuffer *buffer);

/* The element message "clipfilter" for a frame of this segment. */
GstMessage *gst_clip_result_to_message (const GstClipResult *result,
    GstElement *element, const GstSegment *segment, GstBuffer *buffer);

/* The element message "clipfilter-labels": these labels are in use from now
 * on. `labels` may be NULL. */
GstMessage *gst_clip_labels_to_message (ClipLabels *labels,
    GstElement *element);

G_END_DECLS
