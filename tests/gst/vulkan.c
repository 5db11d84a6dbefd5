/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clipfilter on a Vulkan device: Mesa's software device, or the one that
 * CLIP_TEST_DEVICE names; and on one that is not there.
 */
#include "filter.h"

/* What meson takes for a test that could not run. */
#define SKIPPED 77

static GstElement *
make_vulkan_filter (const gchar *backend, const gchar *device)
{
  GstElement *filter = make_filter ("<dog,cat>");

  gst_util_set_object_arg (G_OBJECT (filter), "backend", backend);
  g_object_set (filter, "device", device, NULL);
  return filter;
}

static const gchar *
test_device (void)
{
  const gchar *device = g_getenv ("CLIP_TEST_DEVICE");

  return device != NULL ? device : "llvmpipe";
}

static void
fail_unless_runs_on (GstElement *filter, const gchar *expected)
{
  gchar *backend;

  g_object_get (filter, "active-backend", &backend, NULL);
  fail_unless_equals_string (backend, expected);
  g_free (backend);
}

static void
push_some (GstHarness *harness)
{
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = push_and_pull (harness,
        make_frame (harness, (guint8) (80 * i), i * FRAME_DURATION));
    const GstStructure *meta = gst_clip_meta_find (buffer, "clip");

    fail_unless (meta != NULL);
    fail_unless_equals_int (gst_clip_meta_get_n_labels (meta), 2);
    gst_buffer_unref (buffer);
  }
}

/* The type of the first of these messages; its text holds `word`. */
static void
expect_message (GstBus *bus, GstMessageType type, const gchar *word)
{
  GstMessage *message = gst_bus_timed_pop_filtered (bus, PATIENCE, type);
  GError *error = NULL;

  fail_unless (message != NULL);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_INIT));
  fail_unless (strstr (error->message, word) != NULL, "\"%s\" lacks \"%s\"",
      error->message, word);
  g_error_free (error);
  gst_message_unref (message);
}

GST_START_TEST (test_scores)
{
  GstElement *filter = make_vulkan_filter ("vulkan", test_device ());
  GstHarness *harness = harness_filter (filter, RGB_CAPS (64, 48));

  push_some (harness);
  fail_unless_runs_on (filter, "vulkan");
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_no_such_device)
{
  GstElement *filter = make_vulkan_filter ("vulkan", "abacus");
  GstBus *bus = add_bus (filter);

  gst_element_set_state (filter, GST_STATE_PAUSED);
  expect_message (bus, GST_MESSAGE_ERROR, "abacus");
  gst_element_set_state (filter, GST_STATE_NULL);
  gst_object_unref (filter);
  drop_bus (bus);
}
GST_END_TEST;

/* Under "auto" the stream goes on, and says why it is slow. */
GST_START_TEST (test_no_such_device_auto)
{
  GstElement *filter = make_vulkan_filter ("auto", "abacus");
  GstBus *bus = add_bus (filter);
  GstHarness *harness = harness_filter (filter, RGB_CAPS (64, 48));

  push_some (harness);
  expect_message (bus, GST_MESSAGE_WARNING, "abacus");
  fail_unless (!gst_bus_have_pending (bus)
      || gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR)
          == NULL);
  fail_unless_runs_on (filter, "cpu");
  gst_harness_teardown (harness);
  drop_bus (bus);
}
GST_END_TEST;

/* Whether the device is there at all; outside of a test, nothing may fail. */
static gboolean
has_device (void)
{
  GstElement *filter = gst_element_factory_make ("clipfilter", NULL);
  g_autofree gchar *model = small_model ();
  GstBus *bus = add_bus (filter);
  gboolean found = FALSE, wait = TRUE;

  gst_util_set_object_arg (G_OBJECT (filter), "backend", "vulkan");
  g_object_set (filter, "device", test_device (), "model", model, "labels",
      "dog", NULL);
  gst_element_set_state (filter, GST_STATE_PAUSED);
  while (wait) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, PATIENCE,
        GST_MESSAGE_ERROR | GST_MESSAGE_PROGRESS);
    GstProgressType type = GST_PROGRESS_TYPE_ERROR;

    if (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_PROGRESS)
      gst_message_parse_progress (message, &type, NULL, NULL);
    found = type == GST_PROGRESS_TYPE_COMPLETE;
    wait = message != NULL && type != GST_PROGRESS_TYPE_ERROR && !found;
    gst_clear_message (&message);
  }
  gst_element_set_state (filter, GST_STATE_NULL);
  gst_object_unref (filter);
  drop_bus (bus);
  return found;
}

static Suite *
vulkan_suite (void)
{
  Suite *suite = suite_create ("vulkan");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_set_timeout (tcase, 100);
  tcase_add_test (tcase, test_scores);
  tcase_add_test (tcase, test_no_such_device);
  tcase_add_test (tcase, test_no_such_device_auto);
  return suite;
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  if (!has_device ())
    return SKIPPED;
  return gst_check_run_suite (vulkan_suite (), "vulkan", __FILE__);
}
