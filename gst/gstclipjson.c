/* gst-clip: search and tag video in plain words
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
/**
 * SECTION:element-clipjson
 * @title: clipjson
 * @short_description: Writes what clipfilter saw as JSON lines
 * @see_also: clipfilter, clipoverlay
 *
 * clipjson writes one line of JSON for every frame that has a result of
 * clipfilter (#GstClipMeta), in the order of the frames:
 *
 * |[
 * {"pts": 40000000, "stream_time": 40000000, "running_time": 40000000, "utc": "2026-05-01T12:00:00.040Z", "labels": [{"label": "a dog", "score": 0.93}, {"label": "a cat", "score": 0.02}]}
 * ]|
 *
 * - `pts`, `stream_time`, `running_time`: nanoseconds
 * - `utc`: the moment that the frame shows, from the frame's reference
 *   timestamp (rtspsrc's `add-reference-timestamp-meta`), else from the
 *   recording's DATE_TIME tag and the stream time, else from the pipeline's
 *   clock where that is a realtime clock
 * - `id`: which clipfilter it was; only on frames that several have looked at,
 *   which get a line for each
 * - `labels`: highest score first; an empty list where no label reached
 *   clipfilter's threshold
 *
 * What is not known is left out. The text is valid UTF-8 and the numbers have
 * a decimal point in every locale.
 *
 * Without #GstClipJson:location, the lines are the element's output, as
 * `application/x-json`, a buffer a frame; a frame without a result becomes a
 * GAP event. With it, the lines go to that file, each one as soon as its frame
 * comes by, and the video passes on unchanged. In both cases the pixels are
 * not looked at, so any kind of memory will do.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -q filesrc location=video.mp4 ! decodebin ! clipfilter labels="a dog, a cat" ! clipjson ! filesink location=labels.jsonl
 * ]| Tags a recording.
 * |[
 * gst-launch-1.0 -q videotestsrc num-buffers=30 ! clipfilter labels="colour bars, a dog" ! clipjson ! fdsink
 * ]| Prints the lines.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! clipfilter labels="colour bars, a dog" ! clipjson location=labels.jsonl append=true ! videoconvert ! autovideosink
 * ]| Shows the video, and adds the lines to a file.
 *
 * Since: 0.1
 */

#include "gst/gstclipjson.h"

#include <errno.h>
#include <unistd.h>

#include <gst/video/video.h>

#include "gst/gstclipelements.h"
#include "gst/gstclipjsonfile.h"
#include "gst/gstclipjsonline.h"
#include "gst/gstclipjsonutc.h"
#include "gst/gstclipmeta.h"

GST_DEBUG_CATEGORY_STATIC (gst_clip_json_debug);
#define GST_CAT_DEFAULT gst_clip_json_debug

#define VIDEO_CAPS "video/x-raw(ANY)"
#define JSON_CAPS "application/x-json"

#define DEFAULT_LOCATION NULL
#define DEFAULT_APPEND FALSE
#define DEFAULT_META_ID NULL

enum {
  PROP_0,
  PROP_LOCATION,
  PROP_APPEND,
  PROP_META_ID,
};

typedef enum {
  OUTPUT_UNDECIDED, /* not started: location may still be set */
  OUTPUT_LINES,
  OUTPUT_VIDEO,
} Output;

struct _GstClipJson {
  GstBaseTransform parent;

  /* under the object lock */
  gchar *location;
  gboolean append;
  gchar *meta_id;
  Output output;

  /* between start and stop, on the streaming thread */
  gchar *path;
  gint fd;
  GString *lines;
  GstClockTime recording_start;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (VIDEO_CAPS));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (JSON_CAPS "; " VIDEO_CAPS));

G_DEFINE_TYPE_WITH_CODE (GstClipJson, gst_clip_json, GST_TYPE_BASE_TRANSFORM,
    GST_DEBUG_CATEGORY_INIT (gst_clip_json_debug, "clipjson", 0,
        "JSON lines of labels"));
GST_ELEMENT_REGISTER_DEFINE (clipjson, "clipjson", GST_RANK_NONE,
    GST_TYPE_CLIP_JSON);

static void
gst_clip_json_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstClipJson *self = GST_CLIP_JSON (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_free (self->location);
      self->location = g_value_dup_string (value);
      break;
    case PROP_APPEND:
      self->append = g_value_get_boolean (value);
      break;
    case PROP_META_ID:
      g_free (self->meta_id);
      self->meta_id = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_clip_json_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstClipJson *self = GST_CLIP_JSON (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string (value, self->location);
      break;
    case PROP_APPEND:
      g_value_set_boolean (value, self->append);
      break;
    case PROP_META_ID:
      g_value_set_string (value, self->meta_id);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_clip_json_finalize (GObject *object)
{
  GstClipJson *self = GST_CLIP_JSON (object);

  g_free (self->location);
  g_free (self->meta_id);
  g_string_free (self->lines, TRUE);
  G_OBJECT_CLASS (gst_clip_json_parent_class)->finalize (object);
}

static void
set_output (GstClipJson *self, Output output)
{
  GST_OBJECT_LOCK (self);
  self->output = output;
  GST_OBJECT_UNLOCK (self);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self),
      output != OUTPUT_LINES);
}

static Output
get_output (GstClipJson *self)
{
  Output output;

  GST_OBJECT_LOCK (self);
  output = self->output;
  GST_OBJECT_UNLOCK (self);
  return output;
}

static gboolean
gst_clip_json_start (GstBaseTransform *base)
{
  GstClipJson *self = GST_CLIP_JSON (base);
  gboolean append;

  GST_OBJECT_LOCK (self);
  self->path = g_strdup (self->location);
  append = self->append;
  GST_OBJECT_UNLOCK (self);
  self->recording_start = GST_CLOCK_TIME_NONE;

  if (self->path) {
    self->fd = gst_clip_json_file_open (self->path, append);
    if (self->fd < 0) {
      GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
          ("Cannot open \"%s\" for writing JSON lines: %s.", self->path,
              g_strerror (errno)),
          (NULL));
      g_clear_pointer (&self->path, g_free);
      return FALSE;
    }
  }
  set_output (self, self->path ? OUTPUT_VIDEO : OUTPUT_LINES);
  return TRUE;
}

static gboolean
gst_clip_json_stop (GstBaseTransform *base)
{
  GstClipJson *self = GST_CLIP_JSON (base);

  /* Some file systems report a full disk only now. */
  if (self->path && close (self->fd) != 0)
    GST_ELEMENT_WARNING (self, RESOURCE, CLOSE,
        ("The last JSON lines may be missing from \"%s\": %s.", self->path,
            g_strerror (errno)),
        (NULL));
  self->fd = -1;
  g_clear_pointer (&self->path, g_free);
  set_output (self, OUTPUT_UNDECIDED);
  return TRUE;
}

/* What the other pad can do for one structure of this one. Until the element
 * has started it could still become either, and links are made before that. */
static void
add_counterparts (GstCaps *result, Output output, GstPadDirection direction,
    const GstStructure *structure, const GstCapsFeatures *features)
{
  gboolean is_json = gst_structure_has_name (structure, JSON_CAPS);

  if (output != OUTPUT_LINES && !is_json)
    gst_caps_append_structure_full (result, gst_structure_copy (structure),
        features ? gst_caps_features_copy (features) : NULL);
  if (output != OUTPUT_VIDEO) {
    if (direction == GST_PAD_SINK)
      gst_caps_append (result, gst_caps_new_empty_simple (JSON_CAPS));
    else if (is_json)
      gst_caps_append (result, gst_caps_from_string (VIDEO_CAPS));
  }
}

static GstCaps *
gst_clip_json_transform_caps (GstBaseTransform *base, GstPadDirection direction,
    GstCaps *caps, GstCaps *filter)
{
  Output output = get_output (GST_CLIP_JSON (base));
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    add_counterparts (result, output, direction,
        gst_caps_get_structure (caps, i), gst_caps_get_features (caps, i));
  result = gst_caps_simplify (result);

  if (filter) {
    GstCaps *filtered =
        gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (result);
    result = filtered;
  }
  return result;
}

static gboolean
gst_clip_json_propose_allocation (GstBaseTransform *base,
    GstQuery *decide_query, GstQuery *query)
{
  if (get_output (GST_CLIP_JSON (base)) != OUTPUT_LINES)
    return GST_BASE_TRANSFORM_CLASS (gst_clip_json_parent_class)
        ->propose_allocation (base, decide_query, query);

  /* The frames end here and are not read: any layout is fine. */
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  gst_query_add_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL);
  return TRUE;
}

static gboolean
gst_clip_json_sink_event (GstBaseTransform *base, GstEvent *event)
{
  GstClipJson *self = GST_CLIP_JSON (base);

  if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START) {
    self->recording_start = GST_CLOCK_TIME_NONE;
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_TAG) {
    GstTagList *tags;
    GstClockTime start;

    gst_event_parse_tag (event, &tags);
    start = gst_clip_json_utc_from_tags (tags);
    if (GST_CLOCK_TIME_IS_VALID (start))
      self->recording_start = start;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_clip_json_parent_class)
      ->sink_event (base, event);
}

static void
get_times (GstClipJson *self, GstBuffer *buffer, GstClipJsonTimes *times)
{
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;

  times->pts = GST_BUFFER_PTS (buffer);
  times->stream_time = times->running_time = GST_CLOCK_TIME_NONE;
  if (segment->format == GST_FORMAT_TIME
      && GST_CLOCK_TIME_IS_VALID (times->pts)) {
    times->stream_time =
        gst_segment_to_stream_time (segment, GST_FORMAT_TIME, times->pts);
    times->running_time =
        gst_segment_to_running_time (segment, GST_FORMAT_TIME, times->pts);
  }
  times->utc = gst_clip_json_utc (GST_ELEMENT (self), buffer,
      self->recording_start, times->stream_time, times->running_time);
}

/* Puts the lines of @buffer into self->lines: none where it has no result. */
static void
make_lines (GstClipJson *self, GstBuffer *buffer)
{
  gpointer state = NULL;
  const GstStructure *result;
  GstClipJsonTimes times;
  gchar *meta_id;
  guint n_results = 0;

  g_string_truncate (self->lines, 0);
  while (gst_clip_meta_iterate (buffer, &state))
    n_results++;
  if (n_results == 0)
    return;

  GST_OBJECT_LOCK (self);
  meta_id = g_strdup (self->meta_id);
  GST_OBJECT_UNLOCK (self);

  get_times (self, buffer, &times);
  state = NULL;
  while ((result = gst_clip_meta_iterate (buffer, &state))) {
    const gchar *id = gst_clip_meta_get_id (result);

    if (!meta_id || g_strcmp0 (id, meta_id) == 0)
      gst_clip_json_line_append (self->lines, &times, n_results > 1 ? id : NULL,
          result);
  }
  g_free (meta_id);
}

static GstFlowReturn
write_lines (GstClipJson *self)
{
  gint error =
      gst_clip_json_file_write (self->fd, self->lines->str, self->lines->len);

  switch (error) {
    case 0:
      return GST_FLOW_OK;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
          ("No space left for the JSON lines in \"%s\".", self->path),
          ("%s", g_strerror (error)));
      return GST_FLOW_ERROR;
    default:
      GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
          ("Cannot write JSON lines to \"%s\": %s.", self->path,
              g_strerror (error)),
          (NULL));
      return GST_FLOW_ERROR;
  }
}

/* The lines as a buffer, or NULL and a GAP event: a sink prerolls on either. */
static GstBuffer *
lines_buffer (GstClipJson *self, GstBuffer *frame)
{
  GstBuffer *buffer;

  if (self->lines->len == 0) {
    if (GST_BUFFER_PTS_IS_VALID (frame))
      gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self),
          gst_event_new_gap (GST_BUFFER_PTS (frame),
              GST_BUFFER_DURATION (frame)));
    return NULL;
  }
  buffer = gst_buffer_new_memdup (self->lines->str, self->lines->len);
  GST_BUFFER_PTS (buffer) = GST_BUFFER_PTS (frame);
  GST_BUFFER_DURATION (buffer) = GST_BUFFER_DURATION (frame);
  return buffer;
}

static GstFlowReturn
gst_clip_json_generate_output (GstBaseTransform *base, GstBuffer **outbuf)
{
  GstClipJson *self = GST_CLIP_JSON (base);
  GstBuffer *frame = g_steal_pointer (&base->queued_buf);

  *outbuf = NULL;
  if (!frame)
    return GST_FLOW_OK;

  make_lines (self, frame);
  if (!self->path) {
    *outbuf = lines_buffer (self, frame);
    gst_buffer_unref (frame);
    return GST_FLOW_OK;
  }
  *outbuf = frame;
  return write_lines (self);
}

static void
gst_clip_json_class_init (GstClipJsonClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *base_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_clip_json_set_property;
  object_class->get_property = gst_clip_json_get_property;
  object_class->finalize = gst_clip_json_finalize;

  /**
   * GstClipJson:location:
   *
   * File that the lines are written to while the video passes on unchanged.
   * %NULL: the lines are the output.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "File to write the lines to, while the video passes on unchanged "
          "(NULL: the lines are the output)",
          DEFAULT_LOCATION,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstClipJson:append:
   *
   * Whether to keep what the file already holds.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_APPEND,
      g_param_spec_boolean ("append", "Append",
          "Add to what the file of \"location\" already holds, instead of "
          "starting it anew",
          DEFAULT_APPEND,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_READY));

  /**
   * GstClipJson:meta-id:
   *
   * The clipfilter (its `meta-id`, by default its name) whose results to
   * write. %NULL: those of all.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_META_ID,
      g_param_spec_string ("meta-id", "Meta ID",
          "Write only the results of the clipfilter with this meta-id, by "
          "default its name (NULL: of all)",
          DEFAULT_META_ID,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));

  gst_element_class_set_static_metadata (element_class, "CLIP JSON lines",
      "Filter/Analyzer/Video",
      "Writes the labels and scores that clipfilter attached to the frames as "
      "JSON lines",
      "gst-clip");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  base_class->start = GST_DEBUG_FUNCPTR (gst_clip_json_start);
  base_class->stop = GST_DEBUG_FUNCPTR (gst_clip_json_stop);
  base_class->transform_caps = GST_DEBUG_FUNCPTR (gst_clip_json_transform_caps);
  base_class->propose_allocation =
      GST_DEBUG_FUNCPTR (gst_clip_json_propose_allocation);
  base_class->sink_event = GST_DEBUG_FUNCPTR (gst_clip_json_sink_event);
  base_class->generate_output =
      GST_DEBUG_FUNCPTR (gst_clip_json_generate_output);
}

static void
gst_clip_json_init (GstClipJson *self)
{
  self->location = g_strdup (DEFAULT_LOCATION);
  self->append = DEFAULT_APPEND;
  self->meta_id = g_strdup (DEFAULT_META_ID);
  self->fd = -1;
  self->lines = g_string_new (NULL);
  self->recording_start = GST_CLOCK_TIME_NONE;
  gst_base_transform_set_gap_aware (GST_BASE_TRANSFORM (self), TRUE);
}
