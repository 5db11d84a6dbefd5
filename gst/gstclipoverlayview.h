/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* The part of a frame that is displayed, in the frame's own pixels, and what
 * happens to it until it is. */
typedef struct {
  gint x, y, width, height;
  gdouble pixel_aspect; /* width of a pixel over its height */
  GstVideoOrientationMethod orientation;
} GstClipOverlayView;

/* What the image-orientation tags of a stream say, those of the stream before
 * those of its container. */
typedef struct {
  GstVideoOrientationMethod by_scope[2]; /* GstTagScope; AUTO: no tag */
} GstClipOverlayOrientation;

void
gst_clip_overlay_orientation_reset (GstClipOverlayOrientation *orientation);
void
gst_clip_overlay_orientation_update (GstClipOverlayOrientation *orientation,
    const GstTagList *tags);

/* How @buffer, a frame of @info, is displayed. */
void gst_clip_overlay_view_init (GstClipOverlayView *view,
    const GstVideoInfo *info, const GstClipOverlayOrientation *orientation,
    GstBuffer *buffer);

gboolean gst_clip_overlay_views_equal (const GstClipOverlayView *a,
    const GstClipOverlayView *b);

G_END_DECLS
