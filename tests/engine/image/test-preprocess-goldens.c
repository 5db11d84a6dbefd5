/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The preprocessor against the reference implementations: the pixels that
 * transformers and OpenCLIP feed their towers, and Pillow's own resize.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/image/preprocess.h"
#include "golden.h"

#define OPENAI_MEAN                                                            \
  {                                                                            \
    0.48145466f, 0.4578275f, 0.40821073f                                       \
  }
#define OPENAI_STD                                                             \
  {                                                                            \
    0.26862954f, 0.26130258f, 0.27577711f                                      \
  }

typedef struct {
  const gchar *folder;
  ClipPreprocessSpec spec;
} Golden;

static const Golden goldens[] = {
  { "hf-bf16-sharded",
      { CLIP_RESIZE_CROP, 64, 64, CLIP_FILTER_BICUBIC, CLIP_CROP_FLOOR,
          1 / 255.0, OPENAI_MEAN, OPENAI_STD, 0 } },
  { "hf-gelu-f16-legacy-eos",
      { CLIP_RESIZE_CROP, 56, 56, CLIP_FILTER_BICUBIC, CLIP_CROP_FLOOR,
          1 / 255.0, OPENAI_MEAN, OPENAI_STD, 0 } },
  { "hf-quickgelu-f32",
      { CLIP_RESIZE_CROP, 64, 64, CLIP_FILTER_BICUBIC, CLIP_CROP_FLOOR,
          1 / 255.0, OPENAI_MEAN, OPENAI_STD, 0 } },
  { "openclip-f16-quickgelu-squash",
      { CLIP_RESIZE_SQUASH, 48, 48, CLIP_FILTER_BICUBIC, CLIP_CROP_HALF_EVEN,
          1 / 255.0, OPENAI_MEAN, OPENAI_STD, 0 } },
  { "openclip-f32",
      { CLIP_RESIZE_CROP, 64, 64, CLIP_FILTER_BICUBIC, CLIP_CROP_HALF_EVEN,
          1 / 255.0, { 0.5f, 0.5f, 0.5f }, { 0.5f, 0.5f, 0.5f }, 0 } },
  { "starter",
      { CLIP_RESIZE_CROP, 160, 160, CLIP_FILTER_BICUBIC, CLIP_CROP_HALF_EVEN,
          1 / 255.0, { 0.5f, 0.5f, 0.5f }, { 0.5f, 0.5f, 0.5f }, 0 } },
};

static gdouble
largest_difference (const gfloat *a, const gfloat *b, gsize n)
{
  gdouble largest = 0;

  for (gsize i = 0; i < n; i++)
    largest = MAX (largest, fabs ((gdouble) a[i] - b[i]));
  return largest;
}

static void
test_golden (gconstpointer data)
{
  const Golden *golden = data;
  const guint crop = golden->spec.crop;
  const gsize n = (gsize) 3 * crop * crop;
  g_autofree gfloat *out = g_new (gfloat, n);
  g_autofree gchar *file_name =
      g_strdup_printf ("tests/goldens/%s/expected.safetensors", golden->folder);
  g_autoptr (ClipPreprocessor) pre =
      clip_preprocessor_new (&golden->spec, CLIP_LAYOUT_PLANAR, 0);
  GoldenFile file;
  guint seen = 0;

  golden_open (&file, file_name);
  for (guint i = 0; i < 5; i++, seen++) {
    g_autofree gchar *picture =
        g_strdup_printf ("tests/goldens/%s/images/%u.png", golden->folder, i);
    g_autofree gchar *name = g_strdup_printf ("pixels.%u", i);
    gpointer owner;
    const ClipImage image = golden_read_picture (picture, &owner);
    GError *error = NULL;
    gsize bytes;
    const gfloat *expected = golden_get (&file, name, &bytes);

    g_assert_nonnull (expected);
    g_assert_cmpuint (bytes, ==, n * sizeof *out);
    g_assert_true (clip_preprocessor_run (pre, &image, CLIP_RESIZE_AUTO, out,
        &error));
    g_assert_no_error (error);
    g_assert_cmpfloat (largest_difference (out, expected, n), <=, 1e-6);
    g_object_unref (owner);
  }
  g_assert_cmpuint (seen, ==, 5);
  golden_close (&file);
}

/* The generator of tests/goldens/make-resize.py. */
static guint8 *
make_noise (guint width, guint height)
{
  const gsize n = (gsize) width * height * 3;
  guint8 *pixels = g_malloc (n);
  guint32 state = width * 65536 + height;

  for (gsize i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u;
    pixels[i] = state >> 24;
  }
  return pixels;
}

static guint
index_of (const gchar *word, const gchar *const *words)
{
  for (guint i = 0; words[i]; i++)
    if (g_str_equal (word, words[i]))
      return i;
  g_assert_not_reached ();
}

/* Rescale 1, mean 0, deviation 1: the bytes themselves. */
static void
check_resize_case (const gchar *name, const guint8 *expected, gsize bytes)
{
  static const gchar *const filters[] = { "nearest", "bilinear", "bicubic",
    "lanczos", NULL };
  static const gchar *const modes[] = { "auto", "crop", "squash", "pad", NULL };
  static const gchar *const roundings[] = { "floor", "even", NULL };
  g_auto (GStrv) words = g_strsplit (name, ".", -1);
  const guint width = (guint) atoi (words[0]);
  const guint height = (guint) atoi (words[1]);
  const ClipPreprocessSpec spec = {
    .mode = index_of (words[5], modes),
    .resize = (guint) atoi (words[2]),
    .crop = (guint) atoi (words[3]),
    .filter = index_of (words[4], filters),
    .rounding = index_of (words[6], roundings),
    .rescale = 1,
    .std = { 1, 1, 1 },
    .fill = 77,
  };
  g_autofree guint8 *pixels = make_noise (width, height);
  g_autofree gfloat *out = g_new (gfloat, bytes);
  g_autoptr (ClipPreprocessor) pre =
      clip_preprocessor_new (&spec, CLIP_LAYOUT_ROWS, 0);
  const ClipImage image = {
    .format = CLIP_PIXEL_RGB,
    .width = width,
    .height = height,
    .planes = { pixels },
    .strides = { (gint) width * 3 },
  };

  g_assert_cmpuint (bytes, ==, spec.crop * spec.crop * 3);
  g_assert_true (clip_preprocessor_run (pre, &image, CLIP_RESIZE_AUTO, out,
      NULL));
  for (gsize i = 0; i < bytes; i++)
    if (out[i] != expected[i])
      g_error ("%s: byte %" G_GSIZE_FORMAT " is %g, expected %u", name, i,
          out[i], expected[i]);
}

static void
test_resize (void)
{
  GoldenFile file;
  GList *names;

  golden_open (&file, "tests/goldens/resize.safetensors");
  names = golden_list (&file);
  g_assert_cmpuint (g_list_length (names), ==, 72);
  for (GList *l = names; l; l = l->next) {
    gsize bytes;
    const guint8 *expected = golden_get (&file, l->data, &bytes);

    check_resize_case (l->data, expected, bytes);
  }
  g_list_free (names);
  golden_close (&file);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (goldens); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/image/goldens/%s", goldens[i].folder);

    g_test_add_data_func (path, &goldens[i], test_golden);
  }
  g_test_add_func ("/image/resize", test_resize);
  return g_test_run ();
}
