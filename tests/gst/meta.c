/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The meta on buffers: reading it, several of them, copies.
 */
#include <gst/check/gstcheck.h>

#include "gst/gstclipmeta.h"

static void
append_label (GValue *labels, GValue *scores, const gchar *label, gfloat score)
{
  GValue text = G_VALUE_INIT, number = G_VALUE_INIT;

  g_value_init (&text, G_TYPE_STRING);
  g_value_set_string (&text, label);
  gst_value_array_append_and_take_value (labels, &text);
  g_value_init (&number, G_TYPE_FLOAT);
  g_value_set_float (&number, score);
  gst_value_array_append_and_take_value (scores, &number);
}

static void
attach (GstBuffer *buffer, const gchar *id, const gchar *label)
{
  GstCustomMeta *meta;
  GstStructure *structure;
  GValue labels = G_VALUE_INIT, scores = G_VALUE_INIT;

  gst_clip_meta_get_info ();
  meta = gst_buffer_add_custom_meta (buffer, GST_CLIP_META_NAME);
  fail_unless (meta != NULL);
  structure = gst_custom_meta_get_structure (meta);
  g_value_init (&labels, GST_TYPE_ARRAY);
  g_value_init (&scores, GST_TYPE_ARRAY);
  append_label (&labels, &scores, label, 0.75f);
  append_label (&labels, &scores, "a cat", 0.25f);
  gst_structure_set (structure, "version", G_TYPE_UINT, 1, "id", G_TYPE_STRING,
      id, "model", G_TYPE_STRING, "starter", "inference-pts", G_TYPE_UINT64,
      (guint64) 40, "age", G_TYPE_UINT64, (guint64) 2, NULL);
  gst_structure_take_value (structure, "labels", &labels);
  gst_structure_take_value (structure, "scores", &scores);
}

static void
check (GstBuffer *buffer, const gchar *id, const gchar *label)
{
  const GstStructure *meta = gst_clip_meta_find (buffer, id);

  fail_unless (meta != NULL);
  fail_unless_equals_string (gst_clip_meta_get_id (meta), id);
  fail_unless_equals_string (gst_clip_meta_get_model (meta), "starter");
  fail_unless_equals_int (gst_clip_meta_get_n_labels (meta), 2);
  fail_unless_equals_string (gst_clip_meta_get_label (meta, 0), label);
  fail_unless_equals_float (gst_clip_meta_get_score (meta, 0), 0.75f);
  fail_unless_equals_string (gst_clip_meta_get_label (meta, 1), "a cat");
  fail_unless_equals_float (gst_clip_meta_get_score (meta, 1), 0.25f);
  fail_unless_equals_uint64 (gst_clip_meta_get_inference_pts (meta), 40);
  fail_unless_equals_uint64 (gst_clip_meta_get_age (meta), 2);
  fail_unless (gst_clip_meta_get_embedding (meta) == NULL);
}

GST_START_TEST (test_none)
{
  GstBuffer *buffer = gst_buffer_new ();

  fail_unless (gst_clip_meta_find (buffer, NULL) == NULL);
  fail_unless_equals_int (gst_clip_meta_get_n_labels (NULL), 0);
  fail_unless (gst_clip_meta_get_age (NULL) == GST_CLOCK_TIME_NONE);
  gst_buffer_unref (buffer);
}
GST_END_TEST;

GST_START_TEST (test_two_of_different_ids)
{
  GstBuffer *buffer = gst_buffer_new ();

  attach (buffer, "first", "a dog, running");
  attach (buffer, "second", "ein \"Hund\" — 犬");
  check (buffer, "first", "a dog, running");
  check (buffer, "second", "ein \"Hund\" — 犬");
  fail_unless (gst_clip_meta_find (buffer, "third") == NULL);
  fail_unless_equals_string (gst_clip_meta_get_id (gst_clip_meta_find (buffer,
                                 NULL)),
      "first");
  gst_buffer_unref (buffer);
}
GST_END_TEST;

GST_START_TEST (test_copy_keeps_it)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 16, NULL);
  GstBuffer *copy;

  attach (buffer, "clip", "a dog");
  copy = gst_buffer_copy_deep (buffer);
  gst_buffer_unref (buffer);
  check (copy, "clip", "a dog");
  gst_buffer_unref (copy);
}
GST_END_TEST;

/* What is not serialisable is lost with the whole meta when a frame crosses
 * a process boundary. */
GST_START_TEST (test_serialises)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstStructure *back;
  gchar *text;

  attach (buffer, "clip", "a \"dog\", running — 犬");
  text = gst_structure_to_string (gst_clip_meta_find (buffer, "clip"));
  back = gst_structure_new_from_string (text);
  fail_unless (back != NULL);
  fail_unless_equals_string (gst_clip_meta_get_label (back, 0),
      "a \"dog\", running — 犬");
  fail_unless_equals_float (gst_clip_meta_get_score (back, 1), 0.25f);
  fail_unless_equals_uint64 (gst_clip_meta_get_age (back), 2);
  gst_structure_free (back);
  g_free (text);
  gst_buffer_unref (buffer);
}
GST_END_TEST;

static Suite *
clip_meta_suite (void)
{
  Suite *suite = suite_create ("meta");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_none);
  tcase_add_test (tcase, test_two_of_different_ids);
  tcase_add_test (tcase, test_copy_keeps_it);
  tcase_add_test (tcase, test_serialises);
  return suite;
}

GST_CHECK_MAIN (clip_meta);
