/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clipjson: what is in a line, where the lines go, and what passes by.
 */
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <json-glib/json-glib.h>

#include "tests/gst/result.h"

#define VIDEO "video/x-raw, format=GRAY8, width=4, height=2, framerate=25/1"
#define SECONDS(s) ((GstClockTime) ((s) * (gdouble) GST_SECOND))

static const gchar *const animals[] = { "a cat", "a dog" };
static const gfloat animal_scores[] = { 0.0625f, 0.93f };

static GstHarness *
new_harness (const gchar *location)
{
  GstElement *element = gst_element_factory_make ("clipjson", NULL);
  GstHarness *h;

  g_object_set (element, "location", location, NULL);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, VIDEO);
  return h;
}

static GstBuffer *
new_frame (GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 8, NULL);

  gst_buffer_memset (buffer, 0, 0x80, 8);
  GST_BUFFER_PTS (buffer) = pts;
  if (GST_CLOCK_TIME_IS_VALID (pts))
    GST_BUFFER_DURATION (buffer) = 40 * GST_MSECOND;
  return buffer;
}

static GstBuffer *
animal_frame (GstClockTime pts)
{
  GstBuffer *buffer = new_frame (pts);

  attach_result (buffer, "clip", 2, animals, animal_scores);
  return buffer;
}

static gchar *
text_of (GstBuffer *buffer)
{
  gchar *text = g_malloc0 (gst_buffer_get_size (buffer) + 1);

  gst_buffer_extract (buffer, 0, text, gst_buffer_get_size (buffer));
  gst_buffer_unref (buffer);
  return text;
}

/* Pushes @frame and returns the text that comes out for it. */
static gchar *
push_for_text (GstHarness *h, GstBuffer *frame)
{
  GstBuffer *out = gst_harness_push_and_pull (h, frame);

  fail_unless (out != NULL);
  return text_of (out);
}

static void
assert_line (GstHarness *h, GstBuffer *frame, const gchar *expected)
{
  gchar *text = push_for_text (h, frame);

  fail_unless_equals_string (text, expected);
  g_free (text);
}

static gchar *
new_folder (void)
{
  gchar *folder = g_dir_make_tmp ("clipjson-XXXXXX", NULL);

  fail_unless (folder != NULL);
  return folder;
}

static void
assert_contents (const gchar *path, const gchar *expected)
{
  gchar *contents = NULL;

  fail_unless (g_file_get_contents (path, &contents, NULL, NULL));
  fail_unless_equals_string (contents, expected);
  g_free (contents);
}

#define LABELS                                                                 \
  "\"labels\": [{\"label\": \"a dog\", \"score\": 0.93}, "                     \
  "{\"label\": \"a cat\", \"score\": 0.0625}]}\n"

GST_START_TEST (test_line)
{
  GstHarness *h = new_harness (NULL);
  GstBuffer *frame, *out;
  GstCaps *caps;
  gchar *text;

  out = gst_harness_push_and_pull (h, animal_frame (40 * GST_MSECOND));
  fail_unless_equals_uint64 (GST_BUFFER_PTS (out), 40 * GST_MSECOND);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (out), 40 * GST_MSECOND);
  text = text_of (out);
  fail_unless_equals_string (text,
      "{\"pts\": 40000000, \"stream_time\": 40000000, "
      "\"running_time\": 40000000, " LABELS);
  g_free (text);
  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless_equals_string (
      gst_structure_get_name (gst_caps_get_structure (caps, 0)),
      "application/x-json");
  gst_caps_unref (caps);

  /* A frame that no label reached was still looked at. */
  frame = new_frame (0);
  attach_result (frame, "clip", 0, NULL, NULL);
  assert_line (h, frame,
      "{\"pts\": 0, \"stream_time\": 0, \"running_time\": 0, "
      "\"labels\": []}\n");
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_unknown_times_are_left_out)
{
  GstHarness *h = new_harness (NULL);
  GstSegment segment;

  assert_line (h, animal_frame (GST_CLOCK_TIME_NONE), "{" LABELS);

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = SECONDS (10);
  segment.stop = SECONDS (20);
  segment.time = SECONDS (100);
  segment.base = SECONDS (1000);
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  assert_line (h, animal_frame (SECONDS (12)),
      "{\"pts\": 12000000000, \"stream_time\": 102000000000, "
      "\"running_time\": 1002000000000, " LABELS);
  assert_line (h, animal_frame (SECONDS (9)), "{\"pts\": 9000000000, " LABELS);

  /* After a flush, times count from the new segment. */
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  assert_line (h, animal_frame (7),
      "{\"pts\": 7, \"stream_time\": 7, \"running_time\": 7, " LABELS);

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  assert_line (h, animal_frame (7), "{\"pts\": 7, " LABELS);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_frames_without_result)
{
  GstHarness *h = new_harness (NULL);
  GstBuffer *gap_frame = animal_frame (SECONDS (2));
  GstEvent *event;
  GstClockTime time = 0, duration = 0;
  gchar *text;

  gst_harness_push (h, new_frame (SECONDS (1)));
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  while ((event = gst_harness_pull_event (h))) {
    gboolean is_gap = GST_EVENT_TYPE (event) == GST_EVENT_GAP;

    if (is_gap)
      gst_event_parse_gap (event, &time, &duration);
    gst_event_unref (event);
    if (is_gap)
      break;
  }
  fail_unless_equals_uint64 (time, SECONDS (1));
  fail_unless_equals_uint64 (duration, 40 * GST_MSECOND);

  gst_harness_push (h, new_frame (GST_CLOCK_TIME_NONE));
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);

  GST_BUFFER_FLAG_SET (gap_frame, GST_BUFFER_FLAG_GAP);
  text = push_for_text (h, gap_frame);
  fail_unless (g_str_has_prefix (text, "{\"pts\": 2000000000, "));
  g_free (text);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Parses one line and returns its object, which lives as long as @parser. */
static JsonObject *
parse (JsonParser *parser, const gchar *line)
{
  GError *error = NULL;

  fail_unless (g_utf8_validate (line, -1, NULL));
  fail_unless (strchr (line, '\n') == line + strlen (line) - 1);
  if (!json_parser_load_from_data (parser, line, -1, &error))
    fail ("not JSON: %s: %s", error->message, line);
  return json_node_get_object (json_parser_get_root (parser));
}

GST_START_TEST (test_any_label_is_a_json_string)
{
  static const gchar *const labels[] = { "a \"dog\", running", "back\\slash",
    "tab\tnewline\nreturn\rbell\ax\x1b[31m\x7f", "犬 🐕 كلب",
    "U+2028 \342\200\250, C1 \302\205", "", "</script>" };
  static const gchar invalid[] = { 'n', 'o', ' ', '\xff', '\xc3', 0 };
  GstHarness *h = new_harness (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (labels); i++) {
    JsonParser *parser = json_parser_new ();
    GstBuffer *frame = new_frame (0);
    JsonArray *array;
    gchar *text;

    attach_label (frame, "clip", labels[i], 0.5f);
    text = push_for_text (h, frame);
    for (const gchar *c = text; c[1]; c++)
      fail_unless ((guchar) *c >= 0x20 && *c != 0x7f);
    fail_unless (strstr (text, "\342\200\250") == NULL);
    array = json_object_get_array_member (parse (parser, text), "labels");
    fail_unless_equals_string (
        json_object_get_string_member (json_array_get_object_element (array, 0),
            "label"),
        labels[i]);
    g_free (text);
    g_object_unref (parser);
  }

  {
    JsonParser *parser = json_parser_new ();
    GstBuffer *frame = new_frame (0);
    gchar *text;

    attach_label (frame, "clip", invalid, 0.5f);
    text = push_for_text (h, frame);
    parse (parser, text);
    g_free (text);
    g_object_unref (parser);
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_scores)
{
  static const gchar *const labels[] = { "nan", "low", "tie 1", "inf",
    "negative", "tie 2", "full precision" };
  static const gfloat scores[] = { NAN, 1e-7f, 0.5f, INFINITY, -0.25f, 0.5f,
    0.123456789f };
  GstHarness *h = new_harness (NULL);
  GstBuffer *frame = new_frame (GST_CLOCK_TIME_NONE);

  attach_result (frame, "clip", G_N_ELEMENTS (labels), labels, scores);
  assert_line (h, frame,
      "{\"labels\": [{\"label\": \"inf\"}, "
      "{\"label\": \"tie 1\", \"score\": 0.5}, "
      "{\"label\": \"tie 2\", \"score\": 0.5}, "
      "{\"label\": \"full precision\", \"score\": 0.123457}, "
      "{\"label\": \"low\", \"score\": 1e-07}, "
      "{\"label\": \"negative\", \"score\": -0.25}, "
      "{\"label\": \"nan\"}]}\n");
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Makes a locale with a decimal comma of its own: which locales a machine has
 * is up to its owner. */
static void
set_comma_locale (const gchar *folder)
{
  gchar *source = g_build_filename (folder, "source", NULL);
  gchar *charmap = g_build_filename (folder, "charmap", NULL);
  gchar *locale = g_build_filename (folder, "comma", NULL);
  const gchar *argv[] = { "localedef", "-c", "-f", charmap, "-i", source,
    locale, NULL };

  fail_unless (g_file_set_contents (source,
      "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\n"
      "grouping 3;3\nEND LC_NUMERIC\n",
      -1, NULL));
  fail_unless (g_file_set_contents (charmap,
      "<code_set_name> ASCII\n<escape_char> /\nCHARMAP\n"
      "<U0000>..<U007F> /x00 ascii\nEND CHARMAP\n",
      -1, NULL));
  fail_unless (g_spawn_sync (NULL, (gchar **) argv, NULL,
      G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL
          | G_SPAWN_STDERR_TO_DEV_NULL,
      NULL, NULL, NULL, NULL, NULL, NULL));
  g_setenv ("LOCPATH", folder, TRUE);
  fail_unless (setlocale (LC_NUMERIC, "comma") != NULL);
  g_free (source);
  g_free (charmap);
  g_free (locale);
}

GST_START_TEST (test_decimal_point_in_every_locale)
{
  GstHarness *h = new_harness (NULL);
  gchar *folder = new_folder ();
  const gchar *remove[] = { "rm", "-rf", folder, NULL };
  gchar number[8];

  set_comma_locale (folder);
  g_snprintf (number, sizeof number, "%.1f", 0.5);
  fail_unless_equals_string (number, "0,5");
  assert_line (h, animal_frame (1234567),
      "{\"pts\": 1234567, \"stream_time\": 1234567, "
      "\"running_time\": 1234567, " LABELS);
  setlocale (LC_NUMERIC, "C");
  gst_harness_teardown (h);
  fail_unless (g_spawn_sync (NULL, (gchar **) remove, NULL, G_SPAWN_SEARCH_PATH,
      NULL, NULL, NULL, NULL, NULL, NULL));
  g_free (folder);
}
GST_END_TEST;

static void
assert_utc (GstHarness *h, GstBuffer *frame, const gchar *expected)
{
  JsonParser *parser = json_parser_new ();
  gchar *text = push_for_text (h, frame);

  fail_unless_equals_string (json_object_get_string_member_with_default (
                                 parse (parser, text), "utc", "none"),
      expected);
  g_free (text);
  g_object_unref (parser);
}

static GstBuffer *
referenced_frame (const gchar *reference, GstClockTime timestamp)
{
  GstBuffer *frame = animal_frame (SECONDS (1));
  GstCaps *caps = gst_caps_from_string (reference);

  gst_buffer_add_reference_timestamp_meta (frame, caps, timestamp,
      GST_CLOCK_TIME_NONE);
  gst_caps_unref (caps);
  return frame;
}

static void
push_start_tag (GstHarness *h, GstDateTime *start)
{
  gst_harness_push_event (h,
      gst_event_new_tag (gst_tag_list_new (GST_TAG_DATE_TIME, start, NULL)));
  gst_date_time_unref (start);
}

GST_START_TEST (test_utc)
{
  GstHarness *h = new_harness (NULL);
  GstClockTime unix_time = SECONDS (1700000000) + 123456789;

  assert_utc (h, animal_frame (0), "none");
  assert_utc (h, referenced_frame ("timestamp/x-unix", unix_time),
      "2023-11-14T22:13:20.123Z");
  assert_utc (h,
      referenced_frame ("timestamp/x-ntp", unix_time + SECONDS (2208988800)),
      "2023-11-14T22:13:20.123Z");
  assert_utc (h, referenced_frame ("timestamp/x-ntp", 5), "none");
  assert_utc (h, referenced_frame ("timestamp/x-drone", unix_time), "none");

  /* Only a day: not a moment. */
  push_start_tag (h, gst_date_time_new_ymd (2024, 2, 28));
  assert_utc (h, animal_frame (0), "none");
  push_start_tag (h, gst_date_time_new (2.0f, 2024, 2, 29, 1, 59, 59.5));
  assert_utc (h, animal_frame (SECONDS (0.75)), "2024-02-29T00:00:00.250Z");
  assert_utc (h, animal_frame (GST_CLOCK_TIME_NONE), "none");
  assert_utc (h, referenced_frame ("timestamp/x-unix", unix_time),
      "2023-11-14T22:13:20.123Z");

  /* The tag belongs to its stream. */
  gst_harness_push_event (h, gst_event_new_stream_start ("another"));
  assert_utc (h, animal_frame (0), "none");
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_utc_of_a_realtime_clock)
{
  GstHarness *h = new_harness (NULL);
  GstClock *clock = g_object_new (GST_TYPE_SYSTEM_CLOCK, "clock-type",
      GST_CLOCK_TYPE_REALTIME, NULL);

  gst_object_ref_sink (clock);
  gst_element_set_clock (h->element, clock);
  gst_element_set_base_time (h->element, SECONDS (1700000000));
  assert_utc (h, animal_frame (SECONDS (2)), "2023-11-14T22:13:22.000Z");

  g_object_set (clock, "clock-type", GST_CLOCK_TYPE_MONOTONIC, NULL);
  assert_utc (h, animal_frame (SECONDS (2)), "none");

  /* Before PLAYING the base time says nothing. */
  g_object_set (clock, "clock-type", GST_CLOCK_TYPE_REALTIME, NULL);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  assert_utc (h, animal_frame (SECONDS (2)), "none");
  gst_object_unref (clock);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_several_filters)
{
  GstHarness *h = new_harness (NULL);
  GstBuffer *frame = new_frame (GST_CLOCK_TIME_NONE);

  attach_label (frame, "people", "a man", 0.75f);
  attach_label (frame, "cars \"1\"", "a van", 0.5f);
  gst_buffer_ref (frame);
  assert_line (h, frame,
      "{\"id\": \"people\", \"labels\": "
      "[{\"label\": \"a man\", \"score\": 0.75}]}\n"
      "{\"id\": \"cars \\\"1\\\"\", \"labels\": "
      "[{\"label\": \"a van\", \"score\": 0.5}]}\n");

  g_object_set (h->element, "meta-id", "people", NULL);
  gst_buffer_ref (frame);
  assert_line (h, frame,
      "{\"id\": \"people\", \"labels\": "
      "[{\"label\": \"a man\", \"score\": 0.75}]}\n");

  g_object_set (h->element, "meta-id", "nobody", NULL);
  gst_harness_push (h, frame);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_location)
{
  gchar *folder = new_folder ();
  gchar *path = g_build_filename (folder, "x.jsonl", NULL);
  GstHarness *h = new_harness (path);
  GstBuffer *frame = animal_frame (GST_CLOCK_TIME_NONE);
  GstBuffer *out;
  GstCaps *caps;

  /* The very buffer passes, also one that others hold too. */
  gst_buffer_ref (frame);
  out = gst_harness_push_and_pull (h, frame);
  fail_unless (out == frame);
  gst_buffer_unref (out);
  assert_contents (path, "{" LABELS);
  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless_equals_string (
      gst_structure_get_name (gst_caps_get_structure (caps, 0)), "video/x-raw");
  gst_caps_unref (caps);
  out = gst_harness_push_and_pull (h, new_frame (0));
  gst_buffer_unref (out);
  assert_contents (path, "{" LABELS);

  /* Started again: the file too, unless told to append. */
  gst_element_set_state (h->element, GST_STATE_NULL);
  gst_harness_play (h);
  assert_contents (path, "");
  gst_buffer_unref (gst_harness_push_and_pull (h, gst_buffer_ref (frame)));
  gst_element_set_state (h->element, GST_STATE_NULL);
  g_object_set (h->element, "append", TRUE, NULL);
  gst_harness_play (h);
  gst_buffer_unref (gst_harness_push_and_pull (h, gst_buffer_ref (frame)));
  assert_contents (path, "{" LABELS "{" LABELS);
  gst_element_set_state (h->element, GST_STATE_NULL);

  /* A line that was torn off does not spoil the next one. */
  fail_unless (g_file_set_contents (path, "{\"pts\": 1", -1, NULL));
  gst_harness_play (h);
  gst_buffer_unref (gst_harness_push_and_pull (h, gst_buffer_ref (frame)));
  assert_contents (path, "{\"pts\": 1\n{" LABELS);

  gst_buffer_unref (frame);
  gst_harness_teardown (h);
  g_remove (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}
GST_END_TEST;

static void
assert_error (GstBus *bus, gint code, const gchar *text)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, code));
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
}

GST_START_TEST (test_location_that_cannot_be_opened)
{
  static const gchar *const paths[] = { "/nonexistent/folder/x.jsonl", "/",
    "" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    GstElement *element = gst_element_factory_make ("clipjson", NULL);
    GstBus *bus = gst_bus_new ();

    gst_element_set_bus (element, bus);
    g_object_set (element, "location", paths[i], NULL);
    fail_unless (gst_element_set_state (element, GST_STATE_PAUSED)
        == GST_STATE_CHANGE_FAILURE);
    assert_error (bus, GST_RESOURCE_ERROR_OPEN_WRITE, paths[i]);
    gst_element_set_state (element, GST_STATE_NULL);

    /* The failure leaves nothing behind. */
    g_object_set (element, "location", NULL, NULL);
    fail_unless (gst_element_set_state (element, GST_STATE_PAUSED)
        == GST_STATE_CHANGE_SUCCESS);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_element_set_bus (element, NULL);
    gst_object_unref (bus);
    gst_object_unref (element);
  }
}
GST_END_TEST;

GST_START_TEST (test_full_disk)
{
  GstHarness *h = new_harness ("/dev/full");
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  fail_unless_equals_int (gst_harness_push (h, new_frame (0)), GST_FLOW_OK);
  fail_unless_equals_int (gst_harness_push (h, animal_frame (0)),
      GST_FLOW_ERROR);
  assert_error (bus, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "/dev/full");
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_disk_that_fills_up)
{
  gchar *folder = new_folder ();
  gchar *path = g_build_filename (folder, "x.jsonl", NULL);
  GstHarness *h = new_harness (path);
  GstBus *bus = gst_bus_new ();
  struct rlimit old_limit, limit;
  GstFlowReturn flows[3];
  gchar *contents = NULL;

  gst_element_set_bus (h->element, bus);
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &old_limit);
  limit = old_limit;
  limit.rlim_cur = 2 * strlen ("{" LABELS) + 10;
  /* No check in between: those are written to a file, too. */
  setrlimit (RLIMIT_FSIZE, &limit);
  for (guint i = 0; i < G_N_ELEMENTS (flows); i++)
    flows[i] = gst_harness_push (h, animal_frame (GST_CLOCK_TIME_NONE));
  setrlimit (RLIMIT_FSIZE, &old_limit);
  signal (SIGXFSZ, SIG_DFL);

  fail_unless_equals_int (flows[0], GST_FLOW_OK);
  fail_unless_equals_int (flows[1], GST_FLOW_OK);
  fail_unless_equals_int (flows[2], GST_FLOW_ERROR);
  assert_error (bus, GST_RESOURCE_ERROR_NO_SPACE_LEFT, path);
  fail_unless (g_file_get_contents (path, &contents, NULL, NULL));
  fail_unless (g_str_has_prefix (contents, "{" LABELS "{" LABELS));
  g_free (contents);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_remove (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}
GST_END_TEST;

static gboolean
pad_offers (GstElement *element, const gchar *pad_name, const gchar *caps)
{
  GstPad *pad = gst_element_get_static_pad (element, pad_name);
  GstCaps *wanted = gst_caps_from_string (caps);
  GstCaps *offered = gst_pad_query_caps (pad, NULL);
  gboolean result = gst_caps_can_intersect (offered, wanted);

  gst_caps_unref (offered);
  gst_caps_unref (wanted);
  gst_object_unref (pad);
  return result;
}

static void
assert_negotiates (const gchar *location, const gchar *video,
    const gchar *sink_caps, GstFlowReturn expected)
{
  GstHarness *h = new_harness (location);

  gst_harness_set_caps_str (h, video, sink_caps);
  fail_unless_equals_int (gst_harness_push (h, animal_frame (0)), expected);
  fail_unless_equals_int (gst_harness_buffers_received (h),
      expected == GST_FLOW_OK ? 1 : 0);
  gst_harness_teardown (h);
}

/* Programs link first and set properties later. */
static void
assert_links (const gchar *next)
{
  gchar *launch = g_strdup_printf ("clipjson ! %s", next);
  GError *error = NULL;
  GstElement *bin = gst_parse_bin_from_description (launch, FALSE, &error);

  fail_unless (bin != NULL && error == NULL, "%s", launch);
  gst_object_unref (bin);
  g_free (launch);
}

GST_START_TEST (test_negotiation)
{
  GstElement *element = gst_element_factory_make ("clipjson", NULL);

  fail_unless (pad_offers (element, "src", "application/x-json"));
  fail_unless (pad_offers (element, "src", "video/x-raw"));
  gst_element_set_state (element, GST_STATE_PAUSED);
  fail_unless (pad_offers (element, "sink", "video/x-raw"));
  fail_if (pad_offers (element, "src", "video/x-raw"));
  gst_element_set_state (element, GST_STATE_NULL);
  g_object_set (element, "location", "/dev/null", NULL);
  gst_element_set_state (element, GST_STATE_PAUSED);
  fail_unless (pad_offers (element, "src", "video/x-raw(memory:GLMemory)"));
  fail_if (pad_offers (element, "src", "application/x-json"));
  fail_if (pad_offers (element, "sink", "application/x-json"));
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);

  assert_links ("fakesink");
  assert_links ("capsfilter caps=video/x-raw,width=4");
  assert_links ("capsfilter caps=application/x-json");
  assert_negotiates (NULL, VIDEO, "application/x-json", GST_FLOW_OK);
  assert_negotiates (NULL,
      "video/x-raw(memory:DMABuf), format=NV12, width=4, "
      "height=2, framerate=0/1",
      "application/x-json", GST_FLOW_OK);
  assert_negotiates ("/dev/null", VIDEO, "video/x-raw, width=4", GST_FLOW_OK);
  assert_negotiates ("/dev/null", VIDEO, "video/x-raw, width=5",
      GST_FLOW_NOT_NEGOTIATED);
}
GST_END_TEST;

static gboolean
accepts_meta (GstHarness *h, GType api)
{
  GstCaps *caps = gst_caps_from_string (VIDEO);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  gboolean result = gst_pad_peer_query (h->srcpad, query)
      && gst_query_find_allocation_meta (query, api, NULL);

  gst_query_unref (query);
  gst_caps_unref (caps);
  return result;
}

GST_START_TEST (test_allocation)
{
  GstHarness *h = new_harness (NULL);

  fail_unless (accepts_meta (h, GST_VIDEO_META_API_TYPE));
  gst_harness_teardown (h);

  /* With a location it is for the next element to say. */
  h = new_harness ("/dev/null");
  fail_if (accepts_meta (h, GST_VIDEO_META_API_TYPE));
  gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
  fail_unless (accepts_meta (h, GST_VIDEO_META_API_TYPE));
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_no_frames_and_state_cycles)
{
  GstHarness *h = new_harness (NULL);
  gboolean got_eos = FALSE;
  GstEvent *event;

  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  while ((event = gst_harness_try_pull_event (h))) {
    got_eos |= GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
  fail_unless (got_eos);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  gst_harness_teardown (h);

  for (guint i = 0; i < 4; i++) {
    GstElement *element = gst_element_factory_make ("clipjson", NULL);

    g_object_set (element, "location", i % 2 ? "/dev/null" : NULL, NULL);
    for (guint cycle = 0; cycle < 3; cycle++) {
      fail_unless (gst_element_set_state (element, GST_STATE_PLAYING)
          == GST_STATE_CHANGE_SUCCESS);
      fail_unless (gst_element_set_state (element, GST_STATE_NULL)
          == GST_STATE_CHANGE_SUCCESS);
    }
    gst_object_unref (element);
  }
}
GST_END_TEST;

static GstPadProbeReturn
add_animals (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer =
      gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));

  attach_result (buffer, "clip", 2, animals, animal_scores);
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (test_pipeline_into_a_file)
{
  gchar *folder = new_folder ();
  gchar *path = g_build_filename (folder, "x.jsonl", NULL);
  gchar *launch =
      g_strdup_printf ("videotestsrc num-buffers=3 ! identity name=tagger ! "
                       "clipjson ! filesink location=%s",
          path);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *tagger = gst_bin_get_by_name (GST_BIN (pipeline), "tagger");
  GstPad *pad = gst_element_get_static_pad (tagger, "src");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  gchar *contents = NULL, **lines;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, add_animals, NULL, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);

  fail_unless (g_file_get_contents (path, &contents, NULL, NULL));
  lines = g_strsplit (contents, "\n", -1);
  fail_unless_equals_int (g_strv_length (lines), 4);
  fail_unless_equals_string (lines[3], "");
  g_strfreev (lines);
  g_free (contents);
  gst_object_unref (bus);
  gst_object_unref (pad);
  gst_object_unref (tagger);
  gst_object_unref (pipeline);
  g_remove (path);
  g_rmdir (folder);
  g_free (launch);
  g_free (path);
  g_free (folder);
}
GST_END_TEST;

static Suite *
clip_json_suite (void)
{
  Suite *suite = suite_create ("clipjson");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_line);
  tcase_add_test (tcase, test_unknown_times_are_left_out);
  tcase_add_test (tcase, test_frames_without_result);
  tcase_add_test (tcase, test_any_label_is_a_json_string);
  tcase_add_test (tcase, test_scores);
  tcase_add_test (tcase, test_decimal_point_in_every_locale);
  tcase_add_test (tcase, test_utc);
  tcase_add_test (tcase, test_utc_of_a_realtime_clock);
  tcase_add_test (tcase, test_several_filters);
  tcase_add_test (tcase, test_location);
  tcase_add_test (tcase, test_location_that_cannot_be_opened);
  tcase_add_test (tcase, test_full_disk);
  tcase_add_test (tcase, test_disk_that_fills_up);
  tcase_add_test (tcase, test_negotiation);
  tcase_add_test (tcase, test_allocation);
  tcase_add_test (tcase, test_no_frames_and_state_cycles);
  tcase_add_test (tcase, test_pipeline_into_a_file);
  return suite;
}

GST_CHECK_MAIN (clip_json);
