/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which frames are looked at, and how old the scores of the others are.
 */
#include "gst/gstclipschedule.h"

/* Containers round timestamps to milliseconds: without this a min-interval of
 * exactly two frames would now and then be three. */
#define ROUNDING GST_MSECOND

void
gst_clip_schedule_reset (GstClipSchedule *schedule)
{
  schedule->has_result = FALSE;
  schedule->result_pts = GST_CLOCK_TIME_NONE;
  schedule->result_time = GST_CLOCK_TIME_NONE;
  schedule->now = GST_CLOCK_TIME_NONE;
  schedule->since = 0;
}

static gboolean
jumps_back (GstClockTime from, GstClockTime to, gdouble rate)
{
  if (!GST_CLOCK_TIME_IS_VALID (from) || !GST_CLOCK_TIME_IS_VALID (to))
    return FALSE;
  return rate >= 0 ? to < from : to > from;
}

void
gst_clip_schedule_advance (GstClipSchedule *schedule, GstClockTime time,
    GstClockTime duration, gdouble rate)
{
  if (!GST_CLOCK_TIME_IS_VALID (time) && GST_CLOCK_TIME_IS_VALID (duration)) {
    if (!GST_CLOCK_TIME_IS_VALID (schedule->now))
      time = 0;
    else if (rate >= 0)
      time = schedule->now + duration;
    else
      time = schedule->now - MIN (schedule->now, duration);
  }
  if (jumps_back (schedule->now, time, rate))
    gst_clip_schedule_reset (schedule);
  schedule->now = time;
  schedule->since++;
}

GstClockTime
gst_clip_schedule_get_age (const GstClipSchedule *schedule)
{
  if (!schedule->has_result || !GST_CLOCK_TIME_IS_VALID (schedule->now)
      || !GST_CLOCK_TIME_IS_VALID (schedule->result_time))
    return GST_CLOCK_TIME_NONE;
  return schedule->now > schedule->result_time
      ? schedule->now - schedule->result_time
      : schedule->result_time - schedule->now;
}

GstClipDecision
gst_clip_schedule_decide (const GstClipSchedule *schedule,
    const GstClipTuning *tuning, gboolean late)
{
  const GstClockTime age = gst_clip_schedule_get_age (schedule);
  const gboolean aged = GST_CLOCK_TIME_IS_VALID (age);
  const gboolean expired = aged && age > tuning->result_expire;
  gboolean wait;

  if (!schedule->has_result)
    return GST_CLIP_LOOK;
  wait = schedule->since < tuning->inference_interval
      || (aged && tuning->min_interval > ROUNDING
          && age < tuning->min_interval - ROUNDING);
  if (wait)
    return expired ? GST_CLIP_PASS : GST_CLIP_REUSE;
  /* A stream that is always late still gets new scores now and then. */
  return late && !expired ? GST_CLIP_LATE : GST_CLIP_LOOK;
}

void
gst_clip_schedule_set_result (GstClipSchedule *schedule, GstClockTime pts)
{
  schedule->has_result = TRUE;
  schedule->result_pts = pts;
  schedule->result_time = schedule->now;
  schedule->since = 0;
}
