/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of clipfilter share.
 */
#pragma once

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gst/gstclipmeta.h"

#define FRAME_DURATION (GST_SECOND / 25)
/* Longer than what is waited for takes under any checker. */
#define PATIENCE (100 * GST_SECOND)
#define RGB_CAPS(width, height)                                                \
  "video/x-raw,format=RGB,width=" #width ",height=" #height ",framerate=25/1"

/* A filter of the starter model with these labels ("dog, cat"; NULL: none
 * set), not started. */
static inline GstElement *
make_starter_filter (const gchar *labels)
{
  GstElement *filter = gst_element_factory_make ("clipfilter", "clip");

  fail_unless (filter != NULL);
  gst_object_ref_sink (filter);
  if (labels != NULL)
    gst_util_set_object_arg (G_OBJECT (filter), "labels", labels);
  return filter;
}

/* A model that is so small that checkers get through many frames; it knows
 * nothing and has no labels of its own. */
static inline gchar *
small_model (void)
{
  return g_build_filename (g_getenv ("CLIP_SOURCE_ROOT"), "tests", "goldens",
      "openclip-f32", NULL);
}

static inline GstElement *
make_filter (const gchar *labels)
{
  GstElement *filter = make_starter_filter (labels);
  gchar *model = small_model ();

  g_object_set (filter, "model", model, NULL);
  g_free (model);
  return filter;
}

/* A pipeline whose every "MODEL" becomes the small one; free it. */
static inline gchar *
with_small_model (const gchar *pipeline)
{
  gchar *model = small_model ();
  gchar **parts = g_strsplit (pipeline, "MODEL", -1);
  gchar *whole = g_strjoinv (model, parts);

  g_strfreev (parts);
  g_free (model);
  return whole;
}

/* The starter model stays in memory from one test to the next, so that each
 * does not load it again: fixtures of a test case. */
static GstElement *kept_filter;

static inline void
keep_model (void)
{
  kept_filter = make_starter_filter ("dog");
  gst_element_set_state (kept_filter, GST_STATE_PAUSED);
}

static inline void
drop_model (void)
{
  gst_element_set_state (kept_filter, GST_STATE_NULL);
  gst_clear_object (&kept_filter);
}

/* Starts `filter`, which it takes. */
static inline GstHarness *
harness_filter (GstElement *filter, const gchar *caps)
{
  GstHarness *harness = gst_harness_new_with_element (filter, "sink", "src");

  gst_object_unref (filter);
  if (caps != NULL)
    gst_harness_set_src_caps_str (harness, caps);
  return harness;
}

/* A bus for the harnessed filter; drop it after the teardown. */
static inline GstBus *
add_bus (GstElement *filter)
{
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (filter, bus);
  return bus;
}

/* The messages refer to the filter, and the filter to the bus. */
static inline void
drop_bus (GstBus *bus)
{
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
}

/* The next element message of this name; NULL: none within the time. */
static inline GstMessage *
pop_element_message (GstBus *bus, const gchar *name, GstClockTime timeout)
{
  GstMessage *message;

  while ((message = gst_bus_timed_pop_filtered (bus, timeout,
              GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR))
      != NULL) {
    if (gst_message_has_name (message, name))
      return message;
    gst_message_unref (message);
  }
  return NULL;
}

/* A frame of one colour, as big as the harness's caps say. */
static inline GstBuffer *
make_frame (GstHarness *harness, guint8 value, GstClockTime pts)
{
  GstCaps *caps = gst_pad_get_current_caps (harness->srcpad);
  GstVideoInfo info;
  GstBuffer *buffer;

  fail_unless (gst_video_info_from_caps (&info, caps));
  gst_caps_unref (caps);
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  gst_buffer_memset (buffer, 0, value, -1);
  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = FRAME_DURATION;
  return buffer;
}

static inline GstBuffer *
push_and_pull (GstHarness *harness, GstBuffer *buffer)
{
  fail_unless_equals_int (gst_harness_push (harness, buffer), GST_FLOW_OK);
  return gst_harness_pull (harness);
}

static inline guint64
get_stat (GstElement *filter, const gchar *name)
{
  GstStructure *stats;
  guint64 value = G_MAXUINT64;

  g_object_get (filter, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, name, &value);
  gst_structure_free (stats);
  return value;
}
