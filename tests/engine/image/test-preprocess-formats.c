/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every pixel format, orientation and pixel aspect ratio against a reference
 * that works on the whole displayed picture in double; refused pictures;
 * extreme sizes; no allocation once the geometry is known.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/image/preprocess.h"
#include "frame.h"

static ClipPreprocessSpec
byte_spec (guint size)
{
  /* Rescale 1, mean 0, deviation 1: the bytes themselves. */
  return (ClipPreprocessSpec){
    .mode = CLIP_RESIZE_CROP,
    .resize = size,
    .crop = size,
    .filter = CLIP_FILTER_BICUBIC,
    .rounding = CLIP_CROP_HALF_EVEN,
    .rescale = 1,
    .std = { 1, 1, 1 },
    .fill = 99,
  };
}

/* The picture upright, [height x width x 3], bytes as doubles. */
typedef struct {
  guint width, height;
  gboolean sideways; /* stored lines are displayed columns */
  gdouble *pixels;
} Upright;

/* Where the stored pixel (x, y) of a w x h picture goes when it is turned. */
static void
turn (ClipOrientation orientation, guint w, guint h, guint x, guint y,
    guint *to_x, guint *to_y)
{
  const guint places[8][2] = { { x, y }, { h - 1 - y, x },
    { w - 1 - x, h - 1 - y }, { y, w - 1 - x }, { w - 1 - x, y },
    { x, h - 1 - y }, { y, x }, { h - 1 - y, w - 1 - x } };

  *to_x = places[orientation][0];
  *to_y = places[orientation][1];
}

static Upright
make_upright (const ClipImage *image)
{
  const guint w = image->crop_width ? image->crop_width : image->width;
  const guint h = image->crop_width ? image->crop_height : image->height;
  const guint left = image->crop_width ? image->crop_x : 0;
  const guint top = image->crop_width ? image->crop_y : 0;
  const gboolean sideways = image->orientation == CLIP_ORIENTATION_90R
      || image->orientation == CLIP_ORIENTATION_90L
      || image->orientation >= CLIP_ORIENTATION_UL_LR;
  Upright upright = { sideways ? h : w, sideways ? w : h, sideways,
    g_new (gdouble, (gsize) 3 * w * h) };

  for (guint y = 0; y < h; y++)
    for (guint x = 0; x < w; x++) {
      gdouble rgb[3];
      guint to_x, to_y;

      frame_get_pixel (image, left + x, top + y, rgb);
      turn (image->orientation, w, h, x, y, &to_x, &to_y);
      for (guint c = 0; c < 3; c++)
        upright.pixels[((gsize) to_y * upright.width + to_x) * 3 + c] =
            CLAMP (round (rgb[c]), 0, 255);
    }
  return upright;
}

static gdouble
cubic (gdouble x)
{
  x = fabs (x);
  if (x < 1)
    return 1.5 * x * x * x - 2.5 * x * x + 1;
  return x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0;
}

/* Weights of all `in` samples in sample `at` of `out`, [in]. */
static gdouble *
weights_of (guint in, guint out, gdouble at)
{
  const gdouble scale = (gdouble) in / out;
  const gdouble spread = MAX (scale, 1);
  gdouble *weights = g_new (gdouble, in);
  gdouble sum = 0;

  for (guint i = 0; i < in; i++) {
    weights[i] =
        in == out ? i == at : cubic ((i + 0.5 - (at + 0.5) * scale) / spread);
    sum += weights[i];
  }
  for (guint i = 0; i < in; i++)
    weights[i] /= sum;
  return weights;
}

/* The first pass runs along the stored lines, which in a picture that lies on
 * its side are the displayed columns, and leaves bytes. */
static void
resampled (const Upright *upright, guint out_width, guint out_height, gint x,
    gint y, gdouble rgb[3])
{
  g_autofree gdouble *across = weights_of (upright->width, out_width, x);
  g_autofree gdouble *down = weights_of (upright->height, out_height, y);
  const gboolean sideways = upright->sideways;
  const gdouble *first = sideways ? down : across;
  const gdouble *second = sideways ? across : down;
  const guint n_first = sideways ? upright->height : upright->width;
  const guint n_second = sideways ? upright->width : upright->height;

  rgb[0] = rgb[1] = rgb[2] = 0;
  for (guint v = 0; v < n_second; v++) {
    gdouble sums[3] = { 0 };

    if (fabs (second[v]) < 1e-9)
      continue;
    for (guint u = 0; u < n_first; u++) {
      const gsize at = sideways ? (gsize) u * upright->width + v
                                : (gsize) v * upright->width + u;

      for (guint c = 0; c < 3; c++)
        sums[c] += first[u] * upright->pixels[at * 3 + c];
    }
    for (guint c = 0; c < 3; c++)
      rgb[c] += second[v] * CLAMP (sums[c], 0, 255);
  }
  for (guint c = 0; c < 3; c++)
    rgb[c] = CLAMP (rgb[c], 0, 255);
}

static void
target_of (const ClipImage *image, const Upright *upright, ClipResizeMode mode,
    guint size, guint *width, guint *height)
{
  const gdouble par = image->par_n ? (gdouble) image->par_n / image->par_d : 1;
  const gdouble w = upright->width * (upright->sideways ? 1 : par);
  const gdouble h = upright->height * (upright->sideways ? par : 1);

  *width = *height = size;
  if (mode == CLIP_RESIZE_CROP) {
    *width = w <= h ? size : (guint) floor (size * w / h + 1e-9);
    *height = w <= h ? (guint) floor (size * h / w + 1e-9) : size;
  } else if (mode == CLIP_RESIZE_PAD) {
    *width = w >= h ? size : MAX ((guint) rint (size * w / h), 1);
    *height = w >= h ? MAX ((guint) rint (size * h / w), 1) : size;
  }
}

/* Compares every pixel of the window. Differences come from bytes that fall
 * the other way at the roundings. */
static void
check_against_reference (const ClipImage *image, ClipResizeMode mode,
    guint size, gdouble largest_mean)
{
  ClipPreprocessSpec spec = byte_spec (size);
  g_autoptr (ClipPreprocessor) pre = NULL;
  g_autofree gfloat *out = g_new (gfloat, (gsize) 3 * size * size);
  Upright upright = make_upright (image);
  gdouble sum = 0;
  guint width, height;
  gint left, top;

  spec.mode = mode;
  pre = clip_preprocessor_new (&spec, CLIP_LAYOUT_ROWS, 0);
  g_assert_true (clip_preprocessor_run (pre, image, CLIP_RESIZE_AUTO, out,
      NULL));
  target_of (image, &upright, mode, size, &width, &height);
  left = width >= size ? (gint) rint ((width - size) / 2.0)
                       : -(gint) ((size - width) / 2);
  top = height >= size ? (gint) rint ((height - size) / 2.0)
                       : -(gint) ((size - height) / 2);
  for (gint y = 0; y < (gint) size; y++)
    for (gint x = 0; x < (gint) size; x++) {
      const gboolean inside = x + left >= 0 && x + left < (gint) width
          && y + top >= 0 && y + top < (gint) height;
      gdouble rgb[3] = { 99, 99, 99 };

      if (inside)
        resampled (&upright, width, height, x + left, y + top, rgb);
      for (guint c = 0; c < 3; c++) {
        const gdouble difference =
            fabs (out[((gsize) y * size + x) * 3 + c] - rgb[c]);

        g_assert_cmpfloat (difference, <=, 2.6);
        sum += difference;
      }
    }
  g_assert_cmpfloat (sum / (3 * size * size), <=, largest_mean);
  g_free (upright.pixels);
}

/* Where nothing is resampled, bytes differ from the rounded truth by one, and
 * rarely. */
static void
check_colours (const ClipImage *image)
{
  const guint size = image->width;
  const ClipPreprocessSpec spec = byte_spec (size);
  g_autofree gfloat *out = g_new (gfloat, (gsize) 3 * size * size);
  g_autoptr (ClipPreprocessor) pre =
      clip_preprocessor_new (&spec, CLIP_LAYOUT_ROWS, 0);
  guint wrong = 0;

  g_assert_true (clip_preprocessor_run (pre, image, CLIP_RESIZE_AUTO, out,
      NULL));
  for (guint y = 0; y < size; y++)
    for (guint x = 0; x < size; x++) {
      gdouble rgb[3];

      frame_get_pixel (image, x, y, rgb);
      for (guint c = 0; c < 3; c++) {
        const gdouble truth = CLAMP (rgb[c], 0, 255);
        const gfloat byte = out[(y * size + x) * 3 + c];

        g_assert_cmpfloat (fabs (byte - truth), <=, 0.55);
        wrong += byte != (gfloat) round (truth);
      }
    }
  g_assert_cmpuint (wrong, <=, 3 * size * size / 25);
}

static void
test_colours (void)
{
  GRand *rand = g_rand_new_with_seed (1);

  for (guint format = 0; format < CLIP_PIXEL_N_FORMATS; format++)
    for (guint matrix = 0; matrix <= CLIP_MATRIX_FCC; matrix++)
      for (guint flags = 0; flags < 4; flags++) {
        Frame frame;

        frame_init (&frame, rand, format, 61, 61);
        frame.image.matrix = matrix;
        frame.image.full_range = flags & 1;
        frame.image.interlaced = flags & 2;
        check_colours (&frame.image);
        frame_clear (&frame);
      }
  g_rand_free (rand);
}

static void
test_views (void)
{
  static const ClipResizeMode modes[] = { CLIP_RESIZE_CROP, CLIP_RESIZE_SQUASH,
    CLIP_RESIZE_PAD };
  GRand *rand = g_rand_new_with_seed (2);

  for (guint i = 0; i < 20 * CLIP_PIXEL_N_FORMATS; i++) {
    const guint width = (guint) g_rand_int_range (rand, 1, 70);
    const guint height = (guint) g_rand_int_range (rand, 1, 70);
    Frame frame;

    frame_init (&frame, rand, i % CLIP_PIXEL_N_FORMATS, width, height);
    frame_randomise_view (&frame, rand);
    check_against_reference (&frame.image, modes[i % 3], 17, 0.6);
    frame_clear (&frame);
  }
  g_rand_free (rand);
}

/* A picture of four corners, each with its own brightness. */
static void
test_orientations (void)
{
  static const guint8 pixels[] = { 10, 20, 30, 40 };
  /* Upper left, upper right, lower left, lower right of the displayed one. */
  static const guint8 upright[8][4] = { { 10, 20, 30, 40 }, { 30, 10, 40, 20 },
    { 40, 30, 20, 10 }, { 20, 40, 10, 30 }, { 20, 10, 40, 30 },
    { 30, 40, 10, 20 }, { 10, 30, 20, 40 }, { 40, 20, 30, 10 } };
  const ClipPreprocessSpec spec = byte_spec (2);
  g_autoptr (ClipPreprocessor) pre =
      clip_preprocessor_new (&spec, CLIP_LAYOUT_ROWS, 0);

  for (guint i = 0; i < 8; i++) {
    const ClipImage image = {
      .format = CLIP_PIXEL_GRAY8,
      .width = 2,
      .height = 2,
      .planes = { pixels },
      .strides = { 2 },
      .full_range = TRUE,
      .orientation = i,
    };
    gfloat out[12];

    g_assert_true (clip_preprocessor_run (pre, &image, CLIP_RESIZE_AUTO, out,
        NULL));
    for (guint k = 0; k < 12; k++)
      g_assert_cmpfloat (out[k], ==, upright[i][k / 3]);
  }
}

/* The three layouts hold the same values. */
static void
test_layouts (void)
{
  enum { SIZE = 23, PATCH = 5, ACROSS = SIZE / PATCH };
  const ClipPreprocessSpec spec = byte_spec (SIZE);
  GRand *rand = g_rand_new_with_seed (3);
  gfloat out[3][3 * SIZE * SIZE];
  Frame frame;

  frame_init (&frame, rand, CLIP_PIXEL_NV12, 50, 40);
  memset (out, 0xff, sizeof out);
  for (guint layout = 0; layout < 3; layout++) {
    g_autoptr (ClipPreprocessor) pre =
        clip_preprocessor_new (&spec, layout, PATCH);

    g_assert_true (clip_preprocessor_run (pre, &frame.image, CLIP_RESIZE_AUTO,
        out[layout], NULL));
  }
  for (guint c = 0; c < 3; c++)
    for (guint y = 0; y < SIZE; y++)
      for (guint x = 0; x < SIZE; x++) {
        const gfloat value = out[CLIP_LAYOUT_PLANAR][(c * SIZE + y) * SIZE + x];

        g_assert_cmpfloat (value, ==,
            out[CLIP_LAYOUT_ROWS][(y * SIZE + x) * 3 + c]);
        if (y < ACROSS * PATCH && x < ACROSS * PATCH)
          g_assert_cmpfloat (value, ==,
              out[CLIP_LAYOUT_PATCHES]
                 [((y / PATCH * ACROSS + x / PATCH) * 3 + c) * PATCH * PATCH
                     + y % PATCH * PATCH + x % PATCH]);
      }
  g_assert_true (isnan (out[CLIP_LAYOUT_PATCHES]
                           [3 * ACROSS * ACROSS * PATCH * PATCH]));
  frame_clear (&frame);
  g_rand_free (rand);
}

static void
assert_refused (ClipPreprocessor *pre, ClipImage image)
{
  gfloat out[3 * 8 * 8];
  GError *error = NULL;

  g_assert_false (clip_preprocessor_run (pre, &image, CLIP_RESIZE_AUTO, out,
      &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
  g_error_free (error);
}

#define REFUSED(...)                                                           \
  G_STMT_START                                                                 \
  {                                                                            \
    ClipImage image = good;                                                    \
    __VA_ARGS__;                                                               \
    assert_refused (pre, image);                                               \
  }                                                                            \
  G_STMT_END

static void
test_refused (void)
{
  static const guint8 pixels[64] = { 0 };
  const ClipPreprocessSpec spec = byte_spec (8);
  g_autoptr (ClipPreprocessor) pre =
      clip_preprocessor_new (&spec, CLIP_LAYOUT_PLANAR, 0);
  const ClipImage good = { .format = CLIP_PIXEL_NV12,
    .width = 4,
    .height = 4,
    .planes = { pixels, pixels },
    .strides = { 4, 4 } };
  gfloat out[3 * 8 * 8];

  g_assert_true (clip_preprocessor_run (pre, &good, CLIP_RESIZE_AUTO, out,
      NULL));
  REFUSED (image.width = 0);
  REFUSED (image.height = 0);
  REFUSED (image.width = G_MAXUINT);
  REFUSED (image.format = CLIP_PIXEL_N_FORMATS);
  REFUSED (image.planes[0] = NULL);
  REFUSED (image.planes[1] = NULL);
  REFUSED (image.strides[0] = 3);
  REFUSED (image.strides[1] = -3);
  REFUSED (image.crop_width = 4);
  REFUSED (image.crop_width = image.crop_height = 3, image.crop_x = 2);
  REFUSED (image.crop_width = image.crop_height = 1, image.crop_y = 4);
  REFUSED (image.crop_width = image.crop_height = 4,
      image.crop_x = G_MAXUINT - 1);
  REFUSED (image.par_n = 1);
  REFUSED (image.par_d = 1);
  REFUSED (image.orientation = 8);
  REFUSED (image.matrix = CLIP_MATRIX_FCC + 1);
}

/* A grey picture of any shape stays grey, and takes no time to speak of. */
static void
test_extremes (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 1, 2 }, { 8192, 1 },
    { 1, 8192 }, { 16384, 16384 }, { 32768, 3 }, { 3, 32768 } };
  static const guint ratios[][2] = { { 1, 1 }, { G_MAXUINT, 1 },
    { 1, G_MAXUINT }, { G_MAXUINT, G_MAXUINT } };
  const gsize bytes = (gsize) 16384 * 16384;
  const guint8 *zeros = mmap (NULL, bytes, PROT_READ,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  const ClipPreprocessSpec spec = byte_spec (32);
  g_autoptr (ClipPreprocessor) pre =
      clip_preprocessor_new (&spec, CLIP_LAYOUT_PLANAR, 0);
  gfloat out[3 * 32 * 32];

  g_assert_true (zeros != MAP_FAILED);
  for (guint size = 0; size < G_N_ELEMENTS (sizes); size++)
    for (guint ratio = 0; ratio < G_N_ELEMENTS (ratios); ratio++)
      for (guint mode = CLIP_RESIZE_CROP; mode <= CLIP_RESIZE_PAD; mode++) {
        const ClipImage image = {
          .format = CLIP_PIXEL_GRAY8,
          .width = sizes[size][0],
          .height = sizes[size][1],
          .planes = { zeros },
          .strides = { (gint) sizes[size][0] },
          .full_range = TRUE,
          .par_n = ratios[ratio][0],
          .par_d = ratios[ratio][1],
          .orientation = ratio % 2 ? CLIP_ORIENTATION_90R : 0,
        };
        const gboolean large = sizes[size][0] * sizes[size][1] > 1000000;

        if (large && (ratio > 0 || mode != CLIP_RESIZE_CROP))
          continue;
        memset (out, 0xff, sizeof out);
        g_assert_true (clip_preprocessor_run (pre, &image, mode, out, NULL));
        for (guint i = 0; i < G_N_ELEMENTS (out); i++)
          g_assert_true (out[i] == 0
              || (mode == CLIP_RESIZE_PAD && out[i] == 99));
        g_assert_cmpfloat (out[15 * 32 + 15], ==, 0);
      }
  munmap ((gpointer) zeros, bytes);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image/colours", test_colours);
  g_test_add_func ("/image/views", test_views);
  g_test_add_func ("/image/orientations", test_orientations);
  g_test_add_func ("/image/layouts", test_layouts);
  g_test_add_func ("/image/refused", test_refused);
  g_test_add_func ("/image/extremes", test_extremes);
  return g_test_run ();
}
