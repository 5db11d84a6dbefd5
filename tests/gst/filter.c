/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clipfilter: properties, scores, metadata, messages.
 */
#include "filter.h"

#include <glib/gstdio.h>
#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>
#include <unistd.h>

GST_START_TEST (test_defaults)
{
  GstElement *filter = make_starter_filter (NULL);
  gchar *model, *file, *id, *backend;
  gdouble logit_scale;
  gfloat threshold;
  guint top_k, interval, n_threads;
  guint64 min_interval, expire;
  gboolean embedding;
  gint score_mode, resize_mode, backend_mode, post, result_mode;

  g_object_get (filter, "model", &model, "labels-file", &file, "meta-id", &id,
      "active-backend", &backend, "logit-scale", &logit_scale, "threshold",
      &threshold, "top-k", &top_k, "inference-interval", &interval, "n-threads",
      &n_threads, "min-interval", &min_interval, "result-expire", &expire,
      "attach-embedding", &embedding, "score-mode", &score_mode, "resize-mode",
      &resize_mode, "backend", &backend_mode, "post-messages", &post,
      "result-mode", &result_mode, NULL);
  fail_unless (model == NULL && file == NULL && id == NULL && backend == NULL);
  fail_unless_equals_float (logit_scale, -1.0);
  fail_unless_equals_float (threshold, 0.0);
  fail_unless_equals_int (top_k, 0);
  fail_unless_equals_int (interval, 1);
  fail_unless_equals_int (n_threads, 0);
  fail_unless_equals_uint64 (min_interval, 0);
  fail_unless_equals_uint64 (expire, GST_SECOND);
  fail_unless (!embedding);
  fail_unless_equals_int (score_mode + resize_mode + backend_mode + post
          + result_mode,
      0);
  fail_unless_equals_uint64 (get_stat (filter, "frames"), 0);
  gst_object_unref (filter);
}
GST_END_TEST;

/* What is set comes back as `expected`, which means the same. */
static void
check_list (GstElement *filter, const gchar *property, const gchar *set,
    const gchar *expected)
{
  g_autofree gchar *found = NULL, *again = NULL;

  g_object_set (filter, property, set, NULL);
  g_object_get (filter, property, &found, NULL);
  fail_unless_equals_string (found, expected);
  g_object_set (filter, property, found, NULL);
  g_object_get (filter, property, &again, NULL);
  fail_unless_equals_string (again, expected);
}

GST_START_TEST (test_lists)
{
  GstElement *filter = make_filter (NULL);
  g_autofree gchar *negatives = NULL;

  check_list (filter, "labels", NULL, NULL);
  check_list (filter, "labels", "", "");
  check_list (filter, "labels", " dog ", "dog");
  check_list (filter, "labels", "a dog, a cat", "a dog; a cat");
  check_list (filter, "labels", "a dog, running; a cat",
      "\"a dog, running\"; a cat");
  check_list (filter, "labels", "a dog, running;", "\"a dog, running\"");
  check_list (filter, "labels", "a dog\na cat\n", "a dog; a cat");
  check_list (filter, "labels", "\"a; b\", c, \"\"", "\"a; b\"; c; \"\"");
  check_list (filter, "labels", "\" x \", y\\,z, a\\ b",
      "\" x \"; \"y,z\"; a b");
  check_list (filter, "labels", "say \\\"hi\\\"", "\"say \\\"hi\\\"\"");
  check_list (filter, "labels", ",, ,dog,;", "\",, ,dog,\"");
  check_list (filter, "labels", "\"unfinished, dog", "\"unfinished, dog\"");
  check_list (filter, "labels", "\\", "\"\\\\\"");
  check_list (filter, "labels", "<\"a dog, running\", cat>",
      "\"a dog, running\"; cat");
  check_list (filter, "labels", "< (string)\"a\\ dog\", (string)cat >",
      "a dog; cat");
  check_list (filter, "labels", "<a dog, a cat>", "a dog; a cat");
  check_list (filter, "labels", "<>", "");
  check_list (filter, "labels", "<", "\"<\"");
  check_list (filter, "prompt-templates", "{}; a drawing of {}",
      "{}; a drawing of {}");
  check_list (filter, "prompt-templates", "", "a photo of a {}.");
  g_object_get (filter, "negative-labels", &negatives, NULL);
  fail_unless (strlen (negatives) > 0);
  check_list (filter, "negative-labels", "", "");
  gst_object_unref (filter);
}
GST_END_TEST;

/* Programs that have an array may set that. */
GST_START_TEST (test_list_from_array)
{
  GstElement *filter = make_filter (NULL);
  g_autofree gchar *found = NULL;
  GValue array = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  fail_unless (gst_value_deserialize (&array,
      "<\"a dog, running\",\"caf\303\251\">"));
  g_object_set_property (G_OBJECT (filter), "labels", &array);
  g_object_get (filter, "labels", &found, NULL);
  fail_unless_equals_string (found, "\"a dog, running\"; caf\303\251");
  g_value_unset (&array);
  gst_object_unref (filter);
}
GST_END_TEST;

GST_START_TEST (test_meta)
{
  GstHarness *harness = harness_filter (make_starter_filter ("<dog,\"a cat\">"),
      RGB_CAPS (64, 48));
  GstBuffer *buffer =
      push_and_pull (harness, make_frame (harness, 128, GST_SECOND));
  const GstStructure *meta = gst_clip_meta_find (buffer, "clip");
  gfloat best, other;
  gchar *backend;

  fail_unless (meta != NULL);
  fail_unless_equals_string (gst_clip_meta_get_model (meta), "starter");
  fail_unless_equals_int (gst_clip_meta_get_n_labels (meta), 2);
  fail_unless_equals_uint64 (gst_clip_meta_get_inference_pts (meta),
      GST_SECOND);
  fail_unless_equals_uint64 (gst_clip_meta_get_age (meta), 0);
  fail_unless (gst_clip_meta_get_embedding (meta) == NULL);
  best = gst_clip_meta_get_score (meta, 0);
  other = gst_clip_meta_get_score (meta, 1);
  fail_unless (best >= other && other > 0.0f && best + other < 1.0f);
  gst_buffer_unref (buffer);

  fail_unless_equals_uint64 (get_stat (harness->element, "frames"), 1);
  fail_unless_equals_uint64 (get_stat (harness->element, "encoded"), 1);
  fail_unless (get_stat (harness->element, "latency-p50") > 0);
  g_object_get (harness->element, "active-backend", &backend, NULL);
  fail_unless_equals_string (backend, "cpu");
  g_free (backend);
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_embedding)
{
  GstElement *filter = make_starter_filter ("dog");
  GstHarness *harness;
  GstBuffer *buffer, *embedding;
  GstMapInfo map;
  gdouble sum = 0;

  g_object_set (filter, "attach-embedding", TRUE, NULL);
  harness = harness_filter (filter, RGB_CAPS (64, 48));
  buffer = push_and_pull (harness, make_frame (harness, 128, 0));
  embedding = gst_clip_meta_get_embedding (gst_clip_meta_find (buffer, NULL));
  fail_unless (embedding != NULL);
  fail_unless (gst_buffer_map (embedding, &map, GST_MAP_READ));
  fail_unless_equals_int (map.size, 256 * sizeof (gfloat));
  for (guint i = 0; i < 256; i++)
    sum += ((const gfloat *) map.data)[i] * ((const gfloat *) map.data)[i];
  fail_unless (sum > 0.9999 && sum < 1.0001);
  gst_buffer_unmap (embedding, &map);
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_default_labels)
{
  GstHarness *harness =
      harness_filter (make_starter_filter (NULL), RGB_CAPS (64, 48));
  GstBuffer *buffer = push_and_pull (harness, make_frame (harness, 128, 0));
  const GstStructure *meta = gst_clip_meta_find (buffer, NULL);

  fail_unless_equals_int (gst_clip_meta_get_n_labels (meta), 78);
  for (guint i = 1; i < 78; i++)
    fail_unless (gst_clip_meta_get_score (meta, i - 1)
        >= gst_clip_meta_get_score (meta, i));
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_labels_file)
{
  GstElement *filter = make_filter ("dog");
  GError *error = NULL;
  gchar *file = NULL;
  gint fd = g_file_open_tmp ("clip-labels-XXXXXX", &file, &error);
  GstHarness *harness;
  GstBuffer *buffer;

  g_assert_no_error (error);
  close (fd);
  g_file_set_contents (file, "# animals\r\ncat\r\n\r\nred panda\n", -1, &error);
  g_assert_no_error (error);
  g_object_set (filter, "labels-file", file, NULL);
  harness = harness_filter (filter, RGB_CAPS (64, 48));
  buffer = push_and_pull (harness, make_frame (harness, 128, 0));
  fail_unless_equals_int (
      gst_clip_meta_get_n_labels (gst_clip_meta_find (buffer, NULL)), 3);
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
  g_unlink (file);
  g_free (file);
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

/* Each applies from the next frame on. */
GST_START_TEST (test_tuning)
{
  GstHarness *harness = harness_filter (make_filter ("<dog,cat,car,tree,boat>"),
      RGB_CAPS (64, 48));

  fail_unless_equals_int (count_labels (harness, 0), 5);
  g_object_set (harness->element, "top-k", 2, NULL);
  fail_unless_equals_int (count_labels (harness, FRAME_DURATION), 2);
  g_object_set (harness->element, "threshold", 1.0f, NULL);
  fail_unless_equals_int (count_labels (harness, 2 * FRAME_DURATION), 0);
  gst_util_set_object_arg (G_OBJECT (harness->element), "score-mode", "cosine");
  g_object_set (harness->element, "threshold", -1.0f, "top-k", 0, NULL);
  fail_unless_equals_int (count_labels (harness, 3 * FRAME_DURATION), 5);
  gst_harness_teardown (harness);
}
GST_END_TEST;

/* The threshold follows a curve in stream time. */
GST_START_TEST (test_control)
{
  GstHarness *harness = harness_filter (make_filter ("dog"), RGB_CAPS (64, 48));
  GstControlSource *source = gst_interpolation_control_source_new ();
  GstTimedValueControlSource *curve = GST_TIMED_VALUE_CONTROL_SOURCE (source);

  g_object_set (source, "mode", GST_INTERPOLATION_MODE_NONE, NULL);
  gst_timed_value_control_source_set (curve, 0, 0.0);
  gst_timed_value_control_source_set (curve, GST_SECOND, 1.0);
  fail_unless (gst_object_add_control_binding (GST_OBJECT (harness->element),
      gst_direct_control_binding_new_absolute (GST_OBJECT (harness->element),
          "threshold", source)));
  fail_unless_equals_int (count_labels (harness, 0), 1);
  fail_unless_equals_int (count_labels (harness, GST_SECOND), 0);
  gst_object_unref (source);
  gst_harness_teardown (harness);
}
GST_END_TEST;

/* With nothing else to choose, a softmax is sure of the only label. */
GST_START_TEST (test_negative_labels)
{
  GstElement *filter = make_filter ("dog");
  GstHarness *harness;
  GstBuffer *buffer;
  gfloat score;

  gst_util_set_object_arg (G_OBJECT (filter), "negative-labels", "<>");
  gst_util_set_object_arg (G_OBJECT (filter), "score-mode", "softmax");
  harness = harness_filter (filter, RGB_CAPS (64, 48));
  buffer = push_and_pull (harness, make_frame (harness, 128, 0));
  score = gst_clip_meta_get_score (gst_clip_meta_find (buffer, NULL), 0);
  fail_unless (score > 0.999999f);
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_two_filters)
{
  gchar *pipeline =
      with_small_model ("clipfilter model=MODEL name=a labels=dog ! "
                        "clipfilter model=MODEL meta-id=b labels=cat ! "
                        "clipfilter model=MODEL meta-id=a labels=car");
  GstHarness *harness = gst_harness_new_parse (pipeline);
  GstBuffer *buffer;
  gpointer state = NULL;
  guint n = 0;

  gst_harness_set_src_caps_str (harness, RGB_CAPS (64, 48));
  buffer = push_and_pull (harness, make_frame (harness, 128, 0));
  while (gst_clip_meta_iterate (buffer, &state) != NULL)
    n++;
  fail_unless_equals_int (n, 2);
  fail_unless_equals_string (
      gst_clip_meta_get_label (gst_clip_meta_find (buffer, "b"), 0), "cat");
  fail_unless_equals_string (
      gst_clip_meta_get_label (gst_clip_meta_find (buffer, "a"), 0), "car");
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
  g_free (pipeline);
}
GST_END_TEST;

/* Someone else holds the frame: its memory is passed on, not copied. */
GST_START_TEST (test_pixels_are_shared)
{
  GstHarness *harness = harness_filter (make_filter ("dog"), RGB_CAPS (64, 48));
  GstBuffer *in = make_frame (harness, 128, 0), *out;

  gst_buffer_ref (in);
  out = push_and_pull (harness, in);
  fail_unless (out != in);
  fail_unless_equals_int (gst_buffer_n_memory (out), 1);
  fail_unless (gst_buffer_peek_memory (out, 0)
      == gst_buffer_peek_memory (in, 0));
  fail_unless (gst_clip_meta_find (in, NULL) == NULL);
  fail_unless (gst_clip_meta_find (out, NULL) != NULL);
  gst_buffer_unref (in);
  gst_buffer_unref (out);

  in = make_frame (harness, 128, FRAME_DURATION);
  out = push_and_pull (harness, in);
  fail_unless (out == in);
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_meta_survives_conversion)
{
  gchar *pipeline = with_small_model (
      "clipfilter model=MODEL labels=dog,cat ! videoconvert ! videoscale ! "
      "capsfilter caps=video/x-raw,format=I420,width=32,height=32");
  GstHarness *harness = gst_harness_new_parse (pipeline);
  GstBuffer *buffer;

  gst_harness_set_src_caps_str (harness, RGB_CAPS (64, 48));
  buffer = push_and_pull (harness, make_frame (harness, 128, 0));
  fail_unless_equals_int (
      gst_clip_meta_get_n_labels (gst_clip_meta_find (buffer, NULL)), 2);
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
  g_free (pipeline);
}
GST_END_TEST;

GST_START_TEST (test_message_for_every_frame)
{
  GstElement *filter = make_filter ("dog, cat");
  GstBus *bus = add_bus (filter);
  GstHarness *harness;
  GstMessage *message;
  const GstStructure *structure;
  guint64 timestamp, stream_time, running_time, duration;

  gst_util_set_object_arg (G_OBJECT (filter), "post-messages", "all");
  harness = harness_filter (filter, RGB_CAPS (64, 48));
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (push_and_pull (harness,
        make_frame (harness, 128, i * FRAME_DURATION)));
  for (guint i = 0; i < 3; i++) {
    message = pop_element_message (bus, "clipfilter", 0);
    fail_unless (message != NULL);
    structure = gst_message_get_structure (message);
    fail_unless (gst_structure_get (structure, "timestamp", G_TYPE_UINT64,
        &timestamp, "stream-time", G_TYPE_UINT64, &stream_time, "running-time",
        G_TYPE_UINT64, &running_time, "duration", G_TYPE_UINT64, &duration,
        NULL));
    fail_unless_equals_uint64 (timestamp, i * FRAME_DURATION);
    fail_unless_equals_uint64 (stream_time, timestamp);
    fail_unless_equals_uint64 (running_time, timestamp);
    fail_unless_equals_uint64 (duration, FRAME_DURATION);
    fail_unless_equals_int (gst_clip_meta_get_n_labels (structure), 2);
    gst_message_unref (message);
  }
  fail_unless (pop_element_message (bus, "clipfilter", 0) == NULL);
  gst_harness_teardown (harness);
  drop_bus (bus);
}
GST_END_TEST;

/* The same picture says nothing new; another threshold does. */
GST_START_TEST (test_message_for_changes)
{
  GstElement *filter = make_filter ("dog, cat");
  GstBus *bus = add_bus (filter);
  GstHarness *harness;
  guint n = 0;

  gst_util_set_object_arg (G_OBJECT (filter), "post-messages", "changes");
  harness = harness_filter (filter, RGB_CAPS (64, 48));
  for (guint i = 0; i < 6; i++) {
    GstMessage *message;

    if (i == 3)
      g_object_set (harness->element, "threshold", 1.0f, NULL);
    gst_buffer_unref (push_and_pull (harness,
        make_frame (harness, 128, i * FRAME_DURATION)));
    message = pop_element_message (bus, "clipfilter", 0);
    fail_unless ((message != NULL) == (i == 0 || i == 3));
    n += message != NULL;
    if (message != NULL)
      gst_message_unref (message);
  }
  fail_unless_equals_int (n, 2);
  gst_harness_teardown (harness);
  drop_bus (bus);
}
GST_END_TEST;

GST_START_TEST (test_progress)
{
  GstElement *filter = make_filter ("dog");
  GstBus *bus = add_bus (filter);
  GstHarness *harness = harness_filter (filter, RGB_CAPS (64, 48));
  GstProgressType type = GST_PROGRESS_TYPE_START, last = 0;

  while (last != GST_PROGRESS_TYPE_COMPLETE) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, PATIENCE,
        GST_MESSAGE_PROGRESS | GST_MESSAGE_ERROR);

    fail_unless (message != NULL);
    gst_message_parse_progress (message, &type, NULL, NULL);
    fail_unless (last != 0 || type == GST_PROGRESS_TYPE_START);
    last = type + (type == 0);
    gst_message_unref (message);
  }
  gst_harness_teardown (harness);
  drop_bus (bus);
}
GST_END_TEST;

/* What downstream can read is downstream's to say: nothing is added. */
GST_START_TEST (test_allocation)
{
  GstHarness *harness = harness_filter (make_filter ("dog"), RGB_CAPS (64, 48));
  GstCaps *caps = gst_caps_from_string (RGB_CAPS (64, 48));
  GstQuery *query = gst_query_new_allocation (caps, TRUE);

  gst_harness_set_sink_caps_str (harness, RGB_CAPS (64, 48));
  gst_buffer_unref (push_and_pull (harness, make_frame (harness, 128, 0)));
  gst_pad_peer_query (harness->srcpad, query);
  fail_unless_equals_int (gst_query_get_n_allocation_metas (query), 0);
  gst_query_unref (query);

  query = gst_query_new_allocation (caps, TRUE);
  gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_META_API_TYPE,
      NULL);
  fail_unless (gst_pad_peer_query (harness->srcpad, query));
  fail_unless (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE,
      NULL));
  gst_query_unref (query);
  gst_caps_unref (caps);
  gst_harness_teardown (harness);
}
GST_END_TEST;

/* In a live pipeline a frame is held while it is looked at. */
GST_START_TEST (test_latency)
{
  GstHarness *harness = harness_filter (make_filter ("dog"), RGB_CAPS (64, 48));

  gst_harness_set_upstream_latency (harness, 10 * GST_MSECOND);
  gst_buffer_unref (push_and_pull (harness, make_frame (harness, 128, 0)));
  fail_unless_equals_uint64 (gst_harness_query_latency (harness),
      10 * GST_MSECOND + FRAME_DURATION);
  gst_harness_teardown (harness);
}
GST_END_TEST;

static Suite *
clip_filter_suite (void)
{
  Suite *suite = suite_create ("clipfilter");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_defaults);
  tcase_add_test (tcase, test_lists);
  tcase_add_test (tcase, test_list_from_array);
  tcase_add_test (tcase, test_meta);
  tcase_add_test (tcase, test_embedding);
  tcase_add_test (tcase, test_default_labels);
  tcase_add_test (tcase, test_labels_file);
  tcase_add_test (tcase, test_tuning);
  tcase_add_test (tcase, test_control);
  tcase_add_test (tcase, test_negative_labels);
  tcase_add_test (tcase, test_two_filters);
  tcase_add_test (tcase, test_pixels_are_shared);
  tcase_add_test (tcase, test_meta_survives_conversion);
  tcase_add_test (tcase, test_message_for_every_frame);
  tcase_add_test (tcase, test_message_for_changes);
  tcase_add_test (tcase, test_progress);
  tcase_add_test (tcase, test_allocation);
  tcase_add_test (tcase, test_latency);
  return suite;
}

GST_CHECK_MAIN (clip_filter);
