/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clipoverlay: what is drawn, where, and what is left alone.
 */
#include <math.h>
#include <string.h>

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "tests/gst/result.h"

/* What text must reach against its surroundings on any picture (WCAG AAA). */
#define LEAST_CONTRAST 7.0

static const gchar *const animals[] = { "a dog", "a cat" };
static const gfloat animal_scores[] = { 0.75f, 0.25f };

static GstCaps *
video_caps (GstVideoFormat format, gint width, gint height)
{
  return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING,
      gst_video_format_to_string (format), "width", G_TYPE_INT, width, "height",
      G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 25, 1, NULL);
}

static GstHarness *
new_harness (GstVideoFormat format, gint width, gint height)
{
  GstHarness *h = gst_harness_new ("clipoverlay");

  gst_harness_set_src_caps (h, video_caps (format, width, height));
  return h;
}

/* A frame whose every byte is @level. */
static GstBuffer *
new_frame (GstVideoFormat format, gint width, gint height, guint8 level)
{
  GstVideoInfo info;
  GstBuffer *buffer;

  fail_unless (gst_video_info_set_format (&info, format, width, height));
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, level, info.size);
  GST_BUFFER_PTS (buffer) = 0;
  return buffer;
}

static void
attach_animals (GstBuffer *buffer, const gchar *id)
{
  attach_result (buffer, id, 2, animals, animal_scores);
}

/* The bounds of what is not @level any more, per pixel of @pixel_size bytes;
 * 0 wide where nothing changed. */
static GstVideoRectangle
changed_bounds (GstBuffer *buffer, gint width, gint height, gint pixel_size,
    guint8 level)
{
  gint stride = GST_ROUND_UP_4 (width * pixel_size);
  gint left = width, top = height, right = 0, bottom = 0;
  GstVideoRectangle bounds = { 0, 0, 0, 0 };
  guint8 *untouched = g_malloc (stride);
  GstMapInfo map;

  memset (untouched, level, stride);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (gint y = 0; y < height; y++) {
    const guint8 *line = map.data + (gsize) y * stride;

    if (memcmp (line, untouched, width * pixel_size) == 0)
      continue;
    top = MIN (top, y);
    bottom = y + 1;
    for (gint x = 0; x < width * pixel_size; x++) {
      if (line[x] != level) {
        left = MIN (left, x / pixel_size);
        right = MAX (right, x / pixel_size + 1);
      }
    }
  }
  g_free (untouched);
  gst_buffer_unmap (buffer, &map);
  if (right > left)
    bounds = (GstVideoRectangle){ left, top, right - left, bottom - top };
  return bounds;
}

/* Pushes an animal frame of GRAY8 and returns the bounds of what was drawn. */
static GstVideoRectangle
drawn_bounds (GstHarness *h, gint width, gint height)
{
  GstBuffer *buffer = new_frame (GST_VIDEO_FORMAT_GRAY8, width, height, 0x80);
  GstVideoRectangle bounds;

  attach_animals (buffer, "clip");
  buffer = gst_harness_push_and_pull (h, buffer);
  bounds = changed_bounds (buffer, width, height, 1, 0x80);
  gst_buffer_unref (buffer);
  return bounds;
}

static GstBuffer *
animal_frame (GstVideoFormat format, gint width, gint height, guint8 level)
{
  GstBuffer *buffer = new_frame (format, width, height, level);

  attach_animals (buffer, "clip");
  return buffer;
}

/* @buffer comes out as it is, although others hold it too. */
static void
assert_untouched (GstHarness *h, GstBuffer *buffer)
{
  GstBuffer *out;

  gst_buffer_ref (buffer);
  out = gst_harness_push_and_pull (h, buffer);
  fail_unless (out == buffer);
  gst_buffer_unref (out);
  gst_buffer_unref (buffer);
}

GST_START_TEST (test_nothing_to_draw)
{
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_I420, 320, 240);
  GstBuffer *frame = new_frame (GST_VIDEO_FORMAT_I420, 320, 240, 0);
  const gfloat not_a_number = NAN;

  assert_untouched (h, frame);

  frame = new_frame (GST_VIDEO_FORMAT_I420, 320, 240, 0);
  attach_result (frame, "clip", 0, NULL, NULL);
  assert_untouched (h, frame);

  frame = new_frame (GST_VIDEO_FORMAT_I420, 320, 240, 0);
  attach_result (frame, "clip", 1, animals, &not_a_number);
  assert_untouched (h, frame);

  g_object_set (h->element, "threshold", 0.8f, NULL);
  assert_untouched (h, animal_frame (GST_VIDEO_FORMAT_I420, 320, 240, 0));
  g_object_set (h->element, "threshold", 0.0f, "meta-id", "other", NULL);
  assert_untouched (h, animal_frame (GST_VIDEO_FORMAT_I420, 320, 240, 0));
  gst_harness_teardown (h);

  h = new_harness (GST_VIDEO_FORMAT_RGB, 1, 1);
  assert_untouched (h, animal_frame (GST_VIDEO_FORMAT_RGB, 1, 1, 0));
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Others who hold the frame do not see the panel. */
GST_START_TEST (test_shared_frame_is_copied)
{
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, 320, 240);
  GstBuffer *frame = animal_frame (GST_VIDEO_FORMAT_GRAY8, 320, 240, 0x80);
  GstBuffer *out;

  GST_BUFFER_FLAG_SET (frame, GST_BUFFER_FLAG_GAP);
  out = gst_harness_push_and_pull (h, gst_buffer_ref (frame));
  fail_unless (changed_bounds (out, 320, 240, 1, 0x80).w > 0);
  fail_unless_equals_int (changed_bounds (frame, 320, 240, 1, 0x80).w, 0);
  fail_unless (gst_clip_meta_find (out, "clip") != NULL);
  fail_if (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_GAP));
  gst_buffer_unref (out);
  gst_buffer_unref (frame);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_position)
{
  static const struct {
    const gchar *name;
    gint horizontal, vertical; /* -1: left, top; 1: right, bottom */
  } positions[] = { { "top-left", -1, -1 }, { "top", 0, -1 },
    { "top-right", 1, -1 }, { "bottom-left", -1, 1 }, { "bottom", 0, 1 },
    { "bottom-right", 1, 1 } };
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, 1280, 720);

  for (guint i = 0; i < G_N_ELEMENTS (positions); i++) {
    GstVideoRectangle bounds;
    gint left, right, top, bottom;

    gst_util_set_object_arg (G_OBJECT (h->element), "position",
        positions[i].name);
    bounds = drawn_bounds (h, 1280, 720);
    fail_unless (bounds.w > 150 && bounds.w < 500);
    fail_unless (bounds.h > 60 && bounds.h < 240);
    left = bounds.x;
    right = 1280 - bounds.x - bounds.w;
    top = bounds.y;
    bottom = 720 - bounds.y - bounds.h;
    fail_unless (left > 0 && right > 0 && top > 0 && bottom > 0);
    fail_unless_equals_int ((left > right + 2) - (left < right - 2),
        positions[i].horizontal);
    fail_unless_equals_int ((top > bottom) - (top < bottom),
        positions[i].vertical);
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

static gdouble
luminance (const guint8 *rgb)
{
  static const gdouble weights[] = { 0.2126, 0.7152, 0.0722 };
  gdouble sum = 0;

  for (guint i = 0; i < 3; i++) {
    gdouble c = rgb[i] / 255.0;

    sum += weights[i]
        * (c <= 0.03928 ? c / 12.92 : pow ((c + 0.055) / 1.055, 2.4));
  }
  return sum;
}

/* The contrast of the text's core with the panel that surrounds it. */
GST_START_TEST (test_contrast)
{
  const gint width = 640, height = 360;
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_RGB, width, height);

  for (gint level = 0; level <= 255; level += 51) {
    GstBuffer *out = gst_harness_push_and_pull (h,
        animal_frame (GST_VIDEO_FORMAT_RGB, width, height, (guint8) level));
    GstVideoRectangle bounds =
        changed_bounds (out, width, height, 3, (guint8) level);
    gdouble panel, text = 0, contrast;
    GstMapInfo map;

    fail_unless (bounds.w > 0);
    gst_buffer_map (out, &map, GST_MAP_READ);
    panel = luminance (map.data
        + 3 * ((bounds.y + bounds.h / 2) * width + bounds.x + 4));
    /* The upper quarter holds the first label. */
    for (gint y = bounds.y; y < bounds.y + bounds.h / 3; y++)
      for (gint x = bounds.x; x < bounds.x + bounds.w; x++)
        text = MAX (text, luminance (map.data + 3 * (y * width + x)));
    gst_buffer_unmap (out, &map);
    contrast = (text + 0.05) / (panel + 0.05);
    GST_INFO ("on %d: %.1f", level, contrast);
    fail_unless (contrast >= LEAST_CONTRAST, "%.1f on %d", contrast, level);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Bars as long as the scores: counted in the bar's own colour. */
GST_START_TEST (test_bars)
{
  const gint width = 1280, height = 720;
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_RGB, width, height);
  static const gfloat scores[] = { 1.0f, 0.5f, 0.25f, 0.0f };
  static const gchar *const labels[] = { "a", "b", "c", "d" };
  gint lengths[4] = { 0 };
  guint n_bars = 0;
  gboolean in_bar = FALSE;
  GstMapInfo map;
  GstBuffer *out = new_frame (GST_VIDEO_FORMAT_RGB, width, height, 0x40);

  g_object_set (h->element, "bar-color", 0xffff0000, NULL);
  attach_result (out, "clip", 4, labels, scores);
  out = gst_harness_push_and_pull (h, out);
  gst_buffer_map (out, &map, GST_MAP_READ);
  for (gint y = 0; y < height; y++) {
    gint n = 0;

    for (gint x = 0; x < width; x++) {
      const guint8 *rgb = map.data + 3 * (y * width + x);

      n += rgb[0] > 0xf0 && rgb[1] < 0x10 && rgb[2] < 0x10;
    }
    if (n > 0 && !in_bar)
      fail_unless (n_bars++ < 4);
    in_bar = n > 0;
    if (in_bar)
      lengths[n_bars - 1] = MAX (lengths[n_bars - 1], n);
  }
  gst_buffer_unmap (out, &map);
  fail_unless_equals_int (n_bars, 3);
  fail_unless (ABS (lengths[1] - lengths[0] / 2) <= 2);
  fail_unless (ABS (lengths[2] - lengths[0] / 4) <= 2);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_top_k_and_threshold)
{
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, 640, 480);
  gint both = drawn_bounds (h, 640, 480).h, one;

  g_object_set (h->element, "top-k", 1, NULL);
  one = drawn_bounds (h, 640, 480).h;
  fail_unless (one < both);
  g_object_set (h->element, "top-k", 0, "threshold", 0.5f, NULL);
  fail_unless_equals_int (drawn_bounds (h, 640, 480).h, one);
  g_object_set (h->element, "threshold", 0.25f, NULL);
  fail_unless_equals_int (drawn_bounds (h, 640, 480).h, both);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_several_filters)
{
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, 640, 480);
  gint one = drawn_bounds (h, 640, 480).h;
  GstBuffer *frame = animal_frame (GST_VIDEO_FORMAT_GRAY8, 640, 480, 0x80);
  GstBuffer *out;

  attach_label (frame, "weather", "sunny", 0.5f);
  out = gst_harness_push_and_pull (h, gst_buffer_ref (frame));
  fail_unless (changed_bounds (out, 640, 480, 1, 0x80).h > one * 3 / 2);
  gst_buffer_unref (out);
  /* One of them alone needs no header. */
  g_object_set (h->element, "meta-id", "clip", NULL);
  out = gst_harness_push_and_pull (h, frame);
  fail_unless_equals_int (changed_bounds (out, 640, 480, 1, 0x80).h, one);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* Every format there is, one after the other, in sizes that suit no
 * subsampling. */
GST_START_TEST (test_formats)
{
  static const gint sizes[][2] = { { 161, 101 }, { 33, 17 } };
  GstHarness *h = gst_harness_new ("clipoverlay");
  const GstVideoFormat *formats;
  guint n_formats, n_drawn = 0;

  formats = gst_video_formats_raw (&n_formats);
  for (guint i = 0; i < n_formats; i++) {
    GstVideoFormat f = formats[i];
    const gchar *name = gst_video_format_to_string (f);

    if (!strstr (GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS, name))
      continue;

    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
      gint width = sizes[s][0], height = sizes[s][1];
      GstBuffer *plain = new_frame (f, width, height, 0x80);
      GstBuffer *out;
      GstMapInfo map;

      gst_harness_set_src_caps (h, video_caps (f, width, height));
      out =
          gst_harness_push_and_pull (h, animal_frame (f, width, height, 0x80));
      fail_unless (out != NULL, "%s", name);
      gst_buffer_map (plain, &map, GST_MAP_READ);
      fail_unless (gst_buffer_memcmp (out, 0, map.data, map.size) != 0,
          "%s %dx%d", name, width, height);
      gst_buffer_unmap (plain, &map);
      gst_buffer_unref (plain);
      gst_buffer_unref (out);
      n_drawn++;
    }
  }
  gst_harness_teardown (h);
  fail_unless (n_drawn > 2 * 60);
}
GST_END_TEST;

GST_START_TEST (test_sizes)
{
  static const gint sizes[][2] = { { 1, 1 }, { 1, 4000 }, { 4000, 1 },
    { 15, 15 }, { 16, 16 }, { 17, 31 }, { 40, 30 }, { 16, 4096 }, { 4096, 16 },
    { 100, 1000 }, { 7680, 4320 } };
  gint last = -1;

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
    gint width = sizes[s][0], height = sizes[s][1];
    GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, width, height);
    GstVideoRectangle bounds = drawn_bounds (h, width, height);

    fail_unless_equals_int (bounds.w > 0, MIN (width, height) >= 16);
    last = bounds.h;
    gst_harness_teardown (h);
  }
  /* It grows with the frame. */
  fail_unless (last > 400);
}
GST_END_TEST;

GST_START_TEST (test_padded_frame_and_crop)
{
  const gint width = 400, height = 300, stride = 640, lines = 480;
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, width, height);
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
  gint strides[GST_VIDEO_MAX_PLANES] = { stride };
  GstVideoRectangle plain = drawn_bounds (h, width, height), bounds;
  GstVideoCropMeta *crop;
  GstBuffer *out;

  out = gst_buffer_new_allocate (NULL, stride * lines, NULL);
  gst_buffer_memset (out, 0, 0x80, stride * lines);
  gst_buffer_add_video_meta_full (out, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_GRAY8, stride, lines, 1, offsets, strides);
  crop = gst_buffer_add_video_crop_meta (out);
  crop->x = 30;
  crop->y = 50;
  crop->width = width;
  crop->height = height;
  attach_animals (out, "clip");
  out = gst_harness_push_and_pull (h, out);
  bounds = changed_bounds (out, stride, lines, 1, 0x80);
  fail_unless_equals_int (bounds.x, plain.x + 30);
  fail_unless_equals_int (bounds.y, plain.y + 50);
  fail_unless_equals_int (bounds.w, plain.w);
  fail_unless_equals_int (bounds.h, plain.h);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

/* The panel in the frame's own pixels, for a frame that is turned later. */
GST_START_TEST (test_orientation)
{
  static const struct {
    const gchar *tag;
    gboolean right, bottom, tall;
  } turns[] = { { "rotate-90", FALSE, TRUE, TRUE },
    { "rotate-180", TRUE, TRUE, FALSE }, { "rotate-270", TRUE, FALSE, TRUE },
    { "flip-rotate-0", TRUE, FALSE, FALSE },
    { "flip-rotate-180", FALSE, TRUE, FALSE },
    { "flip-rotate-270", FALSE, FALSE, TRUE },
    { "flip-rotate-90", TRUE, TRUE, TRUE },
    { "rotate-0", FALSE, FALSE, FALSE } };
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, 640, 640);
  GstVideoRectangle plain = drawn_bounds (h, 640, 640);

  for (guint i = 0; i < G_N_ELEMENTS (turns); i++) {
    GstVideoRectangle bounds;

    gst_harness_push_event (h,
        gst_event_new_tag (gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION,
            turns[i].tag, NULL)));
    bounds = drawn_bounds (h, 640, 640);
    fail_unless (ABS (bounds.w - (turns[i].tall ? plain.h : plain.w)) <= 2);
    fail_unless (ABS (bounds.h - (turns[i].tall ? plain.w : plain.h)) <= 2);
    fail_unless_equals_int (bounds.x > 320, turns[i].right);
    fail_unless_equals_int (bounds.y > 320 && bounds.y + bounds.h > 600,
        turns[i].bottom);
  }

  /* The tag of one stream is not the next one's. */
  gst_harness_push_event (h,
      gst_event_new_tag (gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION,
          "rotate-180", NULL)));
  gst_harness_push_event (h, gst_event_new_stream_start ("another"));
  fail_unless_equals_int (drawn_bounds (h, 640, 640).x, plain.x);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_pixel_aspect)
{
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, 800, 600);
  GstVideoRectangle plain = drawn_bounds (h, 800, 600), bounds;
  GstCaps *caps = video_caps (GST_VIDEO_FORMAT_GRAY8, 400, 600);

  gst_caps_set_simple (caps, "pixel-aspect-ratio", GST_TYPE_FRACTION, 2, 1,
      NULL);
  gst_harness_set_src_caps (h, caps);
  bounds = drawn_bounds (h, 400, 600);
  fail_unless (ABS (2 * bounds.w - plain.w) <= 8);
  fail_unless (ABS (2 * bounds.x - plain.x) <= 4);
  fail_unless_equals_int (bounds.h, plain.h);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_any_label)
{
  static const gchar *const labels[] = { "", " ", "<b>not markup</b> & so on",
    "&lt;", "tab\tnewline\nreturn\rbell\ax\x1b[31m\x7f",
    "\342\200\256right to left override", "كلب يركض", "犬が走る",
    "🐕 👨‍👩‍👧", "no \xff utf-8 \xc3",
    "e\314\201\314\202\314\203\314\204" };
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_I420, 320, 240);
  gchar *novel = g_strnfill (1000000, 'w');

  for (guint i = 0; i <= G_N_ELEMENTS (labels); i++) {
    GstBuffer *frame = new_frame (GST_VIDEO_FORMAT_I420, 320, 240, 0x80);

    attach_label (frame, "clip", i < G_N_ELEMENTS (labels) ? labels[i] : novel,
        0.5f);
    gst_buffer_unref (gst_harness_push_and_pull (h, frame));
  }
  g_free (novel);
  gst_harness_teardown (h);
}
GST_END_TEST;

static gint
drawn_width (GstHarness *h, const gchar *label)
{
  GstBuffer *frame = new_frame (GST_VIDEO_FORMAT_GRAY8, 1280, 720, 0x80);
  gint width;

  attach_label (frame, "clip", label, 0.5f);
  frame = gst_harness_push_and_pull (h, frame);
  width = changed_bounds (frame, 1280, 720, 1, 0x80).w;
  gst_buffer_unref (frame);
  return width;
}

/* The panel widens for a long label, up to a bound, and does not dance. */
GST_START_TEST (test_width)
{
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, 1280, 720);
  gint narrow = drawn_width (h, "a dog");
  gint wide = drawn_width (h, "a dog that runs after a ball");
  gint widest;

  fail_unless (wide > narrow);
  fail_unless_equals_int (drawn_width (h, "a cat"), wide);
  widest = drawn_width (h,
      "a dog that runs after a ball which a child has thrown into the sea "
      "on a sunny day in the south of Portugal, with a boat behind it");
  fail_unless (widest > wide && widest < 640);
  gst_harness_teardown (h);
}
GST_END_TEST;

#define OVERLAY_CAPS                                                           \
  "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition)"

/* A downstream that draws overlays, or only says so in its caps. */
static GstHarness *
new_overlay_harness (gboolean supports_meta)
{
  GstHarness *h = gst_harness_new ("clipoverlay");

  if (supports_meta)
    gst_harness_add_propose_allocation_meta (h,
        GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  gst_harness_set_sink_caps_str (h,
      supports_meta ? OVERLAY_CAPS : OVERLAY_CAPS "; video/x-raw");
  gst_harness_set_src_caps (h, video_caps (GST_VIDEO_FORMAT_GRAY8, 320, 240));
  return h;
}

static GstVideoOverlayComposition *
push_for_composition (GstHarness *h, const gchar *label, gfloat score)
{
  GstBuffer *frame = new_frame (GST_VIDEO_FORMAT_GRAY8, 320, 240, 0x80);
  GstVideoOverlayCompositionMeta *meta;
  GstVideoOverlayComposition *composition;

  attach_label (frame, "clip", label, score);
  frame = gst_harness_push_and_pull (h, frame);
  meta = gst_buffer_get_video_overlay_composition_meta (frame);
  fail_unless (meta != NULL);
  fail_unless_equals_int (changed_bounds (frame, 320, 240, 1, 0x80).w, 0);
  composition = gst_video_overlay_composition_ref (meta->overlay);
  gst_buffer_unref (frame);
  return composition;
}

GST_START_TEST (test_attached_and_cached)
{
  GstHarness *h = new_overlay_harness (TRUE);
  GstVideoOverlayComposition *one, *other;
  GstBuffer *frame, *out;

  one = push_for_composition (h, "a dog", 0.501f);
  other = push_for_composition (h, "a dog", 0.499f);
  fail_unless (one == other);
  gst_video_overlay_composition_unref (other);
  other = push_for_composition (h, "a dog", 0.52f);
  fail_unless (one != other);
  gst_video_overlay_composition_unref (other);
  other = push_for_composition (h, "a cat", 0.501f);
  fail_unless (one != other);
  gst_video_overlay_composition_unref (one);

  g_object_set (h->element, "text-color", 0xffffff00, NULL);
  one = push_for_composition (h, "a cat", 0.501f);
  fail_unless (one != other);
  gst_video_overlay_composition_unref (one);
  gst_video_overlay_composition_unref (other);

  /* The memory passes even where the frame is shared. */
  frame = animal_frame (GST_VIDEO_FORMAT_GRAY8, 320, 240, 0x80);
  out = gst_harness_push_and_pull (h, gst_buffer_ref (frame));
  fail_unless (gst_buffer_peek_memory (out, 0)
      == gst_buffer_peek_memory (frame, 0));
  fail_if (gst_buffer_get_video_overlay_composition_meta (frame));
  gst_buffer_unref (frame);

  /* What somebody else attached stays below. */
  g_object_set (h->element, "top-k", 1, NULL);
  out = gst_harness_push_and_pull (h, out);
  fail_unless_equals_int (
      gst_video_overlay_composition_n_rectangles (
          gst_buffer_get_video_overlay_composition_meta (out)->overlay),
      2);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
GST_END_TEST;

static gboolean
output_has_overlays (GstHarness *h)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  gboolean result = gst_caps_features_contains (gst_caps_get_features (caps, 0),
      GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);

  gst_caps_unref (caps);
  return result;
}

/* Caps that let anything pass are no promise to draw: blends, and says so. */
GST_START_TEST (test_blended_where_downstream_only_seems_to_draw)
{
  GstHarness *h = new_overlay_harness (FALSE);

  for (guint i = 0; i < 3; i++) {
    fail_unless (drawn_bounds (h, 320, 240).w > 0);
    fail_if (output_has_overlays (h));
  }

  /* Asks again when downstream changes. */
  gst_harness_add_propose_allocation_meta (h,
      GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  fail_unless (gst_harness_push_upstream_event (h,
      gst_event_new_reconfigure ()));
  fail_unless_equals_int (drawn_bounds (h, 320, 240).w, 0);
  fail_unless (output_has_overlays (h));
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_negotiation)
{
  GstHarness *h = gst_harness_new ("clipoverlay");
  GstBuffer *frame;

  /* Memory that cannot be drawn into: attached, or not at all. */
  gst_harness_set_caps_str (h,
      "video/x-raw(memory:GLMemory), format=RGBA, width=320, height=240, "
      "framerate=25/1",
      "video/x-raw(memory:GLMemory, meta:GstVideoOverlayComposition)");
  frame = gst_harness_push_and_pull (h,
      animal_frame (GST_VIDEO_FORMAT_RGBA, 320, 240, 0x80));
  fail_unless (gst_buffer_get_video_overlay_composition_meta (frame) != NULL);
  gst_buffer_unref (frame);
  gst_harness_teardown (h);

  h = gst_harness_new ("clipoverlay");
  gst_harness_set_caps_str (h,
      "video/x-raw(memory:GLMemory), format=RGBA, width=320, height=240, "
      "framerate=25/1",
      "video/x-raw(memory:GLMemory)");
  fail_unless_equals_int (gst_harness_push (h,
                              animal_frame (GST_VIDEO_FORMAT_RGBA, 320, 240,
                                  0x80)),
      GST_FLOW_NOT_NEGOTIATED);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_allocation_is_downstreams)
{
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, 320, 240);
  GstCaps *caps = video_caps (GST_VIDEO_FORMAT_GRAY8, 320, 240);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);

  gst_pad_peer_query (h->srcpad, query);
  fail_if (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE,
      NULL));
  gst_query_unref (query);
  gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
  query = gst_query_new_allocation (caps, TRUE);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE,
      NULL));
  gst_query_unref (query);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}
GST_END_TEST;

GST_START_TEST (test_no_frames_and_state_cycles)
{
  GstHarness *h = new_harness (GST_VIDEO_FORMAT_GRAY8, 320, 240);

  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  gst_harness_teardown (h);

  h = new_harness (GST_VIDEO_FORMAT_GRAY8, 320, 240);
  for (guint cycle = 0; cycle < 3; cycle++) {
    fail_unless (drawn_bounds (h, 320, 240).w > 0);
    fail_unless (gst_element_set_state (h->element, GST_STATE_NULL)
        == GST_STATE_CHANGE_SUCCESS);
    gst_harness_play (h);
    gst_harness_set_src_caps (h, video_caps (GST_VIDEO_FORMAT_GRAY8, 320, 240));
  }
  gst_harness_teardown (h);
}
GST_END_TEST;

static GstBuffer *
next_frame (GstHarness *h, gpointer data)
{
  static gint n;
  GstBuffer *frame = new_frame (GST_VIDEO_FORMAT_I420, 320, 240, 0x80);

  attach_label (frame, "clip", "a dog", (gfloat) (n++ % 100) / 100);
  return frame;
}

/* Properties change while frames flow. */
GST_START_TEST (test_stress)
{
  GstHarness *h = gst_harness_new ("clipoverlay");
  GstCaps *caps = video_caps (GST_VIDEO_FORMAT_I420, 320, 240);
  GstEvent *reconfigure = gst_event_new_reconfigure ();
  GstHarnessThread *threads[4];
  GstSegment segment;
  GValue font = G_VALUE_INIT, color = G_VALUE_INIT;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_value_init (&font, G_TYPE_STRING);
  g_value_set_string (&font, "Serif Bold 17");
  g_value_init (&color, G_TYPE_UINT);
  g_value_set_uint (&color, 0x40ff0000);
  gst_harness_set_drop_buffers (h, TRUE);
  threads[0] = gst_harness_stress_push_buffer_with_cb_start (h, caps, &segment,
      next_frame, NULL, NULL);
  threads[1] = gst_harness_stress_property_start (h, "font", &font);
  threads[2] =
      gst_harness_stress_property_start (h, "background-color", &color);
  threads[3] = gst_harness_stress_send_upstream_event_start (h, reconfigure);
  g_usleep (G_USEC_PER_SEC / 4);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    fail_unless (gst_harness_stress_thread_stop (threads[i]) > 0);
  g_value_unset (&font);
  g_value_unset (&color);
  gst_event_unref (reconfigure);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}
GST_END_TEST;

static Suite *
clip_overlay_suite (void)
{
  Suite *suite = suite_create ("clipoverlay");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_nothing_to_draw);
  tcase_add_test (tcase, test_shared_frame_is_copied);
  tcase_add_test (tcase, test_position);
  tcase_add_test (tcase, test_contrast);
  tcase_add_test (tcase, test_bars);
  tcase_add_test (tcase, test_top_k_and_threshold);
  tcase_add_test (tcase, test_several_filters);
  tcase_add_test (tcase, test_formats);
  tcase_add_test (tcase, test_sizes);
  tcase_add_test (tcase, test_padded_frame_and_crop);
  tcase_add_test (tcase, test_orientation);
  tcase_add_test (tcase, test_pixel_aspect);
  tcase_add_test (tcase, test_any_label);
  tcase_add_test (tcase, test_width);
  tcase_add_test (tcase, test_attached_and_cached);
  tcase_add_test (tcase, test_blended_where_downstream_only_seems_to_draw);
  tcase_add_test (tcase, test_negotiation);
  tcase_add_test (tcase, test_allocation_is_downstreams);
  tcase_add_test (tcase, test_no_frames_and_state_cycles);
  tcase_add_test (tcase, test_stress);
  return suite;
}

GST_CHECK_MAIN (clip_overlay);
