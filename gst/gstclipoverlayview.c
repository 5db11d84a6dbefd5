/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/gstclipoverlayview.h"

void
gst_clip_overlay_orientation_reset (GstClipOverlayOrientation *orientation)
{
  orientation->by_scope[GST_TAG_SCOPE_STREAM] = GST_VIDEO_ORIENTATION_AUTO;
  orientation->by_scope[GST_TAG_SCOPE_GLOBAL] = GST_VIDEO_ORIENTATION_AUTO;
}

void
gst_clip_overlay_orientation_update (GstClipOverlayOrientation *orientation,
    const GstTagList *tags)
{
  GstVideoOrientationMethod method;

  if (gst_video_orientation_from_tag ((GstTagList *) tags, &method))
    orientation->by_scope[gst_tag_list_get_scope (tags)] = method;
}

static GstVideoOrientationMethod
get_orientation (const GstClipOverlayOrientation *orientation)
{
  for (guint scope = 0; scope < G_N_ELEMENTS (orientation->by_scope); scope++) {
    if (orientation->by_scope[scope] != GST_VIDEO_ORIENTATION_AUTO)
      return orientation->by_scope[scope];
  }
  return GST_VIDEO_ORIENTATION_IDENTITY;
}

void
gst_clip_overlay_view_init (GstClipOverlayView *view, const GstVideoInfo *info,
    const GstClipOverlayOrientation *orientation, GstBuffer *buffer)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  guint width = meta ? meta->width : (guint) GST_VIDEO_INFO_WIDTH (info);
  guint height =
      meta ? meta->height : (guint) GST_VIDEO_INFO_FIELD_HEIGHT (info);

  view->x = view->y = 0;
  if (crop && crop->x < width && crop->y < height) {
    view->x = (gint) crop->x;
    view->y = (gint) crop->y;
    width = MIN (crop->width, width - crop->x);
    height = MIN (crop->height, height - crop->y);
  }
  view->width = (gint) width;
  view->height = (gint) height;
  view->pixel_aspect = 1.0;
  if (GST_VIDEO_INFO_PAR_N (info) > 0 && GST_VIDEO_INFO_PAR_D (info) > 0)
    view->pixel_aspect =
        (gdouble) GST_VIDEO_INFO_PAR_N (info) / GST_VIDEO_INFO_PAR_D (info);
  view->orientation = get_orientation (orientation);
}

gboolean
gst_clip_overlay_views_equal (const GstClipOverlayView *a,
    const GstClipOverlayView *b)
{
  return a->x == b->x && a->y == b->y && a->width == b->width
      && a->height == b->height && a->pixel_aspect == b->pixel_aspect
      && a->orientation == b->orientation;
}
