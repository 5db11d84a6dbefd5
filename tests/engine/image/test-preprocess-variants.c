/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every compiled variant of the kernels gives the bytes of plain C, and none
 * allocates once it knows the geometry.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/image/preprocess.h"
#include "engine/processor.h"
#include "frame.h"
#include "tests/allocations.h"

static ClipProcessor best;

static ClipPreprocessor *
new_variant (ClipProcessor processor, const ClipPreprocessSpec *spec,
    ClipLayout layout)
{
  g_setenv ("GST_CLIP_PROCESSOR", clip_processor_name (processor), TRUE);
  g_assert_cmpint (clip_processor_detect (), ==, processor);
  return clip_preprocessor_new (spec, layout, 7);
}

static ClipPreprocessSpec
random_spec (GRand *rand)
{
  const guint resize = (guint) g_rand_int_range (rand, 7, 60);

  return (ClipPreprocessSpec){
    .mode = g_rand_int_range (rand, CLIP_RESIZE_CROP, CLIP_RESIZE_PAD + 1),
    .resize = resize,
    .crop =
        g_rand_boolean (rand) ? resize : (guint) g_rand_int_range (rand, 7, 60),
    .filter = g_rand_int_range (rand, 0, CLIP_FILTER_LANCZOS + 1),
    .rounding = g_rand_int_range (rand, 0, 2),
    .rescale = 1 / 255.0,
    .mean = { 0.4f, 0.5f, 0.6f },
    .std = { 0.2f, 0.3f, 0.25f },
    .fill = (guint8) g_rand_int (rand),
  };
}

/* Small pictures, so that every kind of edge is met, and now and then a wide
 * or a tall one. */
static guint
random_side (GRand *rand)
{
  const gint largest = g_rand_int_range (rand, 0, 8) ? 100 : 1500;

  return (guint) g_rand_int_range (rand, 1, largest);
}

static void
check_variants (GRand *rand, ClipProcessor processor, ClipPixelFormat format)
{
  const ClipPreprocessSpec spec = random_spec (rand);
  const ClipLayout layout = g_rand_int_range (rand, 0, 3);
  const gsize n = (gsize) 3 * spec.crop * spec.crop;
  g_autoptr (ClipPreprocessor) plain =
      new_variant (CLIP_PROCESSOR_C, &spec, layout);
  g_autoptr (ClipPreprocessor) fast = new_variant (processor, &spec, layout);
  g_autofree gfloat *expected = g_new0 (gfloat, n);
  g_autofree gfloat *found = g_new0 (gfloat, n);

  for (guint i = 0; i < 3; i++) {
    const guint width = random_side (rand);
    Frame frame;

    frame_init (&frame, rand, format, width, random_side (rand));
    frame_randomise_view (&frame, rand);
    g_assert_true (clip_preprocessor_run (plain, &frame.image, CLIP_RESIZE_AUTO,
        expected, NULL));
    g_assert_true (clip_preprocessor_run (fast, &frame.image, CLIP_RESIZE_AUTO,
        found, NULL));
    g_assert_cmpmem (found, n * sizeof *found, expected, n * sizeof *expected);
    frame_clear (&frame);
  }
}

static void
test_variant (gconstpointer data)
{
  const ClipProcessor processor = GPOINTER_TO_UINT (data);
  GRand *rand = g_rand_new_with_seed (processor);

  for (guint i = 0; i < 40; i++)
    for (guint format = 0; format < CLIP_PIXEL_N_FORMATS; format++)
      check_variants (rand, processor, format);
  g_rand_free (rand);
}

/* The size that matters most, with every edge of the vectors in play. */
static void
test_full_size (gconstpointer data)
{
  const ClipProcessor processor = GPOINTER_TO_UINT (data);
  GRand *rand = g_rand_new_with_seed (processor);
  ClipPreprocessSpec spec = random_spec (rand);
  Frame frame;

  spec.filter = CLIP_FILTER_BICUBIC;
  spec.mode = CLIP_RESIZE_CROP;
  spec.resize = spec.crop = 224;
  frame_init (&frame, rand, CLIP_PIXEL_NV12, 1920, 1080);
  {
    g_autoptr (ClipPreprocessor) plain =
        new_variant (CLIP_PROCESSOR_C, &spec, CLIP_LAYOUT_PLANAR);
    g_autoptr (ClipPreprocessor) fast =
        new_variant (processor, &spec, CLIP_LAYOUT_PLANAR);
    const gsize n = 3 * 224 * 224;
    g_autofree gfloat *expected = g_new (gfloat, n);
    g_autofree gfloat *found = g_new (gfloat, n);

    g_assert_true (clip_preprocessor_run (plain, &frame.image, CLIP_RESIZE_AUTO,
        expected, NULL));
    g_assert_true (clip_preprocessor_run (fast, &frame.image, CLIP_RESIZE_AUTO,
        found, NULL));
    g_assert_cmpmem (found, n * sizeof *found, expected, n * sizeof *expected);
  }
  frame_clear (&frame);
  g_rand_free (rand);
}

static void
test_allocations (gconstpointer data)
{
  GRand *rand = g_rand_new_with_seed (9);
  const ClipPreprocessSpec spec = random_spec (rand);
  g_autoptr (ClipPreprocessor) pre =
      new_variant (GPOINTER_TO_UINT (data), &spec, CLIP_LAYOUT_PATCHES);
  g_autofree gfloat *out = g_new (gfloat, (gsize) 3 * spec.crop * spec.crop);
  guint64 before;
  Frame frame;

  if (!allocations_are_counted ()) {
    g_test_skip ("another malloc () is in place, which counts for itself");
    g_rand_free (rand);
    return;
  }
  frame_init (&frame, rand, CLIP_PIXEL_I420, 321, 243);
  before = allocations_count ();
  g_assert_true (clip_preprocessor_run (pre, &frame.image, CLIP_RESIZE_AUTO,
      out, NULL));
  g_assert_cmpuint (allocations_count (), >, before);
  before = allocations_count ();
  for (guint i = 0; i < 10; i++)
    g_assert_true (clip_preprocessor_run (pre, &frame.image, CLIP_RESIZE_AUTO,
        out, NULL));
  g_assert_cmpuint (allocations_count (), ==, before);
  frame_clear (&frame);
  g_rand_free (rand);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_unsetenv ("GST_CLIP_PROCESSOR");
  best = clip_processor_detect ();
  for (guint i = 0; i <= best; i++) {
    const gchar *name = clip_processor_name (i);
    g_autofree gchar *equal = g_strdup_printf ("/image/variants/%s", name);
    g_autofree gchar *full = g_strdup_printf ("/image/full-size/%s", name);
    g_autofree gchar *calls = g_strdup_printf ("/image/allocations/%s", name);

    if (i > CLIP_PROCESSOR_C) {
      g_test_add_data_func (equal, GUINT_TO_POINTER (i), test_variant);
      g_test_add_data_func (full, GUINT_TO_POINTER (i), test_full_size);
    }
    g_test_add_data_func (calls, GUINT_TO_POINTER (i), test_allocations);
  }
  return g_test_run ();
}
