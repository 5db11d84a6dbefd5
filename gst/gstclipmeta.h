/* gst-clip: search and tag video in plain words
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
/**
 * SECTION:gstclipmeta
 * @title: GstClipMeta
 * @short_description: Labels and scores that clipfilter attached to a frame
 *
 * GstClipMeta is a #GstCustomMeta: a #GstStructure on a buffer. This header is
 * all there is to it, so that a reader links to nothing but GStreamer. It
 * registers the meta by itself when needed.
 *
 * Several clipfilters in a row leave a meta each, told apart by their id (the
 * `meta-id` property, by default the element's name):
 *
 * |[<!-- language="C" -->
 * const GstStructure *meta = gst_clip_meta_find (buffer, NULL);
 * guint i, n = gst_clip_meta_get_n_labels (meta);
 *
 * for (i = 0; i < n; i++)
 *   g_print ("%s %.3f\n", gst_clip_meta_get_label (meta, i),
 *       gst_clip_meta_get_score (meta, i));
 * ]|
 *
 * In Python, where `get_array ()` returns success and a #GValueArray:
 *
 * |[<!-- language="Python" -->
 * meta = buffer.get_custom_meta("GstClipMeta").get_structure()
 * labels, scores = meta.get_array("labels")[1], meta.get_array("scores")[1]
 * for i in range(labels.n_values):
 *     print(labels.get_nth(i), scores.get_nth(i))
 * ]|
 *
 * The fields of the structure:
 *
 * - `version` (uint): 1; grows when a field changes its meaning
 * - `id` (string): which element attached it
 * - `model` (string): whose scores these are
 * - `labels` (GstValueArray of string): by falling score
 * - `scores` (GstValueArray of float): of the same length
 * - `inference-pts` (guint64): timestamp of the frame that was looked at;
 *   left out where it had none
 * - `age` (guint64): stream time in nanoseconds between that frame and this
 *   one; 0 when this frame was looked at; left out where it is not known
 * - `embedding` (GstBuffer): the unit vector, 32-bit floats in the machine's
 *   byte order; only with `attach-embedding`
 *
 * A meta is replaced, never edited: treat the structure as read-only. Strings
 * and structures belong to the buffer and live as long as the meta does.
 *
 * Since: 0.1
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GST_CLIP_META_NAME:
 *
 * The name of the meta and of its structure.
 *
 * Since: 0.1
 */
#define GST_CLIP_META_NAME "GstClipMeta"

/**
 * gst_clip_meta_get_info:
 *
 * Registers the meta unless that was done before. It has no tags: nothing
 * that is done to the pixels makes what they show untrue.
 *
 * Returns: (transfer none): what GStreamer knows of the meta
 *
 * Since: 0.1
 */
static inline const GstMetaInfo *
gst_clip_meta_get_info (void)
{
  static const GstMetaInfo *clip_meta_info = NULL;

  if (g_once_init_enter (&clip_meta_info)) {
    const GstMetaInfo *info = gst_meta_get_info (GST_CLIP_META_NAME);
    const gchar *tags[] = { NULL };

    if (info == NULL)
      info =
          gst_meta_register_custom (GST_CLIP_META_NAME, tags, NULL, NULL, NULL);
    g_once_init_leave (&clip_meta_info, info);
  }
  return clip_meta_info;
}

/**
 * gst_clip_meta_iterate:
 * @buffer: a buffer
 * @state: (inout): must be %NULL at first
 *
 * Returns: (transfer none) (nullable): the next meta of @buffer, in the order
 *     in which they were attached
 *
 * Since: 0.1
 */
static inline const GstStructure *
gst_clip_meta_iterate (GstBuffer *buffer, gpointer *state)
{
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta (buffer, state)) != NULL) {
    if (meta->info == gst_clip_meta_get_info ())
      return gst_custom_meta_get_structure ((GstCustomMeta *) meta);
  }
  return NULL;
}

/**
 * gst_clip_meta_get_id:
 * @meta: (nullable): a structure of a GstClipMeta
 *
 * Returns: (nullable): which element attached it
 *
 * Since: 0.1
 */
static inline const gchar *
gst_clip_meta_get_id (const GstStructure *meta)
{
  return meta != NULL ? gst_structure_get_string (meta, "id") : NULL;
}

/**
 * gst_clip_meta_find:
 * @buffer: a buffer
 * @id: (nullable): of the meta to find; %NULL takes the first
 *
 * Returns: (transfer none) (nullable): the meta, or %NULL where there is none
 *
 * Since: 0.1
 */
static inline const GstStructure *
gst_clip_meta_find (GstBuffer *buffer, const gchar *id)
{
  const GstStructure *meta;
  gpointer state = NULL;

  while ((meta = gst_clip_meta_iterate (buffer, &state)) != NULL) {
    if (id == NULL || g_strcmp0 (gst_clip_meta_get_id (meta), id) == 0)
      return meta;
  }
  return NULL;
}

/**
 * gst_clip_meta_get_model:
 * @meta: (nullable): a structure of a GstClipMeta
 *
 * Returns: (nullable): the name of the model whose scores these are
 *
 * Since: 0.1
 */
static inline const gchar *
gst_clip_meta_get_model (const GstStructure *meta)
{
  return meta != NULL ? gst_structure_get_string (meta, "model") : NULL;
}

/**
 * gst_clip_meta_get_n_labels:
 * @meta: (nullable): a structure of a GstClipMeta
 *
 * Returns: how many labels have a score
 *
 * Since: 0.1
 */
static inline guint
gst_clip_meta_get_n_labels (const GstStructure *meta)
{
  const GValue *labels, *scores;

  if (meta == NULL)
    return 0;
  labels = gst_structure_get_value (meta, "labels");
  scores = gst_structure_get_value (meta, "scores");
  if (labels == NULL || scores == NULL || !GST_VALUE_HOLDS_ARRAY (labels)
      || !GST_VALUE_HOLDS_ARRAY (scores))
    return 0;
  return MIN (gst_value_array_get_size (labels),
      gst_value_array_get_size (scores));
}

/**
 * gst_clip_meta_get_label:
 * @meta: a structure of a GstClipMeta
 * @i: less than gst_clip_meta_get_n_labels(); 0 has the highest score
 *
 * Returns: the label
 *
 * Since: 0.1
 */
static inline const gchar *
gst_clip_meta_get_label (const GstStructure *meta, guint i)
{
  const GValue *label;

  g_return_val_if_fail (i < gst_clip_meta_get_n_labels (meta), NULL);
  label =
      gst_value_array_get_value (gst_structure_get_value (meta, "labels"), i);
  return G_VALUE_HOLDS_STRING (label) ? g_value_get_string (label) : NULL;
}

/**
 * gst_clip_meta_get_score:
 * @meta: a structure of a GstClipMeta
 * @i: less than gst_clip_meta_get_n_labels()
 *
 * Returns: the score of label @i: from 0 to 1, or from -1 to 1 where
 *     clipfilter's score-mode is cosine
 *
 * Since: 0.1
 */
static inline gfloat
gst_clip_meta_get_score (const GstStructure *meta, guint i)
{
  const GValue *score;

  g_return_val_if_fail (i < gst_clip_meta_get_n_labels (meta), 0.0f);
  score =
      gst_value_array_get_value (gst_structure_get_value (meta, "scores"), i);
  return G_VALUE_HOLDS_FLOAT (score) ? g_value_get_float (score) : 0.0f;
}

/**
 * gst_clip_meta_get_inference_pts:
 * @meta: (nullable): a structure of a GstClipMeta
 *
 * Returns: the timestamp of the frame that was looked at, or
 *     %GST_CLOCK_TIME_NONE
 *
 * Since: 0.1
 */
static inline GstClockTime
gst_clip_meta_get_inference_pts (const GstStructure *meta)
{
  guint64 pts;

  if (meta == NULL || !gst_structure_get_uint64 (meta, "inference-pts", &pts))
    return GST_CLOCK_TIME_NONE;
  return pts;
}

/**
 * gst_clip_meta_get_age:
 * @meta: (nullable): a structure of a GstClipMeta
 *
 * Returns: how far the frame that was looked at is away from this one, in
 *     stream time, or %GST_CLOCK_TIME_NONE
 *
 * Since: 0.1
 */
static inline GstClockTime
gst_clip_meta_get_age (const GstStructure *meta)
{
  guint64 age;

  if (meta == NULL || !gst_structure_get_uint64 (meta, "age", &age))
    return GST_CLOCK_TIME_NONE;
  return age;
}

/**
 * gst_clip_meta_get_embedding:
 * @meta: (nullable): a structure of a GstClipMeta
 *
 * Returns: (transfer none) (nullable): the embedding, or %NULL where it was
 *     not attached
 *
 * Since: 0.1
 */
static inline GstBuffer *
gst_clip_meta_get_embedding (const GstStructure *meta)
{
  const GValue *value =
      meta != NULL ? gst_structure_get_value (meta, "embedding") : NULL;

  return value != NULL && GST_VALUE_HOLDS_BUFFER (value)
      ? gst_value_get_buffer (value)
      : NULL;
}

G_END_DECLS
