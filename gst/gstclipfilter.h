/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element that scores video frames against labels.
 */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_CLIP_FILTER (gst_clip_filter_get_type ())
G_DECLARE_FINAL_TYPE (GstClipFilter, gst_clip_filter, GST, CLIP_FILTER,
    GstBaseTransform)

G_END_DECLS
