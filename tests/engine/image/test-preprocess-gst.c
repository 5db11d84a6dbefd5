/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Colours as GStreamer's own converter sees them, for every pixel format that
 * it and the engine name alike: an independent opinion on planes, orders,
 * matrices and ranges.
 */
#include <math.h>
#include <stdlib.h>

#include <gst/video/video.h>

#include "engine/image/preprocess.h"

#define SIDE 64

typedef struct {
  ClipPixelFormat format;
  GstVideoFormat gst;
} Pair;

static const Pair pairs[] = {
  { CLIP_PIXEL_I420, GST_VIDEO_FORMAT_I420 },
  { CLIP_PIXEL_YV12, GST_VIDEO_FORMAT_YV12 },
  { CLIP_PIXEL_NV12, GST_VIDEO_FORMAT_NV12 },
  { CLIP_PIXEL_NV21, GST_VIDEO_FORMAT_NV21 },
  { CLIP_PIXEL_Y42B, GST_VIDEO_FORMAT_Y42B },
  { CLIP_PIXEL_Y444, GST_VIDEO_FORMAT_Y444 },
  { CLIP_PIXEL_YUY2, GST_VIDEO_FORMAT_YUY2 },
  { CLIP_PIXEL_UYVY, GST_VIDEO_FORMAT_UYVY },
  { CLIP_PIXEL_RGB, GST_VIDEO_FORMAT_RGB },
  { CLIP_PIXEL_BGR, GST_VIDEO_FORMAT_BGR },
  { CLIP_PIXEL_RGBA, GST_VIDEO_FORMAT_RGBA },
  { CLIP_PIXEL_BGRA, GST_VIDEO_FORMAT_BGRA },
  { CLIP_PIXEL_ARGB, GST_VIDEO_FORMAT_ARGB },
  { CLIP_PIXEL_ABGR, GST_VIDEO_FORMAT_ABGR },
  { CLIP_PIXEL_GRAY8, GST_VIDEO_FORMAT_GRAY8 },
  { CLIP_PIXEL_P010_10LE, GST_VIDEO_FORMAT_P010_10LE },
  { CLIP_PIXEL_I420_10LE, GST_VIDEO_FORMAT_I420_10LE },
};

static const struct {
  ClipMatrix matrix;
  GstVideoColorMatrix gst;
} matrices[] = {
  { CLIP_MATRIX_BT601, GST_VIDEO_COLOR_MATRIX_BT601 },
  { CLIP_MATRIX_BT709, GST_VIDEO_COLOR_MATRIX_BT709 },
  { CLIP_MATRIX_BT2020, GST_VIDEO_COLOR_MATRIX_BT2020 },
  { CLIP_MATRIX_SMPTE240M, GST_VIDEO_COLOR_MATRIX_SMPTE240M },
  { CLIP_MATRIX_FCC, GST_VIDEO_COLOR_MATRIX_FCC },
};

static void
set_size (GstVideoInfo *info, GstVideoFormat format, GstVideoColorMatrix matrix,
    gboolean full)
{
  gst_video_info_set_format (info, format, SIDE, SIDE);
  info->colorimetry.matrix = matrix;
  info->colorimetry.range =
      full ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
}

static GstVideoConverter *
make_converter (GstVideoInfo *in, GstVideoInfo *out)
{
  return gst_video_converter_new (in, out,
      gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE,
          GST_VIDEO_CONVERTER_OPT_CHROMA_RESAMPLER_METHOD,
          GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_NEAREST,
          NULL));
}

/* Smooth colours that no chroma siting matters to: an R'G'B' picture that
 * GStreamer brings into the format. */
static void
fill (GstVideoInfo *info, GstVideoFrame *frame)
{
  GstVideoInfo rgb_info;
  GstVideoFrame rgb;
  GstBuffer *buffer;
  GstVideoConverter *converter;

  set_size (&rgb_info, GST_VIDEO_FORMAT_RGB, GST_VIDEO_COLOR_MATRIX_RGB, TRUE);
  buffer = gst_buffer_new_allocate (NULL, rgb_info.size, NULL);
  g_assert_true (gst_video_frame_map (&rgb, &rgb_info, buffer,
      GST_MAP_READWRITE));
  for (guint y = 0; y < SIDE; y++)
    for (guint x = 0; x < SIDE; x++) {
      guint8 *pixel = (guint8 *) rgb.data[0]
          + y * GST_VIDEO_FRAME_PLANE_STRIDE (&rgb, 0) + x * 3;

      pixel[0] = (guint8) (40 + x * 3);
      pixel[1] = (guint8) (30 + y * 3);
      pixel[2] = (guint8) (220 - x - 2 * y);
    }
  converter = make_converter (&rgb_info, info);
  gst_video_converter_frame (converter, &rgb, frame);
  gst_video_converter_free (converter);
  gst_video_frame_unmap (&rgb);
  gst_buffer_unref (buffer);
}

static void
to_rgb (GstVideoInfo *info, GstVideoFrame *frame, guint8 *pixels)
{
  GstVideoInfo rgb_info;
  GstVideoFrame rgb;
  GstBuffer *buffer;
  GstVideoConverter *converter;

  set_size (&rgb_info, GST_VIDEO_FORMAT_RGB, GST_VIDEO_COLOR_MATRIX_RGB, TRUE);
  buffer = gst_buffer_new_wrapped_full (0, pixels, rgb_info.size, 0,
      rgb_info.size, NULL, NULL);
  g_assert_true (gst_video_frame_map (&rgb, &rgb_info, buffer, GST_MAP_WRITE));
  converter = make_converter (info, &rgb_info);
  gst_video_converter_frame (converter, frame, &rgb);
  gst_video_converter_free (converter);
  gst_video_frame_unmap (&rgb);
  gst_buffer_unref (buffer);
}

static void
check (const Pair *pair, ClipMatrix matrix, GstVideoColorMatrix gst_matrix,
    gboolean full)
{
  const ClipPreprocessSpec spec = { CLIP_RESIZE_CROP, SIDE, SIDE,
    CLIP_FILTER_BICUBIC, CLIP_CROP_FLOOR, 1, { 0 }, { 1, 1, 1 }, 0 };
  g_autoptr (ClipPreprocessor) pre =
      clip_preprocessor_new (&spec, CLIP_LAYOUT_ROWS, 0);
  guint8 expected[3 * SIDE * SIDE];
  gfloat found[3 * SIDE * SIDE];
  ClipImage image = { .format = pair->format,
    .width = SIDE,
    .height = SIDE,
    .matrix = matrix,
    .full_range = full };
  gdouble largest = 0, sum = 0;
  GstVideoInfo info;
  GstVideoFrame frame;
  GstBuffer *buffer;

  set_size (&info, pair->gst, gst_matrix, full);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  g_assert_true (gst_video_frame_map (&frame, &info, buffer,
      GST_MAP_READWRITE));
  fill (&info, &frame);
  to_rgb (&info, &frame, expected);
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (&frame); i++) {
    image.planes[i] = GST_VIDEO_FRAME_PLANE_DATA (&frame, i);
    image.strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE (&frame, i);
  }
  g_assert_true (clip_preprocessor_run (pre, &image, CLIP_RESIZE_AUTO, found,
      NULL));
  for (guint i = 0; i < G_N_ELEMENTS (found); i++) {
    const gdouble difference = fabs (found[i] - expected[i]);

    largest = MAX (largest, difference);
    sum += difference;
  }
  g_test_message ("%s matrix %u full %d: largest difference %g, mean %.3f",
      gst_video_format_to_string (pair->gst), matrix, full, largest,
      sum / G_N_ELEMENTS (found));
  /* GStreamer's 8-bit path rounds down at every step: up to three levels for
   * luma, as much again for chroma. */
  g_assert_cmpfloat (largest, <=, 9);
  g_assert_cmpfloat (sum / G_N_ELEMENTS (found), <=, 3);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (buffer);
}

static void
test_format (gconstpointer data)
{
  const Pair *pair = data;

  for (guint i = 0; i < G_N_ELEMENTS (matrices); i++)
    for (guint full = 0; full < 2; full++) {
      if (pair->format >= CLIP_PIXEL_RGB && pair->format <= CLIP_PIXEL_ABGR)
        check (pair, matrices[i].matrix, GST_VIDEO_COLOR_MATRIX_RGB, TRUE);
      else
        check (pair, matrices[i].matrix, matrices[i].gst, full);
    }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autofree gchar *path = g_strdup_printf ("/image/gstreamer/%s",
        gst_video_format_to_string (pairs[i].gst));

    g_test_add_data_func (path, &pairs[i], test_format);
  }
  return g_test_run ();
}
