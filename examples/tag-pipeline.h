/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clip-tag's pipeline:
 *
 *   uridecodebin ! videoconvert ! clipfilter ! clipjson ! queue
 *     ! videocrop (to an even size) ! videoconvert ! videoflip (upright)
 *     ! clipoverlay ! videoconvert ! encoder ! mux ! filesink
 *
 * with the first audio stream, encoded anew, beside the video.
 */
#pragma once

#include <gst/gst.h>

typedef struct {
  const gchar *uri;
  const gchar *model;  /* NULL: the starter model */
  const gchar *labels; /* as clipfilter takes them; NULL: the model's own */
  const gchar *labels_file; /* NULL: none */
  const gchar *json_location;
  const gchar *video_location_stem; /* without ".mp4" or ".webm" */
} TagParams;

/* A label in the frames in which it had the highest score. */
typedef struct {
  guint64 frames;
  gdouble score_sum;
} TagTop;

/* What was seen so far; fields are protected by `lock`. */
typedef struct {
  GMutex lock;
  guint64 frames;
  GHashTable *tops; /* label -> TagTop *, those that were ever the first */
  gchar *last_top;  /* or NULL */
  gfloat last_score;
} TagSeen;

typedef struct {
  GstElement *pipeline;
  GstElement *mux;
  gchar *video_location;
  const gchar *audio_encoder;          /* NULL: none is installed */
  GstPad *video_entry;                 /* where decoded video goes in */
  gboolean video_linked, audio_linked; /* on the demuxer's thread */
  gint ending;                         /* atomic */
  TagSeen seen;
} TagPipeline;

/* Fails naming the element that is missing, and the Debian package. */
gboolean tag_pipeline_init (TagPipeline *self, const TagParams *params,
    GError **error);
void tag_pipeline_clear (TagPipeline *self);

/* Ends the streams at the next frame, so that all files are finished; EOS comes
 * on the bus. Any thread. */
void tag_pipeline_end_early (TagPipeline *self);
