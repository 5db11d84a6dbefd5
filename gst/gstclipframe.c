/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A GStreamer frame as the engine sees it.
 */
#include "gst/gstclipframe.h"

static const struct {
  GstVideoFormat video;
  ClipPixelFormat pixel;
} formats[] = {
  { GST_VIDEO_FORMAT_I420, CLIP_PIXEL_I420 },
  { GST_VIDEO_FORMAT_YV12, CLIP_PIXEL_YV12 },
  { GST_VIDEO_FORMAT_NV12, CLIP_PIXEL_NV12 },
  { GST_VIDEO_FORMAT_NV21, CLIP_PIXEL_NV21 },
  { GST_VIDEO_FORMAT_Y42B, CLIP_PIXEL_Y42B },
  { GST_VIDEO_FORMAT_Y444, CLIP_PIXEL_Y444 },
  { GST_VIDEO_FORMAT_YUY2, CLIP_PIXEL_YUY2 },
  { GST_VIDEO_FORMAT_UYVY, CLIP_PIXEL_UYVY },
  { GST_VIDEO_FORMAT_RGB, CLIP_PIXEL_RGB },
  { GST_VIDEO_FORMAT_BGR, CLIP_PIXEL_BGR },
  { GST_VIDEO_FORMAT_RGBA, CLIP_PIXEL_RGBA },
  { GST_VIDEO_FORMAT_RGBx, CLIP_PIXEL_RGBA },
  { GST_VIDEO_FORMAT_BGRA, CLIP_PIXEL_BGRA },
  { GST_VIDEO_FORMAT_BGRx, CLIP_PIXEL_BGRA },
  { GST_VIDEO_FORMAT_ARGB, CLIP_PIXEL_ARGB },
  { GST_VIDEO_FORMAT_xRGB, CLIP_PIXEL_ARGB },
  { GST_VIDEO_FORMAT_ABGR, CLIP_PIXEL_ABGR },
  { GST_VIDEO_FORMAT_xBGR, CLIP_PIXEL_ABGR },
  { GST_VIDEO_FORMAT_GRAY8, CLIP_PIXEL_GRAY8 },
  { GST_VIDEO_FORMAT_P010_10LE, CLIP_PIXEL_P010_10LE },
  { GST_VIDEO_FORMAT_I420_10LE, CLIP_PIXEL_I420_10LE },
};

static gboolean
find_format (GstVideoFormat video, ClipPixelFormat *pixel)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    if (formats[i].video == video) {
      *pixel = formats[i].pixel;
      return TRUE;
    }
  }
  return FALSE;
}

static ClipMatrix
find_matrix (const GstVideoInfo *info)
{
  switch (info->colorimetry.matrix) {
    case GST_VIDEO_COLOR_MATRIX_FCC:
      return CLIP_MATRIX_FCC;
    case GST_VIDEO_COLOR_MATRIX_BT709:
      return CLIP_MATRIX_BT709;
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
      return CLIP_MATRIX_SMPTE240M;
    case GST_VIDEO_COLOR_MATRIX_BT2020:
      return CLIP_MATRIX_BT2020;
    case GST_VIDEO_COLOR_MATRIX_UNKNOWN:
      /* What GStreamer assumes where caps say nothing. */
      return info->height > 576 ? CLIP_MATRIX_BT709 : CLIP_MATRIX_BT601;
    default:
      return CLIP_MATRIX_BT601;
  }
}

static void
apply_crop (GstBuffer *buffer, ClipImage *image)
{
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);

  if (crop == NULL || crop->width == 0 || crop->height == 0
      || crop->x >= image->width || crop->y >= image->height)
    return;
  image->crop_x = crop->x;
  image->crop_y = crop->y;
  image->crop_width = MIN (crop->width, image->width - crop->x);
  image->crop_height = MIN (crop->height, image->height - crop->y);
}

gboolean
gst_clip_frame_view (const GstVideoFrame *frame,
    GstVideoOrientationMethod orientation, ClipImage *image)
{
  const GstVideoInfo *info = &frame->info;

  memset (image, 0, sizeof *image);
  if (!find_format (GST_VIDEO_INFO_FORMAT (info), &image->format))
    return FALSE;
  image->width = GST_VIDEO_INFO_WIDTH (info);
  image->height = GST_VIDEO_INFO_HEIGHT (info);
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++) {
    image->planes[i] = GST_VIDEO_FRAME_PLANE_DATA (frame, i);
    image->strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE (frame, i);
  }
  image->matrix = find_matrix (info);
  image->full_range = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  image->interlaced = GST_VIDEO_FRAME_IS_INTERLACED (frame);
  image->par_n = GST_VIDEO_INFO_PAR_N (info);
  image->par_d = GST_VIDEO_INFO_PAR_D (info);
  /* The engine's orientations are these methods, value by value. */
  if (orientation <= GST_VIDEO_ORIENTATION_UR_LL)
    image->orientation = (ClipOrientation) orientation;
  apply_crop (frame->buffer, image);
  return TRUE;
}
