/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clipfilter in a stream: which frames it looks at, flushes, states, label
 * changes under way.
 */
#include "filter.h"

#define CAPS RGB_CAPS (64, 48)

/* Enough of them to be encoding for a while. */
#define MANY_LABELS 5000

static void
set_many_labels (GstElement *filter)
{
  g_autoptr (GString) labels = g_string_new (NULL);

  for (guint i = 0; i < MANY_LABELS; i++)
    g_string_append_printf (labels, "thing %08x of many %u\n", g_random_int (),
        i);
  g_object_set (filter, "labels", labels->str, NULL);
}

/* Of a frame's scores in frames, -1 where there are none; takes the frame. */
static gint
push_for_age (GstHarness *harness, GstBuffer *buffer)
{
  GstBuffer *out = push_and_pull (harness, buffer);
  const GstStructure *meta = gst_clip_meta_find (out, NULL);
  gint age = -1;

  if (meta != NULL) {
    fail_unless_equals_int (gst_clip_meta_get_n_labels (meta), 1);
    age = gst_clip_meta_get_age (meta) / FRAME_DURATION;
  }
  gst_buffer_unref (out);
  return age;
}

static void
check_ages (GstElement *filter, const gint *ages, guint n)
{
  GstHarness *harness = harness_filter (filter, CAPS);

  for (guint i = 0; i < n; i++) {
    const gint age =
        push_for_age (harness, make_frame (harness, 128, i * FRAME_DURATION));

    fail_unless (age == ages[i], "frame %u: age %d, not %d", i, age, ages[i]);
  }
  fail_unless_equals_uint64 (get_stat (harness->element, "frames"), n);
  fail_unless_equals_uint64 (get_stat (harness->element, "encoded")
          + get_stat (harness->element, "reused")
          + get_stat (harness->element, "skipped"),
      n);
  gst_harness_teardown (harness);
}

GST_START_TEST (test_inference_interval)
{
  static const gint ages[] = { 0, 1, 2, 0, 1, 2, 0 };
  GstElement *filter = make_filter ("dog");

  g_object_set (filter, "inference-interval", 3, NULL);
  check_ages (filter, ages, G_N_ELEMENTS (ages));
}
GST_END_TEST;

GST_START_TEST (test_min_interval)
{
  static const gint ages[] = { 0, 1, 0, 1, 0, 1 };
  GstElement *filter = make_filter ("dog");

  g_object_set (filter, "min-interval", (guint64) 2 * FRAME_DURATION, NULL);
  check_ages (filter, ages, G_N_ELEMENTS (ages));
}
GST_END_TEST;

GST_START_TEST (test_result_expire)
{
  static const gint ages[] = { 0, 1, 2, -1, -1, 0, 1 };
  GstElement *filter = make_filter ("dog");

  g_object_set (filter, "inference-interval", 5, "result-expire",
      (guint64) 2 * FRAME_DURATION, NULL);
  check_ages (filter, ages, G_N_ELEMENTS (ages));
}
GST_END_TEST;

GST_START_TEST (test_gap)
{
  GstHarness *harness = harness_filter (make_filter ("dog"), CAPS);
  GstBuffer *gap = make_frame (harness, 0, 0), *out;

  GST_BUFFER_FLAG_SET (gap, GST_BUFFER_FLAG_GAP);
  out = push_and_pull (harness, gap);
  fail_unless (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_GAP));
  fail_unless (gst_clip_meta_find (out, NULL) == NULL);
  gst_buffer_unref (out);
  fail_unless_equals_uint64 (get_stat (harness->element, "encoded"), 0);
  fail_unless_equals_uint64 (get_stat (harness->element, "skipped"), 1);
  fail_unless_equals_int (push_for_age (harness,
                              make_frame (harness, 0, FRAME_DURATION)),
      0);
  gst_harness_teardown (harness);
}
GST_END_TEST;

/* Frames are counted by the framerate. */
GST_START_TEST (test_no_timestamps)
{
  static const gint ages[] = { 0, 1, 2, 0, 1 };
  GstElement *filter = make_filter ("dog");
  GstHarness *harness;

  g_object_set (filter, "min-interval", (guint64) 3 * FRAME_DURATION, NULL);
  harness = harness_filter (filter, CAPS);
  for (guint i = 0; i < G_N_ELEMENTS (ages); i++)
    fail_unless_equals_int (push_for_age (harness,
                                make_frame (harness, 9, GST_CLOCK_TIME_NONE)),
        ages[i]);
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_no_timestamps_no_framerate)
{
  GstHarness *harness = harness_filter (make_filter ("dog"),
      "video/x-raw,format=RGB,width=64,height=48,framerate=0/1");
  GstBuffer *out =
      push_and_pull (harness, make_frame (harness, 9, GST_CLOCK_TIME_NONE));
  const GstStructure *meta = gst_clip_meta_find (out, NULL);

  fail_unless_equals_int (gst_clip_meta_get_n_labels (meta), 1);
  fail_unless (gst_clip_meta_get_inference_pts (meta) == GST_CLOCK_TIME_NONE);
  fail_unless (gst_clip_meta_get_age (meta) == GST_CLOCK_TIME_NONE);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
GST_END_TEST;

static void
push_segment (GstHarness *harness, gdouble rate)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = rate;
  segment.start = 0;
  segment.stop = 10 * GST_SECOND;
  fail_unless (gst_harness_push_event (harness,
      gst_event_new_segment (&segment)));
}

/* What has nothing to do with the frame before is looked at. */
GST_START_TEST (test_resets)
{
  GstElement *filter = make_filter ("dog");
  GstHarness *harness;
  GstBuffer *buffer;

  g_object_set (filter, "inference-interval", 100, "result-expire",
      GST_CLOCK_TIME_NONE, NULL);
  harness = harness_filter (filter, CAPS);
  fail_unless_equals_int (push_for_age (harness,
                              make_frame (harness, 9, GST_SECOND)),
      0);
  fail_unless_equals_int (push_for_age (harness,
                              make_frame (harness, 9,
                                  GST_SECOND + FRAME_DURATION)),
      1);
  buffer = make_frame (harness, 9, GST_SECOND + 2 * FRAME_DURATION);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  fail_unless_equals_int (push_for_age (harness, buffer), 0);
  /* Time goes back. */
  fail_unless_equals_int (push_for_age (harness, make_frame (harness, 9, 0)),
      0);
  push_segment (harness, 1.0);
  fail_unless_equals_int (push_for_age (harness,
                              make_frame (harness, 9, FRAME_DURATION)),
      0);
  gst_harness_push_event (harness, gst_event_new_flush_start ());
  gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE));
  push_segment (harness, 1.0);
  fail_unless_equals_int (push_for_age (harness,
                              make_frame (harness, 9, 2 * FRAME_DURATION)),
      0);
  fail_unless_equals_uint64 (get_stat (harness->element, "encoded"), 5);
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_reverse)
{
  static const gint ages[] = { 0, 1, 2, 0, 1 };
  GstElement *filter = make_filter ("dog");
  GstHarness *harness;

  g_object_set (filter, "min-interval", (guint64) 3 * FRAME_DURATION, NULL);
  harness = harness_filter (filter, CAPS);
  push_segment (harness, -1.0);
  for (guint i = 0; i < G_N_ELEMENTS (ages); i++)
    fail_unless_equals_int (push_for_age (harness,
                                make_frame (harness, 9,
                                    GST_SECOND - i * FRAME_DURATION)),
        ages[i]);
  gst_harness_teardown (harness);
}
GST_END_TEST;

/* A late frame carries the scores before it; one late for too long its own. */
GST_START_TEST (test_qos)
{
  static const gint ages[] = { 1, 2, 3, 0, 1 };
  GstElement *filter = make_filter ("dog");
  GstHarness *harness;

  g_object_set (filter, "result-expire", (guint64) 3 * FRAME_DURATION, NULL);
  harness = harness_filter (filter, CAPS);
  fail_unless_equals_int (push_for_age (harness, make_frame (harness, 9, 0)),
      0);
  gst_harness_push_upstream_event (harness,
      gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0, GST_SECOND, 0));
  for (guint i = 0; i < G_N_ELEMENTS (ages); i++)
    fail_unless_equals_int (push_for_age (harness,
                                make_frame (harness, 9,
                                    (i + 1) * FRAME_DURATION)),
        ages[i]);
  fail_unless_equals_uint64 (get_stat (harness->element, "skipped"), 4);
  gst_harness_push_upstream_event (harness,
      gst_event_new_qos (GST_QOS_TYPE_OVERFLOW, 0.5, -1 * GST_MSECOND,
          5 * FRAME_DURATION));
  fail_unless_equals_int (push_for_age (harness,
                              make_frame (harness, 9, 6 * FRAME_DURATION)),
      0);
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_caps_change)
{
  static const gchar *const caps[] = { RGB_CAPS (64, 48),
    "video/x-raw,format=NV12,width=1920,height=1080,framerate=50/1",
    "video/x-raw,format=GRAY8,width=3,height=900,framerate=0/1",
    RGB_CAPS (64, 48) };
  GstHarness *harness = harness_filter (make_filter ("dog"), NULL);

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    gst_harness_set_src_caps_str (harness, caps[i]);
    fail_unless_equals_int (push_for_age (harness,
                                make_frame (harness, 9, i * GST_SECOND)),
        0);
  }
  gst_harness_teardown (harness);
}
GST_END_TEST;

static gpointer
push_one (gpointer data)
{
  GstHarness *harness = data;

  return GINT_TO_POINTER (gst_harness_push (harness,
      make_frame (harness, 9, 0)));
}

/* The first frame waits for labels; a flush ends that, and playing goes on. So
 * does stopping, which calls off the encoding. */
GST_START_TEST (test_flush_ends_waiting)
{
  GstElement *filter = make_filter (NULL);
  GstBus *bus = add_bus (filter);
  GstHarness *harness;
  GThread *thread;

  set_many_labels (filter);
  harness = harness_filter (filter, CAPS);
  thread = g_thread_new ("push", push_one, harness);
  g_usleep (G_USEC_PER_SEC / 20);
  gst_harness_push_event (harness, gst_event_new_flush_start ());
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
      GST_FLOW_FLUSHING);
  fail_unless_equals_uint64 (get_stat (harness->element, "frames"), 0);
  gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE));
  push_segment (harness, 1.0);

  thread = g_thread_new ("push", push_one, harness);
  g_usleep (G_USEC_PER_SEC / 20);
  gst_element_set_state (harness->element, GST_STATE_NULL);
  fail_unless (GPOINTER_TO_INT (g_thread_join (thread)) == GST_FLOW_FLUSHING);
  fail_unless (pop_element_message (bus, "clipfilter-labels", 0) == NULL);
  gst_harness_teardown (harness);
  drop_bus (bus);
}
GST_END_TEST;

static void
cycle (guint n)
{
  GstHarness *harness = harness_filter (make_filter ("dog"), NULL);
  GstElement *filter = harness->element;
  gchar *backend;

  for (guint i = 0; i < n; i++) {
    fail_unless (gst_element_set_state (filter, GST_STATE_PLAYING)
        == GST_STATE_CHANGE_SUCCESS);
    if (i % 5 == 0) {
      gst_harness_play (harness);
      gst_harness_set_src_caps_str (harness, CAPS);
      fail_unless_equals_int (push_for_age (harness,
                                  make_frame (harness, 9, 0)),
          0);
    }
    fail_unless (gst_element_set_state (filter,
                     i % 2 ? GST_STATE_READY : GST_STATE_NULL)
        == GST_STATE_CHANGE_SUCCESS);
    g_object_get (filter, "active-backend", &backend, NULL);
    fail_unless (backend == NULL);
  }
  gst_harness_teardown (harness);
}

GST_START_TEST (test_states)
{
  GstElement *other = make_filter ("dog");

  gst_element_set_state (other, GST_STATE_PAUSED);
  cycle (50);
  gst_element_set_state (other, GST_STATE_NULL);
  gst_object_unref (other);
}
GST_END_TEST;

/* With nobody else to hold the model. */
GST_START_TEST (test_states_alone)
{
  cycle (6);
}
GST_END_TEST;

static guint
count_labels (GstHarness *harness, GstClockTime pts)
{
  GstBuffer *buffer = push_and_pull (harness, make_frame (harness, 128, pts));
  const guint n =
      gst_clip_meta_get_n_labels (gst_clip_meta_find (buffer, NULL));

  gst_buffer_unref (buffer);
  return n;
}

static void
wait_for_labels (GstBus *bus, guint n)
{
  GstMessage *message =
      pop_element_message (bus, "clipfilter-labels", PATIENCE);
  const GValue *labels;

  fail_unless (message != NULL);
  labels =
      gst_structure_get_value (gst_message_get_structure (message), "labels");
  fail_unless_equals_int (gst_value_array_get_size (labels), n);
  gst_message_unref (message);
}

/* The old labels score every frame until the new ones do. */
GST_START_TEST (test_label_change)
{
  GstElement *filter = make_filter ("dog");
  GstBus *bus = add_bus (filter);
  GstHarness *harness = harness_filter (filter, CAPS);

  fail_unless_equals_int (count_labels (harness, 0), 1);
  wait_for_labels (bus, 1);
  set_many_labels (harness->element);
  for (guint i = 1; i < 10; i++)
    fail_unless_equals_int (count_labels (harness, i * FRAME_DURATION), 1);
  /* The latest wish counts, and the one before it is not waited for. */
  g_object_set (harness->element, "labels", "cat, red panda", NULL);
  wait_for_labels (bus, 2);
  fail_unless_equals_int (count_labels (harness, 10 * FRAME_DURATION), 2);
  gst_harness_teardown (harness);
  drop_bus (bus);
}
GST_END_TEST;

/* Of many changes the last is never lost, whenever it comes. */
GST_START_TEST (test_label_changes)
{
  GstElement *filter = make_filter ("dog");
  GstHarness *harness = harness_filter (filter, CAPS);
  const gint64 end = g_get_monotonic_time () + PATIENCE / 1000;

  for (guint i = 0; i < 100; i++) {
    g_object_set (harness->element, "labels", "cat, red panda", NULL);
    g_usleep (g_random_int_range (0, 300));
    g_object_set (harness->element, "labels", "cat, red panda, car", NULL);
    if (i % 10 == 0) {
      while (count_labels (harness, i * FRAME_DURATION) != 3)
        fail_unless (g_get_monotonic_time () < end);
    }
  }
  gst_harness_teardown (harness);
}
GST_END_TEST;

static void
expect_warning (GstBus *bus)
{
  GstMessage *message = gst_bus_timed_pop_filtered (bus, PATIENCE,
      GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (error->domain == GST_RESOURCE_ERROR);
  g_error_free (error);
  gst_message_unref (message);
}

GST_START_TEST (test_bad_label_change)
{
  GstElement *filter = make_filter ("dog");
  GstBus *bus = add_bus (filter);
  GstHarness *harness = harness_filter (filter, CAPS);

  fail_unless_equals_int (count_labels (harness, 0), 1);
  g_object_set (harness->element, "labels", "\xff\xfe", NULL);
  expect_warning (bus);
  fail_unless_equals_int (count_labels (harness, FRAME_DURATION), 1);
  g_object_set (harness->element, "labels", "cat, dog, car", NULL);
  while (count_labels (harness, 2 * FRAME_DURATION) != 3)
    g_usleep (1000);
  g_object_set (harness->element, "labels-file", "/does/not/exist", NULL);
  expect_warning (bus);
  fail_unless_equals_int (count_labels (harness, 3 * FRAME_DURATION), 3);
  gst_harness_teardown (harness);
  drop_bus (bus);
}
GST_END_TEST;

/* Seeks while frames wait for labels and for scores, forwards and back. */
GST_START_TEST (test_seeks)
{
  GError *error = NULL;
  gchar *description = with_small_model (
      "videotestsrc ! video/x-raw,width=64,height=48 ! clipfilter "
      "model=MODEL labels=dog,cat ! fakesink sync=true qos=true");
  GstElement *pipeline = gst_parse_launch (description, &error);
  GstMessage *message;
  GstBus *bus;

  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 30; i++) {
    const gboolean back = i % 3 == 2;

    gst_element_seek (pipeline, back ? -1.0 : 1.0, GST_FORMAT_TIME,
        GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, back ? 0 : i * GST_SECOND,
        GST_SEEK_TYPE_SET, (i + 2) * GST_SECOND);
    g_usleep (i % 4 * 10000);
    if (i % 4 == 3)
      fail_unless (gst_element_get_state (pipeline, NULL, NULL, PATIENCE)
          == GST_STATE_CHANGE_SUCCESS);
  }
  gst_element_seek (pipeline, -1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
      GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET, GST_SECOND / 5);
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (bus, PATIENCE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_free (description);
}
GST_END_TEST;

/* gst_harness_stress_property_start () leaks values. */
static void
change_labels (gpointer unused, gpointer filter)
{
  g_object_set (filter, "labels", "a dog, a cat", NULL);
}

/* Properties, states and frames, each from a thread of its own. */
GST_START_TEST (test_stress)
{
  GstElement *filter = make_filter ("dog, cat");
  GstHarness *harness = harness_filter (filter, NULL);
  GstHarnessThread *threads[5];
  GstCaps *caps = gst_caps_from_string (CAPS);
  GstEvent *qos =
      gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0, GST_SECOND, 0);
  GstSegment segment;
  GstBuffer *buffer;
  GValue number = G_VALUE_INIT;

  gst_harness_set_drop_buffers (harness, TRUE);
  gst_harness_set_src_caps_str (harness, CAPS);
  buffer = make_frame (harness, 9, 0);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_value_init (&number, G_TYPE_FLOAT);
  g_value_set_float (&number, 0.5f);
  threads[0] =
      gst_harness_stress_push_buffer_start (harness, caps, &segment, buffer);
  threads[1] =
      gst_harness_stress_property_start (harness, "threshold", &number);
  threads[2] = gst_harness_stress_custom_start (harness, NULL, change_labels,
      harness->element, 1000);
  threads[3] = gst_harness_stress_send_upstream_event_start (harness, qos);
  threads[4] = gst_harness_stress_statechange_start (harness);
  g_usleep (2 * G_USEC_PER_SEC);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    fail_unless (gst_harness_stress_thread_stop (threads[i]) > 0);
  gst_event_unref (qos);
  gst_buffer_unref (buffer);
  gst_caps_unref (caps);
  gst_harness_teardown (harness);
}
GST_END_TEST;

static Suite *
clip_flow_suite (void)
{
  Suite *suite = suite_create ("flow");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_inference_interval);
  tcase_add_test (tcase, test_min_interval);
  tcase_add_test (tcase, test_result_expire);
  tcase_add_test (tcase, test_gap);
  tcase_add_test (tcase, test_no_timestamps);
  tcase_add_test (tcase, test_no_timestamps_no_framerate);
  tcase_add_test (tcase, test_resets);
  tcase_add_test (tcase, test_reverse);
  tcase_add_test (tcase, test_qos);
  tcase_add_test (tcase, test_caps_change);
  tcase_add_test (tcase, test_flush_ends_waiting);
  tcase_add_test (tcase, test_states);
  tcase_add_test (tcase, test_states_alone);
  tcase_add_test (tcase, test_label_change);
  tcase_add_test (tcase, test_label_changes);
  tcase_add_test (tcase, test_bad_label_change);
  tcase_add_test (tcase, test_seeks);
  tcase_add_test (tcase, test_stress);
  return suite;
}

GST_CHECK_MAIN (clip_flow);
