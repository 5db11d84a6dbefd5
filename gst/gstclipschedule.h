/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which frames are looked at, and how old the scores of the others are.
 */
#pragma once

#include "gst/gstclipsettings.h"

G_BEGIN_DECLS

/* Times are stream time; NONE where unknown. One thread. */
typedef struct {
  gboolean has_result;
  GstClockTime result_pts;  /* of the frame looked at last */
  GstClockTime result_time; /* the same in stream time */
  GstClockTime now;         /* of the frame at hand */
  guint64 since;            /* frames between the two, plus one */
} GstClipSchedule;

typedef enum {
  GST_CLIP_LOOK,  /* encode it */
  GST_CLIP_REUSE, /* attach the last scores, as the intervals say */
  GST_CLIP_LATE,  /* attach the last scores, there is no time to look */
  GST_CLIP_PASS,  /* not its turn, and the last scores are too old */
} GstClipDecision;

/* Forgets the last result: the next frame is looked at. */
void gst_clip_schedule_reset (GstClipSchedule *schedule);
/* Goes on to the next frame. Without a time of its own it is `duration` (NONE
 * where unknown) later than the last. Resets where time jumps against the
 * direction of `rate`. */
void gst_clip_schedule_advance (GstClipSchedule *schedule, GstClockTime time,
    GstClockTime duration, gdouble rate);
GstClipDecision gst_clip_schedule_decide (const GstClipSchedule *schedule,
    const GstClipTuning *tuning, gboolean late);
/* The frame at hand, of this timestamp, was looked at. */
void gst_clip_schedule_set_result (GstClipSchedule *schedule, GstClockTime pts);
/* Of the last result, from the frame at hand, in either direction. */
GstClockTime gst_clip_schedule_get_age (const GstClipSchedule *schedule);

G_END_DECLS
