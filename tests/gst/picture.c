/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clipfilter sees the picture as it is displayed, whatever it is stored as:
 * against the reference answers of the starter model, and against itself.
 */
#include "filter.h"

#include <math.h>

#include "gst/gstclipframe.h"
#include "tests/engine/image/golden.h"

#define STARTER "tests/goldens/starter/"
#define DIM 256
#define N_PICTURES 5

typedef struct {
  gfloat vector[DIM];
} Embedding;

static gdouble
distance (const gfloat *a, const gfloat *b)
{
  gdouble sum = 0;

  for (guint i = 0; i < DIM; i++)
    sum += ((gdouble) a[i] - b[i]) * ((gdouble) a[i] - b[i]);
  return sqrt (sum);
}

static GstHarness *
new_harness (const gchar *caps)
{
  GstElement *filter = make_starter_filter ("dog");

  g_object_set (filter, "attach-embedding", TRUE, NULL);
  return harness_filter (filter, caps);
}

static Embedding
embed (GstHarness *harness, GstBuffer *buffer)
{
  GstBuffer *out = push_and_pull (harness, buffer);
  GstBuffer *vector =
      gst_clip_meta_get_embedding (gst_clip_meta_find (out, NULL));
  Embedding embedding;

  fail_unless (vector != NULL);
  fail_unless_equals_int (gst_buffer_extract (vector, 0, &embedding,
                              sizeof embedding),
      sizeof embedding);
  gst_buffer_unref (out);
  return embedding;
}

static void
set_caps (GstHarness *harness, const GstVideoInfo *info)
{
  gst_harness_set_src_caps (harness,
      gst_video_info_to_caps ((GstVideoInfo *) info));
}

/* ------------------------------------------------------ pictures, stored */

/* RGB without gaps. */
typedef struct {
  guint width, height;
  guint8 *pixels;
} Picture;

static Picture
picture_new (guint width, guint height)
{
  return (Picture){ width, height, g_malloc0 (3 * width * height) };
}

static guint8 *
picture_at (const Picture *picture, guint x, guint y)
{
  return picture->pixels + 3 * ((gsize) y * picture->width + x);
}

static Picture
picture_read (guint i)
{
  gchar *name = g_strdup_printf (STARTER "images/%u.png", i);
  gpointer owner;
  const ClipImage image = golden_read_picture (name, &owner);
  Picture picture = picture_new (image.width, image.height);

  fail_unless_equals_int (image.format, CLIP_PIXEL_RGB);
  for (guint y = 0; y < image.height; y++)
    memcpy (picture_at (&picture, 0, y), image.planes[0] + y * image.strides[0],
        3 * image.width);
  g_object_unref (owner);
  g_free (name);
  return picture;
}

/* As a frame of `info`, whose strides and offsets may be any. */
static GstBuffer *
picture_to_buffer (const Picture *picture, GstVideoInfo *info)
{
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  GstVideoFrame frame;

  gst_buffer_memset (buffer, 0, 0x5a, -1);
  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_INFO_FORMAT (info),
      picture->width, picture->height, GST_VIDEO_INFO_N_PLANES (info),
      info->offset, info->stride);
  fail_unless (gst_video_frame_map (&frame, info, buffer, GST_MAP_WRITE));
  for (guint y = 0; y < picture->height; y++)
    memcpy ((guint8 *) frame.data[0] + y * frame.info.stride[0],
        picture_at (picture, 0, y), 3 * picture->width);
  gst_video_frame_unmap (&frame);
  GST_BUFFER_PTS (buffer) = 0;
  return buffer;
}

static Embedding
embed_picture (const Picture *picture)
{
  GstHarness *harness = new_harness (NULL);
  GstVideoInfo info;
  Embedding embedding;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, picture->width,
      picture->height);
  set_caps (harness, &info);
  embedding = embed (harness, picture_to_buffer (picture, &info));
  gst_harness_teardown (harness);
  return embedding;
}

/* ----------------------------------------------------------------- tests */

GST_START_TEST (test_reference)
{
  GoldenFile golden;
  const gfloat *expected;
  gsize bytes;

  golden_open (&golden, STARTER "expected.safetensors");
  expected = golden_get (&golden, "image_embeds", &bytes);
  fail_unless_equals_int (bytes, N_PICTURES * sizeof (Embedding));
  for (guint i = 0; i < N_PICTURES; i++) {
    Picture picture = picture_read (i);
    const Embedding embedding = embed_picture (&picture);
    const gdouble delta = distance (embedding.vector, expected + i * DIM);

    fail_unless (delta <= 1e-5, "picture %u is off by %g", i, delta);
    g_free (picture.pixels);
  }
  golden_close (&golden);
}
GST_END_TEST;

/* Cosine times the scale are the reference's logits. */
GST_START_TEST (test_reference_scores)
{
  static const struct {
    const gchar *label;
    guint column;
  } texts[] = {
    { "a photo of a dog.", 0 },
    { "RED car", 2 },
    { "a cockatoo", 8 },
    { "people walking on a street", 10 },
  };
  GstElement *filter =
      make_starter_filter ("<\"a photo of a dog.\",\"RED car\",\"a "
                           "cockatoo\",\"people walking on "
                           "a street\">");
  Picture picture = picture_read (0);
  GstHarness *harness;
  GstVideoInfo info;
  GstBuffer *buffer;
  const GstStructure *meta;
  GoldenFile golden;
  const gfloat *logits, *scale;
  gsize bytes;

  golden_open (&golden, STARTER "expected.safetensors");
  logits = golden_get (&golden, "logits", &bytes);
  scale = golden_get (&golden, "logit_scale", &bytes);
  gst_util_set_object_arg (G_OBJECT (filter), "prompt-templates", "<\"{}\">");
  gst_util_set_object_arg (G_OBJECT (filter), "score-mode", "cosine");
  g_object_set (filter, "threshold", -1.0f, NULL);
  harness = harness_filter (filter, NULL);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, picture.width,
      picture.height);
  set_caps (harness, &info);
  buffer = push_and_pull (harness, picture_to_buffer (&picture, &info));
  meta = gst_clip_meta_find (buffer, NULL);
  fail_unless_equals_int (gst_clip_meta_get_n_labels (meta), 4);
  for (guint i = 0; i < 4; i++) {
    for (guint j = 0; j < G_N_ELEMENTS (texts); j++) {
      const gfloat logit = gst_clip_meta_get_score (meta, i) * scale[0];

      if (g_str_equal (gst_clip_meta_get_label (meta, i), texts[j].label))
        fail_unless (fabsf (logit - logits[texts[j].column]) <= 1e-3f,
            "%s: %g, not %g", texts[j].label, logit, logits[texts[j].column]);
    }
  }
  gst_buffer_unref (buffer);
  gst_harness_teardown (harness);
  golden_close (&golden);
  g_free (picture.pixels);
}
GST_END_TEST;

GST_START_TEST (test_strides)
{
  Picture picture = picture_read (1);
  const Embedding plain = embed_picture (&picture);
  GstHarness *harness = new_harness (NULL);
  Embedding padded;
  GstVideoInfo info, odd;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, picture.width,
      picture.height);
  set_caps (harness, &info);
  odd = info;
  odd.offset[0] = 131;
  odd.stride[0] = 3 * picture.width + 77;
  odd.size = odd.offset[0] + odd.stride[0] * picture.height;
  padded = embed (harness, picture_to_buffer (&picture, &odd));
  fail_unless (distance (plain.vector, padded.vector) == 0.0);
  gst_harness_teardown (harness);
  g_free (picture.pixels);
}
GST_END_TEST;

GST_START_TEST (test_crop_meta)
{
  Picture picture = picture_read (0);
  Picture larger = picture_new (picture.width + 61, picture.height + 33);
  const Embedding plain = embed_picture (&picture);
  GstHarness *harness = new_harness (NULL);
  GstVideoCropMeta *crop;
  GstVideoInfo info;
  Embedding cropped;
  GstBuffer *buffer;

  for (guint y = 0; y < picture.height; y++)
    memcpy (picture_at (&larger, 40, y + 21), picture_at (&picture, 0, y),
        3 * picture.width);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, larger.width,
      larger.height);
  set_caps (harness, &info);
  buffer = picture_to_buffer (&larger, &info);
  crop = gst_buffer_add_video_crop_meta (buffer);
  crop->x = 40;
  crop->y = 21;
  crop->width = picture.width;
  crop->height = picture.height;
  cropped = embed (harness, buffer);
  fail_unless (distance (plain.vector, cropped.vector) == 0.0);

  /* Beyond the frame there is nothing to see. */
  buffer = picture_to_buffer (&larger, &info);
  crop = gst_buffer_add_video_crop_meta (buffer);
  crop->x = 40;
  crop->y = 21;
  crop->width = crop->height = G_MAXUINT;
  embed (harness, buffer);
  gst_harness_teardown (harness);
  g_free (larger.pixels);
  g_free (picture.pixels);
}
GST_END_TEST;

/* What is stored so that flipping and then turning shows `shown`. */
static Picture
unturn (const Picture *shown, guint quarters, gboolean flip)
{
  const gboolean aside = quarters % 2 == 1;
  Picture stored = picture_new (aside ? shown->height : shown->width,
      aside ? shown->width : shown->height);

  for (guint y = 0; y < stored.height; y++) {
    for (guint x = 0; x < stored.width; x++) {
      guint at_x = flip ? stored.width - 1 - x : x, at_y = y;
      guint width = stored.width, height = stored.height;

      for (guint i = 0; i < quarters; i++) {
        const guint turned_x = height - 1 - at_y;

        at_y = at_x;
        at_x = turned_x;
        width ^= height;
        height ^= width;
        width ^= height;
      }
      memcpy (picture_at (&stored, x, y), picture_at (shown, at_x, at_y), 3);
    }
  }
  return stored;
}

static void
push_orientation (GstHarness *harness, const gchar *orientation)
{
  fail_unless (gst_harness_push_event (harness,
      gst_event_new_tag (gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION,
          orientation, NULL))));
}

GST_START_TEST (test_orientation)
{
  static const struct {
    const gchar *tag;
    guint quarters;
    gboolean flip;
  } cases[] = {
    { "rotate-0", 0, FALSE },
    { "rotate-90", 1, FALSE },
    { "rotate-180", 2, FALSE },
    { "rotate-270", 3, FALSE },
    { "flip-rotate-0", 0, TRUE },
    { "flip-rotate-90", 1, TRUE },
    { "flip-rotate-180", 2, TRUE },
    { "flip-rotate-270", 3, TRUE },
  };
  Picture picture = picture_read (0);
  const Embedding upright = embed_picture (&picture);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Picture stored = unturn (&picture, cases[i].quarters, cases[i].flip);
    const Embedding ignored = embed_picture (&stored);
    GstHarness *harness = new_harness (NULL);
    GstVideoInfo info;
    Embedding turned;
    gdouble delta;

    gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, stored.width,
        stored.height);
    set_caps (harness, &info);
    push_orientation (harness, cases[i].tag);
    turned = embed (harness, picture_to_buffer (&stored, &info));
    delta = distance (upright.vector, turned.vector);
    fail_unless (delta < 0.02, "%s is off by %g", cases[i].tag, delta);
    if (i > 0)
      fail_unless (distance (upright.vector, ignored.vector) > 0.05);
    gst_harness_teardown (harness);
    g_free (stored.pixels);
  }
  g_free (picture.pixels);
}
GST_END_TEST;

/* Every second column, each twice as wide. */
GST_START_TEST (test_pixel_aspect)
{
  Picture picture = picture_read (0);
  Picture narrow = picture_new (picture.width / 2, picture.height);
  const Embedding square = embed_picture (&picture);
  GstHarness *harness = new_harness (NULL);
  GstVideoInfo info;
  Embedding wide, squeezed;

  for (guint y = 0; y < narrow.height; y++)
    for (guint x = 0; x < narrow.width; x++)
      memcpy (picture_at (&narrow, x, y), picture_at (&picture, 2 * x, y), 3);
  squeezed = embed_picture (&narrow);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, narrow.width,
      narrow.height);
  GST_VIDEO_INFO_PAR_N (&info) = 2;
  GST_VIDEO_INFO_PAR_D (&info) = 1;
  set_caps (harness, &info);
  wide = embed (harness, picture_to_buffer (&narrow, &info));
  fail_unless (2 * distance (square.vector, wide.vector)
      < distance (square.vector, squeezed.vector));
  gst_harness_teardown (harness);
  g_free (narrow.pixels);
  g_free (picture.pixels);
}
GST_END_TEST;

static GstBuffer *
convert (GstBuffer *rgb, GstVideoInfo *from, GstVideoInfo *to)
{
  GstVideoConverter *converter = gst_video_converter_new (from, to, NULL);
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (to), NULL);
  GstVideoFrame source, target;

  gst_video_frame_map (&source, from, rgb, GST_MAP_READ);
  gst_video_frame_map (&target, to, buffer, GST_MAP_WRITE);
  gst_video_converter_frame (converter, &source, &target);
  gst_video_frame_unmap (&target);
  gst_video_frame_unmap (&source);
  gst_video_converter_free (converter);
  GST_BUFFER_PTS (buffer) = 0;
  return buffer;
}

/* Swapped planes or channels would be 0.9 off. */
static void
check_format (GstVideoFormat format, gdouble bound)
{
  Picture picture = picture_read (0);
  const Embedding plain = embed_picture (&picture);
  GstHarness *harness = new_harness (NULL);
  GstVideoInfo from, to;
  GstBuffer *rgb;
  Embedding converted;
  gdouble delta;

  gst_video_info_set_format (&from, GST_VIDEO_FORMAT_RGB, picture.width,
      picture.height);
  gst_video_info_set_format (&to, format, picture.width, picture.height);
  rgb = picture_to_buffer (&picture, &from);
  set_caps (harness, &to);
  converted = embed (harness, convert (rgb, &from, &to));
  delta = distance (plain.vector, converted.vector);
  fail_unless (delta < bound, "%s is off by %g",
      gst_video_format_to_string (format), delta);
  gst_buffer_unref (rgb);
  gst_harness_teardown (harness);
  g_free (picture.pixels);
}

GST_START_TEST (test_formats)
{
  static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_I420,
    GST_VIDEO_FORMAT_YV12, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_NV21,
    GST_VIDEO_FORMAT_Y42B, GST_VIDEO_FORMAT_Y444, GST_VIDEO_FORMAT_YUY2,
    GST_VIDEO_FORMAT_UYVY, GST_VIDEO_FORMAT_P010_10LE,
    GST_VIDEO_FORMAT_I420_10LE };
  static const GstVideoFormat exact[] = { GST_VIDEO_FORMAT_BGR,
    GST_VIDEO_FORMAT_RGBA, GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_BGRA,
    GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_ARGB, GST_VIDEO_FORMAT_xRGB,
    GST_VIDEO_FORMAT_ABGR, GST_VIDEO_FORMAT_xBGR };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    check_format (formats[i], 0.1);
  for (guint i = 0; i < G_N_ELEMENTS (exact); i++)
    check_format (exact[i], 1e-6);
}
GST_END_TEST;

/* What colours look like differs too little for embeddings to tell. */
GST_START_TEST (test_colorimetry)
{
  static const struct {
    const gchar *caps;
    ClipMatrix matrix;
    gboolean full_range;
  } cases[] = {
    { "I420,width=64,height=48,colorimetry=bt601", CLIP_MATRIX_BT601, FALSE },
    { "NV12,width=64,height=48,colorimetry=bt709", CLIP_MATRIX_BT709, FALSE },
    { "P010_10LE,width=64,height=48,colorimetry=bt2020", CLIP_MATRIX_BT2020,
        FALSE },
    { "Y444,width=64,height=48,colorimetry=smpte240m", CLIP_MATRIX_SMPTE240M,
        FALSE },
    { "I420,width=64,height=48,colorimetry=1:3:5:1", CLIP_MATRIX_BT709, TRUE },
    { "I420,width=64,height=48,colorimetry=2:2:5:1", CLIP_MATRIX_FCC, FALSE },
    { "I420,width=64,height=48", CLIP_MATRIX_BT601, FALSE },
    { "I420,width=1280,height=720", CLIP_MATRIX_BT709, FALSE },
    { "I420,width=1280,height=720,colorimetry=0:0:0:0", CLIP_MATRIX_BT709,
        FALSE },
    { "GRAY8,width=64,height=48", CLIP_MATRIX_BT601, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *string = g_strdup_printf ("video/x-raw,format=%s", cases[i].caps);
    GstCaps *caps = gst_caps_from_string (string);
    GstVideoInfo info;
    GstVideoFrame frame;
    GstBuffer *buffer;
    ClipImage image;

    fail_unless (gst_video_info_from_caps (&info, caps));
    buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
    fail_unless (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
    fail_unless (gst_clip_frame_view (&frame, GST_VIDEO_ORIENTATION_90R,
        &image));
    fail_unless (image.matrix == cases[i].matrix
            && image.full_range == cases[i].full_range,
        "%s: matrix %d, full range %d", cases[i].caps, image.matrix,
        image.full_range);
    fail_unless_equals_int (image.orientation, CLIP_ORIENTATION_90R);
    gst_video_frame_unmap (&frame);
    gst_buffer_unref (buffer);
    gst_caps_unref (caps);
    g_free (string);
  }
}
GST_END_TEST;

/* Of pictures without colour, grey frames show all there is. */
GST_START_TEST (test_grey)
{
  Picture picture = picture_read (0);
  GstHarness *harness = new_harness (NULL);
  GstVideoInfo info;
  GstBuffer *buffer;
  Embedding colour, grey;
  GstMapInfo map;

  for (guint i = 0; i < picture.width * picture.height; i++)
    memset (picture.pixels + 3 * i, picture.pixels[3 * i + 1], 3);
  colour = embed_picture (&picture);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, picture.width,
      picture.height);
  set_caps (harness, &info);
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (guint y = 0; y < picture.height; y++)
    for (guint x = 0; x < picture.width; x++)
      map.data[y * info.stride[0] + x] = *picture_at (&picture, x, y);
  gst_buffer_unmap (buffer, &map);
  grey = embed (harness, buffer);
  fail_unless (distance (colour.vector, grey.vector) == 0.0);
  gst_harness_teardown (harness);
  g_free (picture.pixels);
}
GST_END_TEST;

GST_START_TEST (test_sizes)
{
  static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_I420,
    GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_UYVY,
    GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_Y42B, GST_VIDEO_FORMAT_P010_10LE,
    GST_VIDEO_FORMAT_GRAY8 };
  static const guint sizes[][2] = { { 1, 1 }, { 1, 7 }, { 3, 2 }, { 5, 5 },
    { 641, 3 }, { 2, 999 } };
  GstHarness *harness = new_harness (NULL);

  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      GstVideoInfo info;
      Embedding embedding;

      gst_video_info_set_format (&info, formats[f], sizes[i][0], sizes[i][1]);
      set_caps (harness, &info);
      embedding = embed (harness, make_frame (harness, 77, 0));
      for (guint j = 0; j < DIM; j++)
        fail_unless (isfinite (embedding.vector[j]));
    }
  }
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_8k)
{
  GstHarness *harness =
      new_harness ("video/"
                   "x-raw,format=NV12,width=7680,height=4320,framerate=25/1");

  embed (harness, make_frame (harness, 77, 0));
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (test_interlaced)
{
  static const gchar *const accepted[] = { "interleaved,field-order=(string)"
                                           "top-field-first",
    "mixed", "progressive" };
  GstHarness *harness = new_harness (NULL);
  gchar *caps;

  for (guint i = 0; i < G_N_ELEMENTS (accepted); i++) {
    caps = g_strdup_printf ("video/x-raw,format=I420,width=64,height=48,"
                            "framerate=25/1,interlace-mode=%s",
        accepted[i]);
    gst_harness_set_src_caps_str (harness, caps);
    embed (harness, make_frame (harness, 77, 0));
    g_free (caps);
  }
  gst_harness_set_src_caps_str (harness,
      "video/x-raw,format=I420,width=64,height=48,framerate=25/1,"
      "interlace-mode=fields");
  fail_unless_equals_int (gst_harness_push (harness,
                              make_frame (harness, 77, 0)),
      GST_FLOW_NOT_NEGOTIATED);
  gst_harness_teardown (harness);
}
GST_END_TEST;

static Suite *
clip_picture_suite (void)
{
  Suite *suite = suite_create ("picture");
  TCase *tcase = tcase_create ("general");

  suite_add_tcase (suite, tcase);
  tcase_add_unchecked_fixture (tcase, keep_model, drop_model);
  tcase_add_test (tcase, test_reference);
  tcase_add_test (tcase, test_reference_scores);
  tcase_add_test (tcase, test_strides);
  tcase_add_test (tcase, test_crop_meta);
  tcase_add_test (tcase, test_orientation);
  tcase_add_test (tcase, test_pixel_aspect);
  tcase_add_test (tcase, test_formats);
  tcase_add_test (tcase, test_colorimetry);
  tcase_add_test (tcase, test_grey);
  tcase_add_test (tcase, test_sizes);
  tcase_add_test (tcase, test_8k);
  tcase_add_test (tcase, test_interlaced);
  return suite;
}

GST_CHECK_MAIN (clip_picture);
