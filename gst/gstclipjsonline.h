/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* When a frame is, on the clocks that know it, all in nanoseconds;
 * GST_CLOCK_TIME_NONE where a clock does not. */
typedef struct {
  GstClockTime pts;
  GstClockTime stream_time;
  GstClockTime running_time;
  GstClockTime utc; /* since 1970-01-01T00:00:00Z */
} GstClipJsonTimes;

/* Appends one line of JSON, newline included, to @line: the times that are
 * known, then @id where it is not NULL, then the labels of @result (the
 * structure of a GstClipMeta), highest score first. The line is pure JSON in
 * valid UTF-8 whatever the labels hold, and the same in every locale. */
void gst_clip_json_line_append (GString *line, const GstClipJsonTimes *times,
    const gchar *id, const GstStructure *result);

G_END_DECLS
