/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

#include "gst/gstclipoverlayview.h"

G_BEGIN_DECLS

/**
 * GstClipOverlayPosition:
 * @GST_CLIP_OVERLAY_POSITION_TOP_LEFT: upper left corner
 * @GST_CLIP_OVERLAY_POSITION_TOP: middle of the upper edge
 * @GST_CLIP_OVERLAY_POSITION_TOP_RIGHT: upper right corner
 * @GST_CLIP_OVERLAY_POSITION_BOTTOM_LEFT: lower left corner
 * @GST_CLIP_OVERLAY_POSITION_BOTTOM: middle of the lower edge
 * @GST_CLIP_OVERLAY_POSITION_BOTTOM_RIGHT: lower right corner
 *
 * Where the panel lies on the picture as it is displayed.
 *
 * Since: 0.1
 */
typedef enum {
  GST_CLIP_OVERLAY_POSITION_TOP_LEFT,
  GST_CLIP_OVERLAY_POSITION_TOP,
  GST_CLIP_OVERLAY_POSITION_TOP_RIGHT,
  GST_CLIP_OVERLAY_POSITION_BOTTOM_LEFT,
  GST_CLIP_OVERLAY_POSITION_BOTTOM,
  GST_CLIP_OVERLAY_POSITION_BOTTOM_RIGHT,
} GstClipOverlayPosition;

/* How the panel looks; colours are 0xAARRGGBB. */
typedef struct {
  GstClipOverlayPosition position;
  gchar *font; /* a Pango font description; NULL: sans, sized by the frame */
  guint text_color;
  guint background_color;
  guint bar_color;
} GstClipOverlayStyle;

/* Paints panels. Not thread-safe: one user at a time. */
typedef struct _GstClipOverlayPanel GstClipOverlayPanel;

GstClipOverlayPanel *gst_clip_overlay_panel_new (void);
void gst_clip_overlay_panel_free (GstClipOverlayPanel *panel);

/* Paints @rows (of GstClipOverlayRow) as a rectangle in the pixels and
 * coordinates of the frame, upright once displayed. Returns it (transfer
 * full), or NULL where nothing is left to see: no rows, or a picture too small
 * for a panel. As many rows as fit are painted, labels that are too long are
 * ellipsised. The panel's width only grows while @view stays the same, so that
 * it does not dance as labels come and go. */
GstVideoOverlayRectangle *
gst_clip_overlay_panel_paint (GstClipOverlayPanel *panel,
    const GstClipOverlayStyle *style, const GstClipOverlayView *view,
    const GArray *rows);

G_END_DECLS
