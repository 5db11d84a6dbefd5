/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Results as clipfilter attaches them, made by hand.
 */
#pragma once

#include <gst/gst.h>

#include "gst/gstclipmeta.h"

/* Attaches a GstClipMeta with @n labels and scores to @buffer. */
static inline void
attach_result (GstBuffer *buffer, const gchar *id, guint n,
    const gchar *const *labels, const gfloat *scores)
{
  GValue label_array = G_VALUE_INIT, score_array = G_VALUE_INIT;
  GstCustomMeta *meta;
  GstStructure *structure;

  gst_clip_meta_get_info ();
  meta = gst_buffer_add_custom_meta (buffer, GST_CLIP_META_NAME);
  g_assert_nonnull (meta);
  structure = gst_custom_meta_get_structure (meta);
  g_value_init (&label_array, GST_TYPE_ARRAY);
  g_value_init (&score_array, GST_TYPE_ARRAY);
  for (guint i = 0; i < n; i++) {
    GValue label = G_VALUE_INIT, score = G_VALUE_INIT;

    g_value_init (&label, G_TYPE_STRING);
    g_value_set_string (&label, labels[i]);
    gst_value_array_append_and_take_value (&label_array, &label);
    g_value_init (&score, G_TYPE_FLOAT);
    g_value_set_float (&score, scores[i]);
    gst_value_array_append_and_take_value (&score_array, &score);
  }
  gst_structure_set (structure, "version", G_TYPE_UINT, 1, "id", G_TYPE_STRING,
      id, "model", G_TYPE_STRING, "starter", NULL);
  gst_structure_take_value (structure, "labels", &label_array);
  gst_structure_take_value (structure, "scores", &score_array);
}

/* The same for one label. */
static inline void
attach_label (GstBuffer *buffer, const gchar *id, const gchar *label,
    gfloat score)
{
  attach_result (buffer, id, 1, &label, &score);
}
