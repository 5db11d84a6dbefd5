/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Milliseconds to prepare one frame, for every variant of the kernels that
 * this processor runs: medians, the variants taking turns.
 */
#include <stdlib.h>

#include "engine/image/preprocess.h"
#include "engine/processor.h"

#define ROUNDS 25

typedef struct {
  const gchar *name;
  ClipPixelFormat format;
  guint width, height;
  ClipResizeMode mode;
} Case;

static const Case cases[] = {
  { "NV12", CLIP_PIXEL_NV12, 1920, 1080, CLIP_RESIZE_CROP },
  { "NV12", CLIP_PIXEL_NV12, 1920, 1080, CLIP_RESIZE_SQUASH },
  { "I420", CLIP_PIXEL_I420, 1920, 1080, CLIP_RESIZE_CROP },
  { "YUY2", CLIP_PIXEL_YUY2, 1920, 1080, CLIP_RESIZE_CROP },
  { "P010", CLIP_PIXEL_P010_10LE, 1920, 1080, CLIP_RESIZE_CROP },
  { "RGB", CLIP_PIXEL_RGB, 1920, 1080, CLIP_RESIZE_CROP },
  { "BGRA", CLIP_PIXEL_BGRA, 1920, 1080, CLIP_RESIZE_CROP },
  { "NV12", CLIP_PIXEL_NV12, 3840, 2160, CLIP_RESIZE_CROP },
  { "I420", CLIP_PIXEL_I420, 1280, 720, CLIP_RESIZE_CROP },
  { "I420", CLIP_PIXEL_I420, 320, 240, CLIP_RESIZE_CROP },
};

static const ClipPreprocessSpec spec = {
  .mode = CLIP_RESIZE_CROP,
  .resize = 224,
  .crop = 224,
  .filter = CLIP_FILTER_BICUBIC,
  .rounding = CLIP_CROP_HALF_EVEN,
  .rescale = 1 / 255.0,
  .mean = { 0.5f, 0.5f, 0.5f },
  .std = { 0.5f, 0.5f, 0.5f },
};

static int
compare (gconstpointer a, gconstpointer b)
{
  const gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static void
run_case (const Case *test, ClipPreprocessor **variants, guint n_variants)
{
  /* Wide enough for every format, so that one buffer serves all planes. */
  const gsize stride = test->width * 4;
  g_autofree guint8 *pixels = g_malloc (stride * test->height);
  g_autofree gfloat *out = g_new (gfloat, 3 * spec.crop * spec.crop);
  gint64 times[CLIP_PROCESSOR_AVX512 + 1][ROUNDS];
  const ClipImage image = {
    .format = test->format,
    .width = test->width,
    .height = test->height,
    .planes = { pixels, pixels, pixels },
    .strides = { (gint) stride, (gint) stride, (gint) stride },
    .matrix = CLIP_MATRIX_BT709,
  };

  for (gsize i = 0; i < stride * test->height; i++)
    pixels[i] = (guint8) (i * 2654435761u >> 24);
  for (guint round = 0; round < ROUNDS; round++)
    for (guint i = 0; i < n_variants; i++) {
      const gint64 start = g_get_monotonic_time ();

      if (!clip_preprocessor_run (variants[i], &image, test->mode, out, NULL))
        g_error ("%s: refused", test->name);
      times[i][round] = g_get_monotonic_time () - start;
    }

  g_print ("%-5s %4u x %4u %-7s", test->name, test->width, test->height,
      test->mode == CLIP_RESIZE_CROP ? "crop" : "squash");
  for (guint i = 0; i < n_variants; i++) {
    qsort (times[i], ROUNDS, sizeof times[i][0], compare);
    g_print ("  %8.3f (%7.3f)", times[i][ROUNDS / 2] / 1e3, times[i][0] / 1e3);
  }
  g_print ("\n");
}

int
main (void)
{
  const guint n_variants = clip_processor_detect () + 1;
  ClipPreprocessor *variants[CLIP_PROCESSOR_AVX512 + 1];

  g_print ("ms per frame to 224 bicubic, median (least) of %d\n%-24s", ROUNDS,
      "");
  for (guint i = 0; i < n_variants; i++) {
    g_setenv ("GST_CLIP_PROCESSOR", clip_processor_name (i), TRUE);
    variants[i] = clip_preprocessor_new (&spec, CLIP_LAYOUT_PATCHES, 32);
    g_print ("  %-18s", clip_processor_name (i));
  }
  g_print ("\n");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    run_case (&cases[i], variants, n_variants);
  for (guint i = 0; i < n_variants; i++)
    clip_preprocessor_free (variants[i]);
  return 0;
}
