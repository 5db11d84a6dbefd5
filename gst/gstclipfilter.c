/* gst-clip: search and tag video in plain words
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
/**
 * SECTION:element-clipfilter
 * @title: clipfilter
 * @short_description: Scores video frames against labels in plain words
 *
 * clipfilter looks at raw video with CLIP, a model that knows pictures and
 * text alike, and attaches to every frame how well each of the labels fits.
 * The pixels pass untouched. The scores travel as a #GstCustomMeta named
 * `GstClipMeta`, which survives conversion, scaling and encoding, and, when
 * asked for, as element messages.
 *
 * A frame waits for its own scores. Where computing cannot keep up with a sink
 * that shows frames in time, late frames carry the scores of the one before;
 * `inference-interval` and `min-interval` have fewer frames looked at in the
 * first place.
 *
 * What is looked at is the picture as it is displayed: turned as the
 * image-orientation tag says, cropped as #GstVideoCropMeta says, in its
 * pixel aspect ratio.
 *
 * The message `clipfilter` (see #GstClipFilter:post-messages) has the fields
 * `timestamp`, `stream-time`, `running-time` and `duration` (guint64, in
 * nanoseconds, all ones where unknown), and `labels` (GstValueArray of string)
 * with their `scores` (GstValueArray of float), highest first. The message
 * `clipfilter-labels` is posted when labels have been encoded and are in use
 * from the next frame on, and names them in `labels`.
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=10 ! clipfilter labels="colour bars; a dog, running" post-messages=all ! fakesink
 * ]| Prints the scores of two labels for every frame.
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=90 pattern=ball ! clipfilter top-k=1 min-interval=500000000 post-messages=changes ! fakesink
 * ]| Looks twice a second for the model's own labels and tells when another
 * one fits best.
 *
 * Since: 0.1
 */
#include "gst/gstclipfilter.h"

#include <gst/video/video.h>

#include "gst/gstclipelements.h"
#include "gst/gstcliperror.h"
#include "gst/gstclipframe.h"
#include "gst/gstclipresult.h"
#include "gst/gstclipschedule.h"
#include "gst/gstclipsession.h"
#include "gst/gstclipstats.h"

GST_DEBUG_CATEGORY (gst_clip_filter_debug);
#define GST_CAT_DEFAULT gst_clip_filter_debug

struct _GstClipFilter {
  GstBaseTransform parent;

  GstClipSession *session;

  /* Under the object lock. */
  GstClipSettings settings;
  GstClipStats stats;
  GstClockTime earliest_time; /* running time before which frames are late */
  GstClockTime frame_duration;

  /* Of the streaming thread, between start and stop. */
  gchar *id;
  GstVideoInfo info;
  GstVideoOrientationMethod orientation;
  GstClipSchedule schedule;
  const gfloat *embedding; /* of the schedule's result; the session's */
  ClipLabels *labels;      /* that the next three belong to */
  gfloat *scores;          /* [labels] */
  guint *order;            /* [labels] */
  gboolean *reported;      /* [labels]: in the last message */
  guint reported_first;    /* the best one of the last message */
  gboolean has_reported;
};

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_CLIP_FRAME_FORMATS)));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_CLIP_FRAME_FORMATS)));

G_DEFINE_TYPE_WITH_CODE (GstClipFilter, gst_clip_filter,
                         GST_TYPE_BASE_TRANSFORM,
                         G_IMPLEMENT_INTERFACE (GST_TYPE_PRESET, NULL);
                         GST_DEBUG_CATEGORY_INIT (gst_clip_filter_debug,
                             "clipfilter", 0, "CLIP scores of video frames"));
GST_ELEMENT_REGISTER_DEFINE (clipfilter, "clipfilter", GST_RANK_NONE,
    GST_TYPE_CLIP_FILTER);

/* ------------------------------------------------------------ properties */

static void
gst_clip_filter_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstClipFilter *self = GST_CLIP_FILTER (object);
  gboolean known, label_spec_changed = FALSE;

  GST_OBJECT_LOCK (self);
  known =
      gst_clip_settings_set (&self->settings, id, value, &label_spec_changed);
  if (label_spec_changed)
    gst_clip_session_set_labels (self->session, &self->settings.label_spec);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_clip_filter_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstClipFilter *self = GST_CLIP_FILTER (object);
  gboolean known = TRUE;

  GST_OBJECT_LOCK (self);
  if (id == GST_CLIP_PROP_STATS)
    g_value_take_boxed (value, gst_clip_stats_to_structure (&self->stats));
  else if (id == GST_CLIP_PROP_ACTIVE_BACKEND)
    g_value_take_string (value, gst_clip_session_dup_backend (self->session));
  else
    known = gst_clip_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* ---------------------------------------------------- starting, stopping */

static void
drop_labels (GstClipFilter *self)
{
  g_clear_pointer (&self->labels, clip_labels_unref);
  g_clear_pointer (&self->scores, g_free);
  g_clear_pointer (&self->order, g_free);
  g_clear_pointer (&self->reported, g_free);
  self->has_reported = FALSE;
}

static void
reset (GstClipFilter *self)
{
  gst_clip_schedule_reset (&self->schedule);
  self->embedding = NULL;
  self->has_reported = FALSE;
  GST_OBJECT_LOCK (self);
  self->earliest_time = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);
}

static ClipModel *
load_model (const gchar *where, GError **error)
{
  g_autofree gchar *starter = NULL;

  if (where == NULL || *where == '\0')
    where = starter = clip_model_find_starter (error);
  return where != NULL ? clip_model_load (where, error) : NULL;
}

/* Checks files and settings; what takes longer is the session's worker's. */
static gboolean
gst_clip_filter_start (GstBaseTransform *trans)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);
  g_autoptr (GstClipLabelSpec) spec = NULL;
  g_autoptr (ClipModel) model = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *where = NULL, *id = NULL, *device = NULL;
  ClipEncoderParams params;

  GST_OBJECT_LOCK (self);
  where = g_strdup (self->settings.model);
  spec = gst_clip_label_spec_copy (&self->settings.label_spec);
  params = gst_clip_settings_get_encoder_params (&self->settings);
  params.device = device = g_strdup (params.device);
  id = g_strdup (self->settings.meta_id != NULL ? self->settings.meta_id
                                                : GST_OBJECT_NAME (self));
  memset (&self->stats, 0, sizeof self->stats);
  self->frame_duration = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);

  model = load_model (where, &error);
  if (model == NULL) {
    gst_clip_post_error (GST_ELEMENT (self), GST_MESSAGE_ERROR,
        "The model cannot be loaded", error);
    return FALSE;
  }
  if (!gst_clip_label_spec_check (spec, &error)) {
    gst_clip_post_error (GST_ELEMENT (self), GST_MESSAGE_ERROR,
        "The labels cannot be used", error);
    return FALSE;
  }
  reset (self);
  self->id = g_steal_pointer (&id);
  self->orientation = GST_VIDEO_ORIENTATION_IDENTITY;
  gst_clip_session_start (self->session, g_steal_pointer (&model), &params);
  return TRUE;
}

static gboolean
gst_clip_filter_stop (GstBaseTransform *trans)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);

  reset (self);
  drop_labels (self);
  gst_clip_session_stop (self->session);
  g_clear_pointer (&self->id, g_free);
  return TRUE;
}

static GstStateChangeReturn
gst_clip_filter_change_state (GstElement *element, GstStateChange transition)
{
  /* The parent deactivates the pads, which waits for the streaming thread,
   * which must not be waiting for a frame. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_clip_session_close (GST_CLIP_FILTER (element)->session);
  return GST_ELEMENT_CLASS (gst_clip_filter_parent_class)
      ->change_state (element, transition);
}

/* ----------------------------------------------------- caps, events, QoS */

static gboolean
gst_clip_filter_set_caps (GstBaseTransform *trans, GstCaps *incaps,
    GstCaps *outcaps)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);
  GstClockTime duration = GST_CLOCK_TIME_NONE;
  GstVideoInterlaceMode mode;
  gboolean changed;

  if (!gst_video_info_from_caps (&self->info, incaps))
    return FALSE;
  mode = GST_VIDEO_INFO_INTERLACE_MODE (&self->info);
  if (mode == GST_VIDEO_INTERLACE_MODE_ALTERNATE
      || mode == GST_VIDEO_INTERLACE_MODE_FIELDS) {
    GST_ERROR_OBJECT (self, "one field a buffer: no whole picture to look at");
    return FALSE;
  }
  if (GST_VIDEO_INFO_FPS_N (&self->info) > 0)
    duration = gst_util_uint64_scale (GST_SECOND,
        GST_VIDEO_INFO_FPS_D (&self->info), GST_VIDEO_INFO_FPS_N (&self->info));
  GST_OBJECT_LOCK (self);
  changed = self->frame_duration != duration;
  self->frame_duration = duration;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
  return TRUE;
}

static void
take_tags (GstClipFilter *self, GstEvent *event)
{
  GstTagList *tags;
  GstVideoOrientationMethod orientation;

  gst_event_parse_tag (event, &tags);
  if (gst_video_orientation_from_tag (tags, &orientation))
    self->orientation = orientation;
}

static gboolean
gst_clip_filter_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      gst_clip_session_set_flushing (self->session, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_clip_session_set_flushing (self->session, FALSE);
      reset (self);
      break;
    case GST_EVENT_STREAM_START:
      self->orientation = GST_VIDEO_ORIENTATION_IDENTITY;
      reset (self);
      break;
    case GST_EVENT_SEGMENT:
      reset (self);
      break;
    case GST_EVENT_TAG:
      take_tags (self, event);
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_clip_filter_parent_class)
      ->sink_event (trans, event);
}

/* The base class keeps what it hears of QoS to itself. */
static gboolean
gst_clip_filter_src_event (GstBaseTransform *trans, GstEvent *event)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);

  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS) {
    GstClockTimeDiff diff;
    GstClockTime time;

    gst_event_parse_qos (event, NULL, NULL, &diff, &time);
    GST_OBJECT_LOCK (self);
    if (!GST_CLOCK_TIME_IS_VALID (time))
      self->earliest_time = GST_CLOCK_TIME_NONE;
    else if (diff > 0)
      self->earliest_time = time + 2 * diff;
    else
      self->earliest_time = time - MIN (time, (GstClockTime) -diff);
    GST_OBJECT_UNLOCK (self);
  }
  return GST_BASE_TRANSFORM_CLASS (gst_clip_filter_parent_class)
      ->src_event (trans, event);
}

static gboolean
gst_clip_filter_query (GstBaseTransform *trans, GstPadDirection direction,
    GstQuery *query)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);
  GstClockTime min, max, duration;
  gboolean live;

  if (!GST_BASE_TRANSFORM_CLASS (gst_clip_filter_parent_class)
           ->query (trans, direction, query))
    return FALSE;
  if (direction != GST_PAD_SRC || GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return TRUE;
  GST_OBJECT_LOCK (self);
  duration = self->frame_duration;
  GST_OBJECT_UNLOCK (self);
  gst_query_parse_latency (query, &live, &min, &max);
  if (live && GST_CLOCK_TIME_IS_VALID (duration)) {
    min += duration;
    if (GST_CLOCK_TIME_IS_VALID (max))
      max += duration;
    gst_query_set_latency (query, live, min, max);
  }
  return TRUE;
}

/* ---------------------------------------------------------------- frames */

static gboolean
is_late (GstClipFilter *self, GstBuffer *buffer)
{
  const GstClockTime running_time =
      gst_clip_get_running_time (&GST_BASE_TRANSFORM (self)->segment, buffer);
  gboolean late;

  GST_OBJECT_LOCK (self);
  late = GST_CLOCK_TIME_IS_VALID (running_time)
      && GST_CLOCK_TIME_IS_VALID (self->earliest_time)
      && running_time <= self->earliest_time;
  GST_OBJECT_UNLOCK (self);
  return late;
}

static GstFlowReturn
look (GstClipFilter *self, GstBuffer *buffer, const GstClipTuning *tuning)
{
  const gint64 begin = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  GstVideoFrame frame;
  ClipImage image;
  GstFlowReturn flow;

  self->schedule.has_result = FALSE;
  /* A reference would make the buffer not writable for the meta. */
  if (!gst_video_frame_map (&frame, &self->info, buffer,
          GST_MAP_READ | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)) {
    GST_ELEMENT_ERROR (self, STREAM, FAILED, ("A frame cannot be read."),
        ("mapping failed: %" GST_PTR_FORMAT, buffer));
    return GST_FLOW_ERROR;
  }
  gst_clip_frame_view (&frame, self->orientation, &image);
  flow = gst_clip_session_encode (self->session, &image, tuning->resize_mode,
      &self->embedding, &error);
  gst_video_frame_unmap (&frame);
  if (flow == GST_FLOW_ERROR)
    gst_clip_post_error (GST_ELEMENT (self), GST_MESSAGE_ERROR,
        "A frame cannot be scored", error);
  if (flow != GST_FLOW_OK)
    return flow;
  gst_clip_schedule_set_result (&self->schedule, GST_BUFFER_PTS (buffer));
  GST_OBJECT_LOCK (self);
  gst_clip_stats_add_encoded (&self->stats,
      (g_get_monotonic_time () - begin) * GST_USECOND);
  GST_OBJECT_UNLOCK (self);
  return GST_FLOW_OK;
}

static void
take_labels (GstClipFilter *self)
{
  ClipLabels *labels = gst_clip_session_get_labels (self->session);
  guint n;

  if (labels == self->labels) {
    g_clear_pointer (&labels, clip_labels_unref);
    return;
  }
  drop_labels (self);
  self->labels = labels;
  n = labels != NULL ? clip_labels_get_n_labels (labels) : 0;
  self->scores = g_new0 (gfloat, n);
  self->order = g_new0 (guint, n);
  self->reported = g_new0 (gboolean, n);
}

/* Whether this says something that the last message did not; remembers it. */
static gboolean
is_news (GstClipFilter *self, const GstClipResult *result)
{
  const guint n =
      self->labels != NULL ? clip_labels_get_n_labels (self->labels) : 0;
  const guint first = result->n > 0 ? result->order[0] : G_MAXUINT;
  gboolean news = !self->has_reported || first != self->reported_first;
  guint n_before = 0;

  for (guint i = 0; i < n; i++)
    n_before += self->reported[i];
  news = news || n_before != result->n;
  for (guint i = 0; i < result->n && !news; i++)
    news = !self->reported[result->order[i]];
  for (guint i = 0; i < n; i++)
    self->reported[i] = FALSE;
  for (guint i = 0; i < result->n; i++)
    self->reported[result->order[i]] = TRUE;
  self->reported_first = first;
  self->has_reported = TRUE;
  return news;
}

/* Scores of the last embedding against the labels of now: changed labels and
 * settings apply to frames that are not looked at too. */
static void
report (GstClipFilter *self, GstBuffer *buffer, const GstClipTuning *tuning)
{
  ClipModel *model = gst_clip_session_get_model (self->session);
  GstClipResult result = {
    .id = self->id,
    .model = clip_model_get_name (model),
    .labels = self->labels,
    .scores = self->scores,
    .order = self->order,
    .inference_pts = self->schedule.result_pts,
    .age = gst_clip_schedule_get_age (&self->schedule),
    .embedding = tuning->attach_embedding ? self->embedding : NULL,
    .dim = clip_model_get_embed_dim (model),
  };

  if (self->labels != NULL) {
    clip_labels_score (self->labels, self->embedding, tuning->score_mode,
        tuning->logit_scale, self->scores);
    result.n =
        clip_scores_rank (self->scores, clip_labels_get_n_labels (self->labels),
            tuning->threshold, tuning->top_k, self->order);
  }
  gst_clip_result_attach (&result, buffer);
  if (tuning->post_messages == GST_CLIP_POST_NONE || self->labels == NULL)
    return;
  if (is_news (self, &result) || tuning->post_messages == GST_CLIP_POST_ALL)
    gst_element_post_message (GST_ELEMENT (self),
        gst_clip_result_to_message (&result, GST_ELEMENT (self),
            &GST_BASE_TRANSFORM (self)->segment, buffer));
}

static void
count (GstClipFilter *self, GstClipDecision decision)
{
  GST_OBJECT_LOCK (self);
  self->stats.frames++;
  if (decision == GST_CLIP_REUSE)
    self->stats.reused++;
  else if (decision != GST_CLIP_LOOK)
    self->stats.skipped++;
  GST_OBJECT_UNLOCK (self);
}

static GstClipDecision
decide (GstClipFilter *self, GstBuffer *buffer, GstClockTime stream_time,
    const GstClipTuning *tuning)
{
  GstClockTime duration;

  GST_OBJECT_LOCK (self);
  duration = self->frame_duration;
  GST_OBJECT_UNLOCK (self);
  if (GST_BUFFER_IS_DISCONT (buffer))
    gst_clip_schedule_reset (&self->schedule);
  gst_clip_schedule_advance (&self->schedule, stream_time, duration,
      GST_BASE_TRANSFORM (self)->segment.rate);
  if (self->labels == NULL && !tuning->attach_embedding)
    return GST_CLIP_PASS;
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP))
    return GST_CLIP_PASS;
  return gst_clip_schedule_decide (&self->schedule, tuning,
      is_late (self, buffer));
}

static GstFlowReturn
gst_clip_filter_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);
  const GstClockTime stream_time =
      gst_clip_get_stream_time (&trans->segment, buffer);
  GstFlowReturn flow = gst_clip_session_wait (self->session);
  GstClipDecision decision;
  GstClipTuning tuning;

  if (flow != GST_FLOW_OK)
    return flow;
  if (GST_CLOCK_TIME_IS_VALID (stream_time))
    gst_object_sync_values (GST_OBJECT (self), stream_time);
  GST_OBJECT_LOCK (self);
  tuning = self->settings.tuning;
  GST_OBJECT_UNLOCK (self);
  take_labels (self);
  decision = decide (self, buffer, stream_time, &tuning);
  if (decision == GST_CLIP_LOOK)
    flow = look (self, buffer, &tuning);
  if (flow != GST_FLOW_OK)
    return flow;
  if (decision == GST_CLIP_PASS)
    gst_clip_result_detach (buffer, self->id);
  else
    report (self, buffer, &tuning);
  count (self, decision);
  return GST_FLOW_OK;
}

/* ----------------------------------------------------------------- class */

static void
gst_clip_filter_finalize (GObject *object)
{
  GstClipFilter *self = GST_CLIP_FILTER (object);

  gst_clip_session_free (self->session);
  gst_clip_settings_clear (&self->settings);
  G_OBJECT_CLASS (gst_clip_filter_parent_class)->finalize (object);
}

static void
gst_clip_filter_init (GstClipFilter *self)
{
  self->session = gst_clip_session_new (GST_ELEMENT (self));
  self->settings = *gst_clip_settings_get_defaults ();
  gst_clip_session_set_labels (self->session, &self->settings.label_spec);
  self->frame_duration = GST_CLOCK_TIME_NONE;
  reset (self);
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}

static void
gst_clip_filter_class_init (GstClipFilterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_clip_filter_set_property;
  object_class->get_property = gst_clip_filter_get_property;
  object_class->finalize = gst_clip_filter_finalize;
  gst_clip_settings_install (object_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "CLIP filter",
      "Filter/Analyzer/Video",
      "Scores video frames against labels in plain words", "gst-clip");
  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_clip_filter_change_state);

  trans_class->start = GST_DEBUG_FUNCPTR (gst_clip_filter_start);
  trans_class->stop = GST_DEBUG_FUNCPTR (gst_clip_filter_stop);
  trans_class->set_caps = GST_DEBUG_FUNCPTR (gst_clip_filter_set_caps);
  trans_class->sink_event = GST_DEBUG_FUNCPTR (gst_clip_filter_sink_event);
  trans_class->src_event = GST_DEBUG_FUNCPTR (gst_clip_filter_src_event);
  trans_class->query = GST_DEBUG_FUNCPTR (gst_clip_filter_query);
  trans_class->transform_ip = GST_DEBUG_FUNCPTR (gst_clip_filter_transform_ip);
}
