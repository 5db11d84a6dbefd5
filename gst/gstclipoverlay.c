/* gst-clip: search and tag video in plain words
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
/**
 * SECTION:element-clipoverlay
 * @title: clipoverlay
 * @short_description: Draws what clipfilter saw onto the video
 * @see_also: clipfilter, clipjson
 *
 * clipoverlay draws the labels that clipfilter attached to the frames
 * (#GstClipMeta), best first, each with its score in per cent and as a bar. On
 * frames without a result it also draws classifications of the whole frame
 * that other elements attached (GstAnalyticsClsMtd, GStreamer 1.24 and newer).
 * Frames without either pass untouched.
 *
 * The panel suits the picture: its size follows the frame's, its text stays
 * legible on any background, and it takes the image-orientation tag and the
 * pixel aspect ratio into account, so that it is upright and undistorted in a
 * player that honours them. Long labels are shortened, and where the frame is
 * small, fewer rows or only the bars are drawn. Labels are plain text in any
 * script that the installed fonts have.
 *
 * Where the elements downstream can draw overlays themselves, as most video
 * sinks can, the panel is attached to the frame (see
 * #GstVideoOverlayCompositionMeta) and the pixels stay as they are; otherwise
 * it is blended into them.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=video.mp4 ! decodebin ! clipfilter labels="a dog, a cat" ! clipoverlay ! videoconvert ! autovideosink
 * ]| Shows a recording with its labels.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=50 ! clipfilter labels="colour bars, a dog" ! clipoverlay position=bottom-right top-k=2 bar-color=0xffffb300 ! videoconvert ! jpegenc ! avimux ! filesink location=annotated.avi
 * ]| Writes an annotated video.
 *
 * Since: 0.1
 */

#include "gst/gstclipoverlay.h"

#include <gst/video/video.h>

#include "gst/gstclipelements.h"
#include "gst/gstclipoverlaycaps.h"
#include "gst/gstclipoverlaypanel.h"
#include "gst/gstclipoverlayrows.h"
#include "gst/gstclipoverlayview.h"

GST_DEBUG_CATEGORY_STATIC (gst_clip_overlay_debug);
#define GST_CAT_DEFAULT gst_clip_overlay_debug

#define BLEND_CAPS                                                             \
  GST_VIDEO_CAPS_MAKE (GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS)
#define ALL_CAPS BLEND_CAPS "; video/x-raw(ANY)"

#define DEFAULT_POSITION GST_CLIP_OVERLAY_POSITION_TOP_LEFT
#define DEFAULT_TOP_K 5
#define DEFAULT_THRESHOLD 0.0f
#define DEFAULT_FONT NULL
#define DEFAULT_TEXT_COLOR 0xffffffff
#define DEFAULT_BACKGROUND_COLOR 0xc0101418
#define DEFAULT_BAR_COLOR 0xff4fc3f7
#define DEFAULT_META_ID NULL

enum {
  PROP_0,
  PROP_POSITION,
  PROP_TOP_K,
  PROP_THRESHOLD,
  PROP_FONT,
  PROP_TEXT_COLOR,
  PROP_BACKGROUND_COLOR,
  PROP_BAR_COLOR,
  PROP_META_ID,
};

struct _GstClipOverlay {
  GstBaseTransform parent;

  /* under the object lock */
  GstClipOverlayStyle style;
  GstClipOverlayChoice choice;
  gboolean changed; /* style differs from what was painted */

  /* Set by downstream's RECONFIGURE, from any thread. */
  gint ask_again;
  /* Downstream does not draw overlays: blend. */
  gint refused;

  /* on the streaming thread */
  GstVideoInfo info;
  gboolean in_system_memory;
  gboolean ask; /* downstream, before the next frame goes out */
  gboolean attach;
  GstClipOverlayOrientation orientation;
  GstClipOverlayPanel *panel;
  GArray *rows; /* what composition shows, from where */
  GstClipOverlayView view;
  GstVideoOverlayComposition *composition;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (ALL_CAPS));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (ALL_CAPS));

G_DEFINE_TYPE_WITH_CODE (GstClipOverlay, gst_clip_overlay,
    GST_TYPE_BASE_TRANSFORM,
    GST_DEBUG_CATEGORY_INIT (gst_clip_overlay_debug, "clipoverlay", 0,
        "Labels and scores drawn onto video"));
GST_ELEMENT_REGISTER_DEFINE (clipoverlay, "clipoverlay", GST_RANK_NONE,
    GST_TYPE_CLIP_OVERLAY);

#define GST_TYPE_CLIP_OVERLAY_POSITION (gst_clip_overlay_position_get_type ())
static GType
gst_clip_overlay_position_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_CLIP_OVERLAY_POSITION_TOP_LEFT, "Upper left corner", "top-left" },
    { GST_CLIP_OVERLAY_POSITION_TOP, "Middle of the upper edge", "top" },
    { GST_CLIP_OVERLAY_POSITION_TOP_RIGHT, "Upper right corner", "top-right" },
    { GST_CLIP_OVERLAY_POSITION_BOTTOM_LEFT, "Lower left corner",
        "bottom-left" },
    { GST_CLIP_OVERLAY_POSITION_BOTTOM, "Middle of the lower edge", "bottom" },
    { GST_CLIP_OVERLAY_POSITION_BOTTOM_RIGHT, "Lower right corner",
        "bottom-right" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstClipOverlayPosition", values));
  return type;
}

static void
gst_clip_overlay_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstClipOverlay *self = GST_CLIP_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_POSITION:
      self->style.position = g_value_get_enum (value);
      break;
    case PROP_TOP_K:
      self->choice.top_k = g_value_get_uint (value);
      break;
    case PROP_THRESHOLD:
      self->choice.threshold = g_value_get_float (value);
      break;
    case PROP_FONT:
      g_free (self->style.font);
      self->style.font = g_value_dup_string (value);
      break;
    case PROP_TEXT_COLOR:
      self->style.text_color = g_value_get_uint (value);
      break;
    case PROP_BACKGROUND_COLOR:
      self->style.background_color = g_value_get_uint (value);
      break;
    case PROP_BAR_COLOR:
      self->style.bar_color = g_value_get_uint (value);
      break;
    case PROP_META_ID:
      g_free (self->choice.meta_id);
      self->choice.meta_id = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  self->changed = TRUE;
  GST_OBJECT_UNLOCK (self);
}

static void
gst_clip_overlay_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstClipOverlay *self = GST_CLIP_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_POSITION:
      g_value_set_enum (value, self->style.position);
      break;
    case PROP_TOP_K:
      g_value_set_uint (value, self->choice.top_k);
      break;
    case PROP_THRESHOLD:
      g_value_set_float (value, (gfloat) self->choice.threshold);
      break;
    case PROP_FONT:
      g_value_set_string (value, self->style.font);
      break;
    case PROP_TEXT_COLOR:
      g_value_set_uint (value, self->style.text_color);
      break;
    case PROP_BACKGROUND_COLOR:
      g_value_set_uint (value, self->style.background_color);
      break;
    case PROP_BAR_COLOR:
      g_value_set_uint (value, self->style.bar_color);
      break;
    case PROP_META_ID:
      g_value_set_string (value, self->choice.meta_id);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
forget_panel (GstClipOverlay *self)
{
  g_clear_pointer (&self->rows, g_array_unref);
  g_clear_pointer (&self->composition, gst_video_overlay_composition_unref);
}

static void
gst_clip_overlay_finalize (GObject *object)
{
  GstClipOverlay *self = GST_CLIP_OVERLAY (object);

  g_free (self->style.font);
  g_free (self->choice.meta_id);
  G_OBJECT_CLASS (gst_clip_overlay_parent_class)->finalize (object);
}

static gboolean
gst_clip_overlay_start (GstBaseTransform *base)
{
  GstClipOverlay *self = GST_CLIP_OVERLAY (base);

  self->panel = gst_clip_overlay_panel_new ();
  g_atomic_int_set (&self->refused, FALSE);
  gst_clip_overlay_orientation_reset (&self->orientation);
  return TRUE;
}

static gboolean
gst_clip_overlay_stop (GstBaseTransform *base)
{
  GstClipOverlay *self = GST_CLIP_OVERLAY (base);

  forget_panel (self);
  g_clear_pointer (&self->panel, gst_clip_overlay_panel_free);
  return TRUE;
}

static GstCaps *
gst_clip_overlay_transform_caps (GstBaseTransform *base,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *result = direction == GST_PAD_SINK
      ? gst_clip_overlay_caps_outputs (caps,
          g_atomic_int_get (&GST_CLIP_OVERLAY (base)->refused))
      : gst_clip_overlay_caps_inputs (caps);

  if (filter) {
    GstCaps *filtered =
        gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (result);
    result = filtered;
  }
  return result;
}

/* Attaching costs less than blending: prefers it. */
static GstCaps *
gst_clip_overlay_fixate_caps (GstBaseTransform *base, GstPadDirection direction,
    GstCaps *caps, GstCaps *othercaps)
{
  for (guint i = 0; i < gst_caps_get_size (othercaps); i++) {
    if (direction == GST_PAD_SINK
        && gst_clip_overlay_caps_have_overlays (othercaps, i)) {
      GstCaps *preferred = gst_caps_copy_nth (othercaps, i);

      gst_caps_unref (othercaps);
      return gst_caps_fixate (preferred);
    }
  }
  return gst_caps_fixate (othercaps);
}

static gboolean
gst_clip_overlay_set_caps (GstBaseTransform *base, GstCaps *incaps,
    GstCaps *outcaps)
{
  GstClipOverlay *self = GST_CLIP_OVERLAY (base);

  if (!gst_video_info_from_caps (&self->info, incaps))
    return FALSE;
  self->in_system_memory = gst_clip_overlay_caps_in_system_memory (incaps);
  self->ask = TRUE;
  return TRUE;
}

static gboolean
gst_clip_overlay_sink_event (GstBaseTransform *base, GstEvent *event)
{
  GstClipOverlay *self = GST_CLIP_OVERLAY (base);

  if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START) {
    gst_clip_overlay_orientation_reset (&self->orientation);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_TAG) {
    GstTagList *tags;

    gst_event_parse_tag (event, &tags);
    gst_clip_overlay_orientation_update (&self->orientation, tags);
  }
  return GST_BASE_TRANSFORM_CLASS (gst_clip_overlay_parent_class)
      ->sink_event (base, event);
}

static gboolean
gst_clip_overlay_src_event (GstBaseTransform *base, GstEvent *event)
{
  GstClipOverlay *self = GST_CLIP_OVERLAY (base);

  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE) {
    g_atomic_int_set (&self->refused, FALSE);
    g_atomic_int_set (&self->ask_again, TRUE);
  }
  return GST_BASE_TRANSFORM_CLASS (gst_clip_overlay_parent_class)
      ->src_event (base, event);
}

/* Finds out whether downstream draws overlays: only its answer to ALLOCATION
 * says so, many elements let any caps pass. If it does not, the caps that go
 * out lose the promise of overlays. */
static void
ask_downstream (GstClipOverlay *self)
{
  GstPad *srcpad = GST_BASE_TRANSFORM_SRC_PAD (self);
  GstPad *sinkpad = GST_BASE_TRANSFORM_SINK_PAD (self);
  GstCaps *caps = gst_pad_get_current_caps (srcpad);
  GstCaps *incaps = gst_pad_get_current_caps (sinkpad);
  gboolean promised;

  g_atomic_int_set (&self->ask_again, FALSE);
  self->ask = FALSE;
  self->attach = FALSE;
  promised = caps && gst_clip_overlay_caps_have_overlays (caps, 0);
  if (promised) {
    GstQuery *query = gst_query_new_allocation (caps, FALSE);

    self->attach = gst_pad_peer_query (srcpad, query)
        && gst_query_find_allocation_meta (query,
            GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    gst_query_unref (query);
  }
  if (!self->in_system_memory) {
    self->attach = TRUE;
  } else if (promised && !self->attach) {
    g_atomic_int_set (&self->refused, TRUE);
    if (incaps && !gst_caps_is_equal (caps, incaps))
      gst_base_transform_update_src_caps (GST_BASE_TRANSFORM (self), incaps);
  }
  GST_DEBUG_OBJECT (self, "%s the panel",
      self->attach ? "attaching" : "blending");
  gst_clear_caps (&caps);
  gst_clear_caps (&incaps);
}

/* Brings self->composition up to date with @rows, which it takes, and @view;
 * it is NULL where nothing is to be drawn. */
static void
update_composition (GstClipOverlay *self, GArray *rows,
    const GstClipOverlayView *view)
{
  GstVideoOverlayRectangle *rectangle;
  GstClipOverlayStyle style;
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->changed;
  self->changed = FALSE;
  style = self->style;
  style.font = g_strdup (style.font);
  GST_OBJECT_UNLOCK (self);

  if (!changed && self->rows && gst_clip_overlay_rows_equal (self->rows, rows)
      && gst_clip_overlay_views_equal (&self->view, view)) {
    g_array_unref (rows);
    g_free (style.font);
    return;
  }

  forget_panel (self);
  self->rows = rows;
  self->view = *view;
  rectangle = gst_clip_overlay_panel_paint (self->panel, &style, view, rows);
  if (rectangle) {
    self->composition = gst_video_overlay_composition_new (rectangle);
    gst_video_overlay_rectangle_unref (rectangle);
  }
  g_free (style.font);
}

static GArray *
collect_rows (GstClipOverlay *self, GstBuffer *buffer)
{
  GstClipOverlayChoice choice;
  GArray *rows;

  GST_OBJECT_LOCK (self);
  choice = self->choice;
  choice.meta_id = g_strdup (choice.meta_id);
  GST_OBJECT_UNLOCK (self);
  rows = gst_clip_overlay_rows_new (buffer, &choice);
  g_free (choice.meta_id);
  return rows;
}

/* Takes @buffer; the panel comes on top of what others attached. */
static GstBuffer *
attach (GstClipOverlay *self, GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta;

  buffer = gst_buffer_make_writable (buffer);
  meta = gst_buffer_get_video_overlay_composition_meta (buffer);
  if (meta) {
    GstVideoOverlayComposition *both =
        gst_video_overlay_composition_copy (meta->overlay);

    gst_video_overlay_composition_add_rectangle (both,
        gst_video_overlay_composition_get_rectangle (self->composition, 0));
    gst_video_overlay_composition_unref (meta->overlay);
    meta->overlay = both;
  } else {
    gst_buffer_add_video_overlay_composition_meta (buffer, self->composition);
  }
  return buffer;
}

/* Takes @buffer. */
static GstFlowReturn
blend (GstClipOverlay *self, GstBuffer *buffer, GstBuffer **outbuf)
{
  GstVideoFrame frame;

  *outbuf = gst_buffer_make_writable (buffer);
  if (!gst_video_frame_map (&frame, &self->info, *outbuf,
          GST_MAP_READWRITE | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)) {
    GST_ELEMENT_ERROR (self, STREAM, FAILED,
        ("Cannot draw labels onto the video: a frame cannot be written to."),
        ("mapping %" GST_PTR_FORMAT " failed", *outbuf));
    return GST_FLOW_ERROR;
  }
  gst_video_overlay_composition_blend (self->composition, &frame);
  gst_video_frame_unmap (&frame);
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_clip_overlay_generate_output (GstBaseTransform *base, GstBuffer **outbuf)
{
  GstClipOverlay *self = GST_CLIP_OVERLAY (base);
  GstBuffer *buffer = g_steal_pointer (&base->queued_buf);
  GstFlowReturn flow = GST_FLOW_OK;
  GstClipOverlayView view;

  *outbuf = buffer;
  if (!buffer)
    return GST_FLOW_OK;
  if (self->ask || g_atomic_int_get (&self->ask_again))
    ask_downstream (self);

  gst_clip_overlay_view_init (&view, &self->info, &self->orientation, buffer);
  update_composition (self, collect_rows (self, buffer), &view);
  if (!self->composition)
    return GST_FLOW_OK;

  if (self->attach)
    *outbuf = attach (self, buffer);
  else
    flow = blend (self, buffer, outbuf);
  /* Where there was silence there is a panel now. */
  GST_BUFFER_FLAG_UNSET (*outbuf, GST_BUFFER_FLAG_GAP);
  return flow;
}

static void
install_color (GObjectClass *object_class, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb, guint default_value)
{
  g_object_class_install_property (object_class, id,
      g_param_spec_uint (name, nick, blurb, 0, G_MAXUINT32, default_value,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
              | GST_PARAM_MUTABLE_PLAYING));
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  /**
   * GstClipOverlay:position:
   *
   * Where the panel lies on the displayed picture.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_POSITION,
      g_param_spec_enum ("position", "Position",
          "Where the panel lies on the displayed picture",
          GST_TYPE_CLIP_OVERLAY_POSITION, DEFAULT_POSITION, flags));

  /**
   * GstClipOverlay:top-k:
   *
   * How many labels to draw, best first. 0 draws all that fit.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_TOP_K,
      g_param_spec_uint ("top-k", "Top k",
          "Draw this many labels, best first (0: all that fit)", 0, G_MAXUINT,
          DEFAULT_TOP_K, flags));

  /**
   * GstClipOverlay:threshold:
   *
   * Labels with a lower score are not drawn.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_THRESHOLD,
      g_param_spec_float ("threshold", "Threshold",
          "Do not draw labels with a score lower than this", -1.0f, 1.0f,
          DEFAULT_THRESHOLD, flags));

  /**
   * GstClipOverlay:font:
   *
   * Pango description of the font, such as "Noto Sans Condensed" or "Serif
   * 24". A size counts in pixels of the displayed picture; without one the
   * text follows the frame's size.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_FONT,
      g_param_spec_string ("font", "Font",
          "Pango description of the font, such as \"Serif 24\"; a size counts "
          "in pixels of the picture, without one it follows the frame's "
          "(NULL: sans serif)",
          DEFAULT_FONT, flags));

  /**
   * GstClipOverlay:text-color:
   *
   * Colour of the text, 0xAARRGGBB.
   *
   * Since: 0.1
   */
  install_color (object_class, PROP_TEXT_COLOR, "text-color", "Text colour",
      "Colour of the text, 0xAARRGGBB (default 0xffffffff)",
      DEFAULT_TEXT_COLOR);

  /**
   * GstClipOverlay:background-color:
   *
   * Colour of the panel, 0xAARRGGBB. Where it lets much of the picture
   * through, the text gets an outline.
   *
   * Since: 0.1
   */
  install_color (object_class, PROP_BACKGROUND_COLOR, "background-color",
      "Background colour",
      "Colour of the panel, 0xAARRGGBB (default 0xc0101418); where it is "
      "nearly transparent, the "
      "text gets an outline",
      DEFAULT_BACKGROUND_COLOR);

  /**
   * GstClipOverlay:bar-color:
   *
   * Colour of the bars, 0xAARRGGBB.
   *
   * Since: 0.1
   */
  install_color (object_class, PROP_BAR_COLOR, "bar-color", "Bar colour",
      "Colour of the bars, 0xAARRGGBB (default 0xff4fc3f7)", DEFAULT_BAR_COLOR);

  /**
   * GstClipOverlay:meta-id:
   *
   * The clipfilter (its `meta-id`, by default its name) whose results to
   * draw. %NULL: those of all.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_META_ID,
      g_param_spec_string ("meta-id", "Meta ID",
          "Draw only the results of the clipfilter with this meta-id, by "
          "default its name (NULL: of all)",
          DEFAULT_META_ID, flags));
}

static void
gst_clip_overlay_class_init (GstClipOverlayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *base_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_clip_overlay_set_property;
  object_class->get_property = gst_clip_overlay_get_property;
  object_class->finalize = gst_clip_overlay_finalize;
  install_properties (object_class);

  gst_element_class_set_static_metadata (element_class, "CLIP overlay",
      "Filter/Effect/Video",
      "Draws the labels and scores that clipfilter attached to the frames",
      "gst-clip");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_type_mark_as_plugin_api (GST_TYPE_CLIP_OVERLAY_POSITION, 0);

  base_class->start = GST_DEBUG_FUNCPTR (gst_clip_overlay_start);
  base_class->stop = GST_DEBUG_FUNCPTR (gst_clip_overlay_stop);
  base_class->transform_caps =
      GST_DEBUG_FUNCPTR (gst_clip_overlay_transform_caps);
  base_class->fixate_caps = GST_DEBUG_FUNCPTR (gst_clip_overlay_fixate_caps);
  base_class->set_caps = GST_DEBUG_FUNCPTR (gst_clip_overlay_set_caps);
  base_class->sink_event = GST_DEBUG_FUNCPTR (gst_clip_overlay_sink_event);
  base_class->src_event = GST_DEBUG_FUNCPTR (gst_clip_overlay_src_event);
  base_class->generate_output =
      GST_DEBUG_FUNCPTR (gst_clip_overlay_generate_output);
}

static void
gst_clip_overlay_init (GstClipOverlay *self)
{
  self->style.position = DEFAULT_POSITION;
  self->style.font = g_strdup (DEFAULT_FONT);
  self->style.text_color = DEFAULT_TEXT_COLOR;
  self->style.background_color = DEFAULT_BACKGROUND_COLOR;
  self->style.bar_color = DEFAULT_BAR_COLOR;
  self->choice.top_k = DEFAULT_TOP_K;
  self->choice.threshold = DEFAULT_THRESHOLD;
  self->choice.meta_id = g_strdup (DEFAULT_META_ID);
  gst_clip_overlay_orientation_reset (&self->orientation);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), FALSE);
  gst_base_transform_set_gap_aware (GST_BASE_TRANSFORM (self), TRUE);
}
