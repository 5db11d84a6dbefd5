/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A GStreamer frame as the engine sees it.
 */
#pragma once

#include <gst/video/video.h>

#include "engine/clip.h"

G_BEGIN_DECLS

/* Formats that a frame can be viewed in, for caps. */
#define GST_CLIP_FRAME_FORMATS                                                 \
  "{ I420, YV12, NV12, NV21, Y42B, Y444, YUY2, UYVY, RGB, BGR, RGBA, RGBx, "   \
  "BGRA, BGRx, ARGB, xRGB, ABGR, xBGR, GRAY8, P010_10LE, I420_10LE }"

/* Describes the mapped `frame` as it is to be displayed: planes, strides,
 * colorimetry, pixel aspect ratio, GstVideoCropMeta and `orientation`. Copies
 * nothing; the view ends with the map. FALSE: the format is none of
 * GST_CLIP_FRAME_FORMATS. */
gboolean gst_clip_frame_view (const GstVideoFrame *frame,
    GstVideoOrientationMethod orientation, ClipImage *image);

G_END_DECLS
