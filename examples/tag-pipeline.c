/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples/tag-pipeline.h"

#include "gst/gstclipmeta.h"

/* In order of preference: what makes the smaller and better file first. */
static const struct {
  const gchar *encoder, *package;
  const gchar *branch; /* the encoder with its settings, its parser */
  const gchar *mux, *extension;
  const gchar *audio[3];
} formats[] = {
  { "x264enc", "gstreamer1.0-plugins-ugly",
      "x264enc speed-preset=veryfast pass=qual quantizer=23 ! h264parse",
      "mp4mux", "mp4", { "avenc_aac", "fdkaacenc", "voaacenc" } },
  { "openh264enc", "gstreamer1.0-plugins-bad",
      "openh264enc bitrate=4000000 complexity=low ! h264parse", "mp4mux", "mp4",
      { "avenc_aac", "fdkaacenc", "voaacenc" } },
  { "vp8enc", "gstreamer1.0-plugins-good",
      "vp8enc deadline=1 cpu-used=8 target-bitrate=4000000", "webmmux", "webm",
      { "opusenc", "vorbisenc", NULL } },
};

static const struct {
  const gchar *element, *package;
} needed[] = {
  { "clipfilter", NULL },
  { "clipjson", NULL },
  { "clipoverlay", NULL },
  { "uridecodebin", "gstreamer1.0-plugins-base" },
  { "videoconvert", "gstreamer1.0-plugins-base" },
  { "videocrop", "gstreamer1.0-plugins-good" },
  { "videoflip", "gstreamer1.0-plugins-good" },
};

static gboolean
have_element (const gchar *name)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

  return factory != NULL;
}

static gboolean
check_elements (GError **error)
{
  if (!have_element ("clipfilter"))
    gst_registry_scan_path (gst_registry_get (), CLIP_PLUGINS_DIR);
  for (guint i = 0; i < G_N_ELEMENTS (needed); i++) {
    if (have_element (needed[i].element))
      continue;
    if (needed[i].package)
      g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
          "the element %s is missing; Debian has it in %s", needed[i].element,
          needed[i].package);
    else
      g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
          "the element %s is missing: libgstclip.so was found neither in %s "
          "nor in GST_PLUGIN_PATH",
          needed[i].element, CLIP_PLUGINS_DIR);
    return FALSE;
  }
  return TRUE;
}

static gint
choose_format (GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (have_element (formats[i].encoder) && have_element (formats[i].mux))
      return (gint) i;
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
      "no video encoder is installed; Debian has x264enc in %s",
      formats[0].package);
  return -1;
}

static GstPadProbeReturn
count_frame (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  TagSeen *seen = user_data;
  const GstStructure *meta =
      gst_clip_meta_find (GST_PAD_PROBE_INFO_BUFFER (info), NULL);
  const gchar *top = gst_clip_meta_get_n_labels (meta) > 0
      ? gst_clip_meta_get_label (meta, 0)
      : NULL;
  TagTop *entry;

  g_mutex_lock (&seen->lock);
  seen->frames++;
  g_free (seen->last_top);
  seen->last_top = g_strdup (top);
  if (top) {
    seen->last_score = gst_clip_meta_get_score (meta, 0);
    entry = g_hash_table_lookup (seen->tops, top);
    if (!entry) {
      entry = g_new0 (TagTop, 1);
      g_hash_table_insert (seen->tops, g_strdup (top), entry);
    }
    entry->frames++;
    entry->score_sum += seen->last_score;
  }
  g_mutex_unlock (&seen->lock);
  return GST_PAD_PROBE_OK;
}

/* H.264 with halved chroma has no odd sizes: the last row or column goes. */
static GstPadProbeReturn
crop_to_even (GstPad *pad, GstPadProbeInfo *info, gpointer crop)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstCaps *caps;
  gint width, height;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (event, &caps);
  if (gst_structure_get (gst_caps_get_structure (caps, 0), "width", G_TYPE_INT,
          &width, "height", G_TYPE_INT, &height, NULL))
    g_object_set (crop, "right", width > 1 ? width % 2 : 0, "bottom",
        height > 1 ? height % 2 : 0, NULL);
  return GST_PAD_PROBE_OK;
}

/* Frames that were scored go on; the next one becomes the end of the stream. */
static GstPadProbeReturn
end_when_asked (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  TagPipeline *self = user_data;

  if (!g_atomic_int_get (&self->ending))
    return GST_PAD_PROBE_OK;
  gst_pad_send_event (pad, gst_event_new_eos ());
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_EOS;
  return GST_PAD_PROBE_HANDLED;
}

/* The queue has no limit: the video encoder looks ahead, and would wait for
 * frames that the demuxer cannot give while audio is stuck. An early end cuts
 * behind it, or the sound would go on after the picture. */
static gboolean
add_audio_branch (TagPipeline *self, GstPad *pad)
{
  g_autofree gchar *launch =
      g_strdup_printf ("queue max-size-buffers=0 max-size-bytes=0 "
                       "max-size-time=0 "
                       "! audioconvert name=convert ! audioresample ! %s",
          self->audio_encoder);
  GstElement *branch = gst_parse_bin_from_description (launch, TRUE, NULL);
  g_autoptr (GstElement) convert = NULL;
  g_autoptr (GstPad) entry = NULL, behind_queue = NULL;

  if (!branch)
    return FALSE;
  gst_bin_add (GST_BIN (self->pipeline), branch);
  convert = gst_bin_get_by_name (GST_BIN (branch), "convert");
  behind_queue = gst_element_get_static_pad (convert, "sink");
  gst_pad_add_probe (behind_queue, GST_PAD_PROBE_TYPE_BUFFER, end_when_asked,
      self, NULL);
  entry = gst_element_get_static_pad (branch, "sink");
  self->audio_linked = gst_element_link (branch, self->mux)
      && gst_pad_link (pad, entry) == GST_PAD_LINK_OK
      && gst_element_sync_state_with_parent (branch);
  return self->audio_linked;
}

static void
link_decoded (GstElement *decoder, GstPad *pad, gpointer user_data)
{
  TagPipeline *self = user_data;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const gchar *type;

  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  type = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  if (g_str_equal (type, "video/x-raw") && !self->video_linked)
    self->video_linked =
        gst_pad_link (pad, self->video_entry) == GST_PAD_LINK_OK;
  else if (g_str_equal (type, "audio/x-raw") && self->audio_encoder
      && !self->audio_linked && !add_audio_branch (self, pad))
    GST_ELEMENT_WARNING (self->pipeline, STREAM, ENCODE,
        ("The sound could not be kept."), (NULL));
}

/* A file without pictures would otherwise end in silence. */
static void
check_video (GstElement *decoder, gpointer user_data)
{
  TagPipeline *self = user_data;

  if (!self->video_linked)
    GST_ELEMENT_ERROR (decoder, STREAM, WRONG_TYPE,
        ("There is no video in this file."), (NULL));
}

static void
configure (TagPipeline *self, const TagParams *params)
{
  g_autoptr (GstElement) filter =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "filter");
  g_autoptr (GstElement) json =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "json");
  g_autoptr (GstElement) decoder =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "decoder");
  g_autoptr (GstElement) entry =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "entry");
  g_autoptr (GstElement) file =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "file");
  g_autoptr (GstCaps) caps = gst_caps_from_string ("video/x-raw; audio/x-raw");
  g_autoptr (GstElement) even =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "even");
  g_autoptr (GstPad) uncropped = gst_element_get_static_pad (even, "sink");
  g_autoptr (GstPad) scored = gst_element_get_static_pad (filter, "src");

  self->mux = gst_bin_get_by_name (GST_BIN (self->pipeline), "mux");
  self->video_entry = gst_element_get_static_pad (entry, "sink");
  g_object_set (filter, "model", params->model, "labels", params->labels,
      "labels-file", params->labels_file, NULL);
  g_object_set (json, "location", params->json_location, NULL);
  g_object_set (file, "location", self->video_location, NULL);
  g_object_set (decoder, "uri", params->uri, "caps", caps, NULL);
  g_signal_connect (decoder, "pad-added", G_CALLBACK (link_decoded), self);
  g_signal_connect (decoder, "no-more-pads", G_CALLBACK (check_video), self);
  gst_pad_add_probe (uncropped, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      crop_to_even, even, NULL);
  gst_pad_add_probe (self->video_entry, GST_PAD_PROBE_TYPE_BUFFER,
      end_when_asked, self, NULL);
  gst_pad_add_probe (scored, GST_PAD_PROBE_TYPE_BUFFER, count_frame,
      &self->seen, NULL);
}

gboolean
tag_pipeline_init (TagPipeline *self, const TagParams *params, GError **error)
{
  g_autofree gchar *launch = NULL;
  gint format;

  *self = (TagPipeline){ NULL };
  g_mutex_init (&self->seen.lock);
  self->seen.tops =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!check_elements (error) || (format = choose_format (error)) < 0)
    return FALSE;
  for (guint i = 0; !self->audio_encoder && i < G_N_ELEMENTS (formats[0].audio);
       i++)
    if (formats[format].audio[i] && have_element (formats[format].audio[i]))
      self->audio_encoder = formats[format].audio[i];
  self->video_location = g_strdup_printf ("%s.%s", params->video_location_stem,
      formats[format].extension);
  launch = g_strdup_printf (
      "uridecodebin name=decoder "
      "videoconvert name=entry ! clipfilter name=filter ! clipjson name=json "
      "! queue max-size-buffers=8 max-size-bytes=0 max-size-time=0 "
      "! videocrop name=even ! videoconvert ! videoflip video-direction=auto "
      "! clipoverlay "
      "! videoconvert ! %s ! %s name=mux ! filesink name=file",
      formats[format].branch, formats[format].mux);
  self->pipeline =
      gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!self->pipeline)
    return FALSE;
  configure (self, params);
  return TRUE;
}

void
tag_pipeline_clear (TagPipeline *self)
{
  if (self->pipeline)
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
  g_clear_pointer (&self->video_entry, gst_object_unref);
  g_clear_pointer (&self->mux, gst_object_unref);
  g_clear_pointer (&self->pipeline, gst_object_unref);
  g_clear_pointer (&self->video_location, g_free);
  g_clear_pointer (&self->seen.tops, g_hash_table_unref);
  g_clear_pointer (&self->seen.last_top, g_free);
  g_mutex_clear (&self->seen.lock);
}

void
tag_pipeline_end_early (TagPipeline *self)
{
  g_atomic_int_set (&self->ending, TRUE);
}
