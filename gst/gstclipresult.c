/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Scores on their way out of the element: as metadata and as a message.
 */
#include "gst/gstclipresult.h"

#include "gst/gstclipmeta.h"
#ifdef HAVE_ANALYTICS
#  include "gst/gstclipanalytics.h"
#endif

#define META_VERSION 1

static void
append_string (GValue *array, const gchar *string)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, string);
  gst_value_array_append_and_take_value (array, &value);
}

static void
append_float (GValue *array, gfloat number)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_FLOAT);
  g_value_set_float (&value, number);
  gst_value_array_append_and_take_value (array, &value);
}

static void
set_labels_and_scores (const GstClipResult *result, GstStructure *structure)
{
  GValue labels = G_VALUE_INIT, scores = G_VALUE_INIT;

  gst_value_array_init (&labels, result->n);
  gst_value_array_init (&scores, result->n);
  for (guint i = 0; i < result->n; i++) {
    const guint label = result->order[i];

    append_string (&labels, clip_labels_get_label (result->labels, label));
    append_float (&scores, result->scores[label]);
  }
  gst_structure_take_value (structure, "labels", &labels);
  gst_structure_take_value (structure, "scores", &scores);
}

static void
set_time (GstStructure *structure, const gchar *field, GstClockTime time)
{
  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_structure_set (structure, field, G_TYPE_UINT64, time, NULL);
}

static void
set_embedding (const GstClipResult *result, GstStructure *structure)
{
  const gsize size = result->dim * sizeof (gfloat);
  GstBuffer *buffer = gst_buffer_new_memdup (result->embedding, size);

  gst_structure_set (structure, "embedding", GST_TYPE_BUFFER, buffer, NULL);
  gst_buffer_unref (buffer);
}

static gboolean
remove_if_same_id (GstBuffer *buffer, GstMeta **meta, gpointer id)
{
  if ((*meta)->info == gst_clip_meta_get_info ()
      && g_strcmp0 (gst_clip_meta_get_id (gst_custom_meta_get_structure (
                        (GstCustomMeta *) *meta)),
             id)
          == 0)
    *meta = NULL;
  return TRUE;
}

void
gst_clip_result_detach (GstBuffer *buffer, const gchar *id)
{
  gst_buffer_foreach_meta (buffer, remove_if_same_id, (gpointer) id);
}

void
gst_clip_result_attach (const GstClipResult *result, GstBuffer *buffer)
{
  GstCustomMeta *meta;
  GstStructure *structure;

  gst_clip_result_detach (buffer, result->id);
  meta = gst_buffer_add_custom_meta (buffer, GST_CLIP_META_NAME);
  structure = gst_custom_meta_get_structure (meta);
  gst_structure_set (structure, "version", G_TYPE_UINT, META_VERSION, "id",
      G_TYPE_STRING, result->id, "model", G_TYPE_STRING, result->model, NULL);
  set_labels_and_scores (result, structure);
  set_time (structure, "inference-pts", result->inference_pts);
  set_time (structure, "age", result->age);
  if (result->embedding != NULL)
    set_embedding (result, structure);
#ifdef HAVE_ANALYTICS
  gst_clip_analytics_attach (result, buffer);
#endif
}

GstClockTime
gst_clip_get_stream_time (const GstSegment *segment, GstBuffer *buffer)
{
  if (segment->format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_stream_time (segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer));
}

GstClockTime
gst_clip_get_running_time (const GstSegment *segment, GstBuffer *buffer)
{
  if (segment->format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer));
}

GstMessage *
gst_clip_result_to_message (const GstClipResult *result, GstElement *element,
    const GstSegment *segment, GstBuffer *buffer)
{
  GstStructure *structure = gst_structure_new ("clipfilter", "timestamp",
      G_TYPE_UINT64, GST_BUFFER_PTS (buffer), "stream-time", G_TYPE_UINT64,
      gst_clip_get_stream_time (segment, buffer), "running-time", G_TYPE_UINT64,
      gst_clip_get_running_time (segment, buffer), "duration", G_TYPE_UINT64,
      GST_BUFFER_DURATION (buffer), NULL);

  set_labels_and_scores (result, structure);
  return gst_message_new_element (GST_OBJECT (element), structure);
}

GstMessage *
gst_clip_labels_to_message (ClipLabels *labels, GstElement *element)
{
  GstStructure *structure = gst_structure_new_empty ("clipfilter-labels");
  const guint n = labels != NULL ? clip_labels_get_n_labels (labels) : 0;
  GValue array = G_VALUE_INIT;

  gst_value_array_init (&array, n);
  for (guint i = 0; i < n; i++)
    append_string (&array, clip_labels_get_label (labels, i));
  gst_structure_take_value (structure, "labels", &array);
  return gst_message_new_element (GST_OBJECT (element), structure);
}
