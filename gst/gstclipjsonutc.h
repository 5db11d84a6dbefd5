/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The moment a recording started, from the DATE_TIME tag of @tags:
 * nanoseconds since 1970 in UTC, or GST_CLOCK_TIME_NONE where there is no
 * tag, or one that does not say the time to the second. */
GstClockTime gst_clip_json_utc_from_tags (const GstTagList *tags);

/* The moment that @buffer shows, nanoseconds since 1970 in UTC, from the best
 * source at hand: a reference timestamp on the buffer (timestamp/x-unix or
 * timestamp/x-ntp), else @recording_start (see above) plus @stream_time, else
 * the pipeline's clock where it is a realtime one and @element is PLAYING;
 * GST_CLOCK_TIME_NONE where none knows. */
GstClockTime gst_clip_json_utc (GstElement *element, GstBuffer *buffer,
    GstClockTime recording_start, GstClockTime stream_time,
    GstClockTime running_time);

G_END_DECLS
