/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/gstclipjsonutc.h"

/* NTP counts from 1900, Unix from 1970. */
#define NTP_TO_UNIX (G_GUINT64_CONSTANT (2208988800) * GST_SECOND)

GstClockTime
gst_clip_json_utc_from_tags (const GstTagList *tags)
{
  GstDateTime *date_time = NULL;
  GDateTime *start = NULL;
  GstClockTime utc = GST_CLOCK_TIME_NONE;

  if (!gst_tag_list_get_date_time (tags, GST_TAG_DATE_TIME, &date_time))
    return GST_CLOCK_TIME_NONE;
  if (gst_date_time_has_second (date_time))
    start = gst_date_time_to_g_date_time (date_time);
  /* Muxers that know no date write their epoch, 1904 or 1970. */
  if (start && g_date_time_to_unix (start) > 0)
    utc = g_date_time_to_unix (start) * GST_SECOND
        + g_date_time_get_microsecond (start) * GST_USECOND;
  g_clear_pointer (&start, g_date_time_unref);
  gst_date_time_unref (date_time);
  return utc;
}

static GstClockTime
utc_from_buffer (GstBuffer *buffer)
{
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
              GST_REFERENCE_TIMESTAMP_META_API_TYPE))) {
    const GstReferenceTimestampMeta *reference =
        (const GstReferenceTimestampMeta *) meta;
    const GstStructure *kind;

    if (!GST_CLOCK_TIME_IS_VALID (reference->timestamp)
        || gst_caps_get_size (reference->reference) == 0)
      continue;
    kind = gst_caps_get_structure (reference->reference, 0);
    if (gst_structure_has_name (kind, "timestamp/x-unix"))
      return reference->timestamp;
    if (gst_structure_has_name (kind, "timestamp/x-ntp")
        && reference->timestamp >= NTP_TO_UNIX)
      return reference->timestamp - NTP_TO_UNIX;
  }
  return GST_CLOCK_TIME_NONE;
}

static GstClockTime
utc_from_clock (GstElement *element, GstClockTime running_time)
{
  GstClockTime utc = GST_CLOCK_TIME_NONE;
  GstClock *clock = NULL;
  GstClockTime base_time;
  GstClockType type;

  /* Before PLAYING the base time is an old one. */
  GST_OBJECT_LOCK (element);
  if (GST_STATE (element) == GST_STATE_PLAYING && GST_ELEMENT_CLOCK (element))
    clock = gst_object_ref (GST_ELEMENT_CLOCK (element));
  base_time = element->base_time;
  GST_OBJECT_UNLOCK (element);

  if (!clock)
    return utc;
  if (GST_IS_SYSTEM_CLOCK (clock) && GST_CLOCK_TIME_IS_VALID (base_time)) {
    g_object_get (clock, "clock-type", &type, NULL);
    if (type == GST_CLOCK_TYPE_REALTIME)
      utc = base_time + running_time;
  }
  gst_object_unref (clock);
  return utc;
}

GstClockTime
gst_clip_json_utc (GstElement *element, GstBuffer *buffer,
    GstClockTime recording_start, GstClockTime stream_time,
    GstClockTime running_time)
{
  GstClockTime utc = utc_from_buffer (buffer);

  if (GST_CLOCK_TIME_IS_VALID (utc))
    return utc;
  if (GST_CLOCK_TIME_IS_VALID (recording_start)
      && GST_CLOCK_TIME_IS_VALID (stream_time))
    return recording_start + stream_time;
  if (GST_CLOCK_TIME_IS_VALID (running_time))
    return utc_from_clock (element, running_time);
  return GST_CLOCK_TIME_NONE;
}
