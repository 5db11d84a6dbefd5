/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clipfilter with models and settings that cannot work: what it says, and
 * when.
 */
#include "filter.h"

#include <glib/gstdio.h>

#define CAPS RGB_CAPS (64, 48)

static const gchar *const model_files[] = { "open_clip_config.json",
  "open_clip_model.safetensors", "tokenizer.json", "tokenizer_config.json" };

static gchar *
starter_file (const gchar *name)
{
  return g_build_filename (g_getenv ("CLIP_SOURCE_ROOT"), "engine", "starter",
      name, NULL);
}

/* The starter model in a folder of its own, whose name is not UTF-8, without
 * labels.txt; the file
 * `except` is cut off after `length` bytes, or left out for a length of 0. */
static gchar *
copy_model (const gchar *except, gsize length)
{
  gchar *folder = g_dir_make_tmp ("clip-\xff-XXXXXX", NULL);

  fail_unless (folder != NULL);
  for (guint i = 0; i < G_N_ELEMENTS (model_files); i++) {
    gchar *from = starter_file (model_files[i]);
    gchar *to = g_build_filename (folder, model_files[i], NULL);
    gchar *data;
    gsize size;

    fail_unless (g_file_get_contents (from, &data, &size, NULL));
    if (g_strcmp0 (except, model_files[i]) == 0)
      size = length;
    if (size > 0)
      fail_unless (g_file_set_contents (to, data, size, NULL));
    g_free (data);
    g_free (from);
    g_free (to);
  }
  return folder;
}

static void
remove_model (gchar *folder)
{
  for (guint i = 0; i < G_N_ELEMENTS (model_files); i++) {
    gchar *file = g_build_filename (folder, model_files[i], NULL);

    g_unlink (file);
    g_free (file);
  }
  g_rmdir (folder);
  g_free (folder);
}

/* Takes the filter, and expects an error that tells of `word`. */
static void
expect_error (GstElement *filter, GstResourceError code, const gchar *word)
{
  GstBus *bus = add_bus (filter);
  const GstStateChangeReturn change =
      gst_element_set_state (filter, GST_STATE_PAUSED);
  GstMessage *message;
  GError *error = NULL;
  gchar *debug = NULL;

  fail_unless_equals_int (change, GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, &debug);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, code),
      "%s: code %d, not %d", error->message, error->code, code);
  fail_unless (strstr (error->message, word) != NULL, "\"%s\" lacks \"%s\"",
      error->message, word);
  g_error_free (error);
  g_free (debug);
  gst_message_unref (message);
  gst_element_set_state (filter, GST_STATE_NULL);
  drop_bus (bus);
  gst_object_unref (filter);
}

GST_START_TEST (test_missing_model)
{
  GstElement *filter = make_starter_filter ("dog");

  g_object_set (filter, "model", "/does/not/exist", NULL);
  expect_error (filter, GST_RESOURCE_ERROR_NOT_FOUND, "/does/not/exist");
  filter = make_starter_filter ("dog");
  g_object_set (filter, "model", "nobody/has-this-model", NULL);
  expect_error (filter, GST_RESOURCE_ERROR_NOT_FOUND, "nobody/has-this-model");
  filter = make_starter_filter ("dog");
  g_object_set (filter, "model", "not/\xff/utf-8", NULL);
  expect_error (filter, GST_RESOURCE_ERROR_NOT_FOUND, "utf-8");
}
GST_END_TEST;

GST_START_TEST (test_missing_starter)
{
  gchar *before = g_strdup (g_getenv ("GST_CLIP_MODEL_PATH"));

  g_setenv ("GST_CLIP_MODEL_PATH", "/does/not/exist", TRUE);
  expect_error (make_starter_filter ("dog"), GST_RESOURCE_ERROR_NOT_FOUND,
      "GST_CLIP_MODEL_PATH");
  g_setenv ("GST_CLIP_MODEL_PATH", before, TRUE);
  g_free (before);
}
GST_END_TEST;

/* The variable may name the model itself. */
GST_START_TEST (test_starter_path)
{
  gchar *before = g_strdup (g_getenv ("GST_CLIP_MODEL_PATH"));
  gchar *folder = copy_model (NULL, 0);
  const gchar *model;
  GstHarness *harness;
  GstBuffer *buffer;

  g_setenv ("GST_CLIP_MODEL_PATH", folder, TRUE);
  harness = harness_filter (make_starter_filter ("dog"), CAPS);
  buffer = push_and_pull (harness, make_frame (harness, 9, 0));
  model = gst_clip_meta_get_model (gst_clip_meta_find (buffer, NULL));
  fail_unless (g_str_has_prefix (model, "clip-"));
  fail_unless (g_utf8_validate (model, -1, NULL));
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
  g_setenv ("GST_CLIP_MODEL_PATH", before, TRUE);
  g_free (before);
  remove_model (folder);
}
GST_END_TEST;

static void
expect_broken (const gchar *file, gsize length, GstResourceError code)
{
  gchar *folder = copy_model (file, length);
  GstElement *filter = make_starter_filter ("dog");

  g_object_set (filter, "model", folder, NULL);
  expect_error (filter, code, "clip-");
  remove_model (folder);
}

GST_START_TEST (test_broken_model)
{
  expect_broken ("open_clip_model.safetensors", 1000,
      GST_RESOURCE_ERROR_SETTINGS);
  expect_broken ("open_clip_model.safetensors", 1000000,
      GST_RESOURCE_ERROR_SETTINGS);
  expect_broken ("open_clip_config.json", 40, GST_RESOURCE_ERROR_SETTINGS);
  expect_broken ("tokenizer.json", 4000, GST_RESOURCE_ERROR_SETTINGS);
  expect_broken ("open_clip_model.safetensors", 0,
      GST_RESOURCE_ERROR_NOT_FOUND);
}
GST_END_TEST;

/* What only the weights tell comes later, and ends the stream. */
GST_START_TEST (test_broken_weights)
{
  gchar *folder = copy_model (NULL, 0);
  gchar *file = g_build_filename (folder, "open_clip_model.safetensors", NULL);
  GstElement *filter = make_starter_filter ("dog");
  GstBus *bus = add_bus (filter);
  GstHarness *harness;
  GstMessage *message;
  GError *error = NULL;
  gchar *data;
  gsize size;

  fail_unless (g_file_get_contents (file, &data, &size, NULL));
  memset (data + size - 2000000, 0xff, 2000000);
  fail_unless (g_file_set_contents (file, data, size, NULL));
  g_object_set (filter, "model", folder, NULL);
  harness = harness_filter (filter, CAPS);
  fail_unless_equals_int (gst_harness_push (harness,
                              make_frame (harness, 9, 0)),
      GST_FLOW_ERROR);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (error->message, "clip-") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  gst_harness_teardown (harness);
  drop_bus (bus);
  g_free (data);
  g_free (file);
  remove_model (folder);
}
GST_END_TEST;

GST_START_TEST (test_bad_labels)
{
  GstElement *filter = make_starter_filter ("dog");

  g_object_set (filter, "labels-file", "/does/not/exist.txt", NULL);
  expect_error (filter, GST_RESOURCE_ERROR_NOT_FOUND, "/does/not/exist.txt");
  filter = make_starter_filter ("dog");
  gst_util_set_object_arg (G_OBJECT (filter), "prompt-templates",
      "<\"a photo of it.\">");
  expect_error (filter, GST_RESOURCE_ERROR_SETTINGS, "a photo of it.");
}
GST_END_TEST;

static GstMessage *
pop_warning (GstBus *bus)
{
  return gst_bus_timed_pop_filtered (bus, PATIENCE,
      GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
}

/* Without labels frames pass as they are, with a warning. */
GST_START_TEST (test_no_labels)
{
  gchar *folder = copy_model (NULL, 0);
  GstElement *filter = make_starter_filter (NULL);
  GstBus *bus = add_bus (filter);
  GstHarness *harness;
  GstBuffer *buffer;
  GstMessage *message;
  const GstStructure *meta;

  g_object_set (filter, "model", folder, NULL);
  harness = harness_filter (filter, CAPS);
  buffer = push_and_pull (harness, make_frame (harness, 9, 0));
  fail_unless (gst_clip_meta_find (buffer, NULL) == NULL);
  gst_buffer_unref (buffer);
  fail_unless_equals_uint64 (get_stat (harness->element, "skipped"), 1);
  message = pop_warning (bus);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
  gst_message_unref (message);

  g_object_set (harness->element, "attach-embedding", TRUE, NULL);
  buffer = push_and_pull (harness, make_frame (harness, 9, FRAME_DURATION));
  meta = gst_clip_meta_find (buffer, NULL);
  fail_unless (gst_clip_meta_get_embedding (meta) != NULL);
  fail_unless_equals_int (gst_clip_meta_get_n_labels (meta), 0);
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
  drop_bus (bus);
  remove_model (folder);
}
GST_END_TEST;

/* Empty, repeated and over-long labels are told of, the others scored. */
GST_START_TEST (test_odd_labels)
{
  gchar *many = g_strnfill (3000, 'x');
  gchar *labels = g_strdup_printf ("<dog,\"  \",dog,\" cat \",\"%s\">", many);
  GstElement *filter = make_filter (labels);
  GstBus *bus = add_bus (filter);
  GstHarness *harness = harness_filter (filter, CAPS);
  GstBuffer *buffer = push_and_pull (harness, make_frame (harness, 9, 0));
  GstMessage *message = pop_warning (bus);

  fail_unless_equals_int (
      gst_clip_meta_get_n_labels (gst_clip_meta_find (buffer, NULL)), 3);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
  gst_message_unref (message);
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
  drop_bus (bus);
  g_free (labels);
  g_free (many);
}
GST_END_TEST;

/* A frame that is smaller than its caps say. */
GST_START_TEST (test_short_frame)
{
  GstElement *filter = make_filter ("dog");
  GstBus *bus = add_bus (filter);
  GstHarness *harness = harness_filter (filter, CAPS);
  GstBuffer *buffer = make_frame (harness, 9, 0);
  GstMessage *message;
  GError *error = NULL;

  gst_buffer_set_size (buffer, 100);
  fail_unless_equals_int (gst_harness_push (harness, buffer), GST_FLOW_ERROR);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FAILED));
  g_error_free (error);
  gst_message_unref (message);
  gst_harness_teardown (harness);
  drop_bus (bus);
}
GST_END_TEST;

static Suite *
clip_errors_suite (void)
{
  Suite *suite = suite_create ("errors");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, keep_model, drop_model);
  tcase_add_test (tcase, test_missing_model);
  tcase_add_test (tcase, test_missing_starter);
  tcase_add_test (tcase, test_starter_path);
  tcase_add_test (tcase, test_broken_model);
  tcase_add_test (tcase, test_broken_weights);
  tcase_add_test (tcase, test_bad_labels);
  tcase_add_test (tcase, test_no_labels);
  tcase_add_test (tcase, test_odd_labels);
  tcase_add_test (tcase, test_short_frame);
  return suite;
}

GST_CHECK_MAIN (clip_errors);
