/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/image/axis.h"

#include <math.h>
#include <string.h>

static gdouble
bilinear (gdouble x)
{
  x = fabs (x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys' cubic with a = -0.5. */
static gdouble
bicubic (gdouble x)
{
  const gdouble a = -0.5;

  x = fabs (x);
  if (x < 1.0)
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0)
    return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

static gdouble
sinc (gdouble x)
{
  if (x == 0.0)
    return 1.0;
  x *= G_PI;
  return sin (x) / x;
}

static gdouble
lanczos (gdouble x)
{
  return x >= -3.0 && x < 3.0 ? sinc (x) * sinc (x / 3) : 0.0;
}

static const struct {
  gdouble (*function) (gdouble x);
  gdouble support;
} filters[] = {
  [CLIP_FILTER_BILINEAR] = { bilinear, 1.0 },
  [CLIP_FILTER_BICUBIC] = { bicubic, 2.0 },
  [CLIP_FILTER_LANCZOS] = { lanczos, 3.0 },
};

static void
allocate (ClipAxis *axis, guint n, guint max_count)
{
  axis->n = n;
  axis->max_count = max_count;
  axis->first = g_new (guint, n);
  axis->count = g_new (guint, n);
  axis->weights = g_new0 (gint32, (gsize) n * max_count);
  axis->packed = NULL;
  axis->packed_stride = 0;
}

static void
set_single (ClipAxis *axis, guint i, guint first)
{
  axis->first[i] = first;
  axis->count[i] = 1;
  axis->weights[i] = 1 << CLIP_WEIGHT_BITS;
}

/* Pillow adds the step up rather than multiplying, which decides the samples
 * that fall on a boundary. Its accumulated error means nothing in pictures
 * stretched beyond a million pixels, where adding would take too long. */
static void
init_nearest (ClipAxis *axis, guint in, gint64 out, gint64 start, guint n)
{
  const gdouble step = (gdouble) in / out;
  const gint64 skipped = MAX (start - (1 << 20), 0);
  gdouble position = step * 0.5 + skipped * step;

  allocate (axis, n, 1);
  for (gint64 i = skipped; i < start; i++)
    position += step;
  for (guint i = 0; i < n; i++, position += step)
    set_single (axis, i, MIN ((guint) position, in - 1));
}

/* Weights of one output in double, not yet summing to 1; returns the sum. */
static gdouble
evaluate (ClipFilter filter, guint first, guint count, gdouble center,
    gdouble filter_scale, gdouble *out)
{
  const gdouble inverse = 1.0 / filter_scale;
  gdouble sum = 0;

  for (guint i = 0; i < count; i++) {
    out[i] = filters[filter].function ((i + first - center + 0.5) * inverse);
    sum += out[i];
  }
  return sum;
}

void
clip_axis_init (ClipAxis *axis, ClipFilter filter, guint in, gint64 out,
    gint64 start, guint n)
{
  const gdouble scale = (gdouble) in / out;
  const gdouble filter_scale = MAX (scale, 1.0);
  const gdouble support = filters[filter].support * filter_scale;
  g_autofree gdouble *exact = NULL;
  guint max_count;

  if (filter == CLIP_FILTER_NEAREST) {
    init_nearest (axis, in, out, start, n);
    return;
  }
  if (in == out) {
    allocate (axis, n, 1);
    for (guint i = 0; i < n; i++)
      set_single (axis, i, (guint) start + i);
    return;
  }

  max_count = MIN ((guint) ceil (support) * 2 + 1, in);
  allocate (axis, n, max_count);
  exact = g_new (gdouble, max_count);
  for (guint i = 0; i < n; i++) {
    const gdouble center = (start + i + 0.5) * scale;
    const gint first = MAX ((gint) (center - support + 0.5), 0);
    const gint end = MIN ((gint) (center + support + 0.5), (gint) in);
    gint32 *weights = axis->weights + (gsize) i * max_count;
    gdouble sum;

    axis->first[i] = first;
    axis->count[i] = end - first;
    sum = evaluate (filter, first, end - first, center, filter_scale, exact);
    for (gint k = 0; k < end - first; k++) {
      const gdouble weight = sum != 0.0 ? exact[k] / sum : exact[k];
      const gdouble half = weight < 0 ? -0.5 : 0.5;

      weights[k] = (gint32) (half + weight * (1 << CLIP_WEIGHT_BITS));
    }
  }
}

void
clip_axis_clear (ClipAxis *axis)
{
  g_free (axis->first);
  g_free (axis->count);
  g_free (axis->weights);
  g_free (axis->packed);
  memset (axis, 0, sizeof *axis);
}

static void
split (gint32 weight, gint16 *high, gint16 *low)
{
  *high = (gint16) ((weight + 2048) >> 12);
  *low = (gint16) (weight - *high * 4096);
}

void
clip_axis_pack_pixels (ClipAxis *axis, guint group)
{
  const guint groups = (axis->max_count + 1 + group - 1) / group;

  axis->packed_stride = (gsize) groups * group * 8;
  axis->packed = g_new0 (gint16, axis->n * axis->packed_stride);
  for (guint i = 0; i < axis->n; i++) {
    for (guint k = 0; k < axis->count[i]; k++) {
      const guint pixel = (axis->first[i] & 1) + k;
      gint16 *high = axis->packed + i * axis->packed_stride
          + (gsize) (pixel / group) * group * 8 + pixel % group / 2 * 8
          + pixel % 2;

      for (guint channel = 0; channel < 4; channel++)
        split (axis->weights[(gsize) i * axis->max_count + k],
            &high[channel * 2], &high[group * 4 + channel * 2]);
    }
  }
}

void
clip_axis_pack_lines (ClipAxis *axis)
{
  axis->packed_stride = (axis->max_count + 1) / 2 * 4;
  axis->packed = g_new0 (gint16, axis->n * axis->packed_stride);
  for (guint i = 0; i < axis->n; i++)
    for (guint k = 0; k < axis->count[i]; k++) {
      gint16 *high = axis->packed + i * axis->packed_stride + k / 2 * 4 + k % 2;

      split (axis->weights[(gsize) i * axis->max_count + k], high, high + 2);
    }
}
