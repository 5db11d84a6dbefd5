/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/image/preprocess.h"

#include <string.h>

#include "engine/image/geometry.h"
#include "engine/image/kernels.h"

/* What the weights depend on. All members are words, so that keys can be
 * compared as memory. */
typedef struct {
  guint crop_x, crop_y, par_n, par_d, orientation, mode;
  guint width, height; /* of the crop rectangle */
} GeometryKey;

struct _ClipPreprocessor {
  ClipPreprocessSpec spec;
  ClipLayout layout;
  guint patch;
  gfloat table[3][256]; /* the normalised value of every byte */
  ClipImageKernels kernels;

  /* Everything below belongs to the geometry of `key`. */
  gboolean ready;
  GeometryKey key;
  ClipGeometry geometry;
  ClipAxis x, y;         /* x.first counts from column `column` on */
  guint column, columns; /* the stored columns that are converted */
  guint *lines;          /* [n_lines] the stored lines that are converted */
  guint *line_of;        /* [y.n] where an output's first line is in `lines` */
  guint n_lines;

  gint16 *rows; /* CLIP_LINES_AT_ONCE pair rows, row_stride apart */
  gsize row_stride;
  guint8 *ring; /* the last ring_lines thin lines, ring_stride apart */
  gsize ring_stride;
  guint ring_lines;
  const guint8 **taps; /* [y.max_count + 1] */
  /* The window, R G B 0, as stored, [crop x crop]. What lies outside the
   * picture is filled once; x and y go to window_x, window_y. */
  guint8 *window;
  guint window_x, window_y;
};

static void
fill_table (ClipPreprocessor *pre)
{
  const ClipPreprocessSpec *spec = &pre->spec;

  for (guint channel = 0; channel < 3; channel++)
    for (guint value = 0; value < 256; value++) {
      const gfloat scaled = (gfloat) (value * spec->rescale);

      pre->table[channel][value] =
          (scaled - spec->mean[channel]) / spec->std[channel];
    }
}

ClipPreprocessor *
clip_preprocessor_new (const ClipPreprocessSpec *spec, ClipLayout layout,
    guint patch)
{
  ClipPreprocessor *pre;

  g_return_val_if_fail (spec->resize > 0 && spec->crop > 0, NULL);
  g_return_val_if_fail (spec->resize <= CLIP_PREPROCESS_MAX_SIZE
          && spec->crop <= CLIP_PREPROCESS_MAX_SIZE,
      NULL);
  g_return_val_if_fail (layout != CLIP_LAYOUT_PATCHES
          || (patch > 0 && patch <= spec->crop),
      NULL);

  pre = g_new0 (ClipPreprocessor, 1);
  pre->spec = *spec;
  if (pre->spec.mode == CLIP_RESIZE_AUTO)
    pre->spec.mode = CLIP_RESIZE_CROP;
  pre->layout = layout;
  pre->patch = patch;
  clip_image_kernels_init (&pre->kernels, clip_processor_detect ());
  fill_table (pre);
  return pre;
}

static void
clear_geometry (ClipPreprocessor *pre)
{
  pre->ready = FALSE;
  clip_axis_clear (&pre->x);
  clip_axis_clear (&pre->y);
  g_clear_pointer (&pre->lines, g_free);
  g_clear_pointer (&pre->line_of, g_free);
  g_clear_pointer (&pre->rows, g_free);
  g_clear_pointer (&pre->ring, g_free);
  g_clear_pointer (&pre->taps, g_free);
  g_clear_pointer (&pre->window, g_free);
}

void
clip_preprocessor_free (ClipPreprocessor *pre)
{
  clear_geometry (pre);
  g_free (pre);
}

/* The part of the window that shows the picture; returns where it starts. */
static guint
init_axis (ClipAxis *axis, const ClipSpan *span, ClipFilter filter, guint crop)
{
  const gint64 start = MAX (span->offset, 0);
  const gint64 end = MIN (span->offset + crop, span->out);

  clip_axis_init (axis, filter, span->in, span->out, start,
      (guint) (end - start));
  return (guint) (start - span->offset);
}

/* Converts from an even column on, because two pixels may share a chroma
 * sample, and counts from there. */
static void
init_columns (ClipPreprocessor *pre, guint crop_x)
{
  guint first = G_MAXUINT, end = 0;

  for (guint i = 0; i < pre->x.n; i++) {
    first = MIN (first, pre->x.first[i]);
    end = MAX (end, pre->x.first[i] + pre->x.count[i]);
  }
  pre->column = (crop_x + first) & ~1u;
  pre->columns = crop_x + end - pre->column;
  for (guint i = 0; i < pre->x.n; i++)
    pre->x.first[i] += crop_x - pre->column;
}

/* The lines that any output needs: NEAREST leaves some out. */
static void
init_lines (ClipPreprocessor *pre, guint crop_y)
{
  const ClipAxis *y = &pre->y;
  guint next = 0, n = 0;

  pre->lines = g_new (guint, pre->geometry.y.in);
  pre->line_of = g_new (guint, y->n);
  for (guint i = 0; i < y->n; i++) {
    const guint end = y->first[i] + y->count[i];

    for (next = MAX (next, y->first[i]); next < end; next++)
      pre->lines[n++] = crop_y + next;
    pre->line_of[i] = n - (next - y->first[i]);
  }
  pre->n_lines = n;
}

static void
init_buffers (ClipPreprocessor *pre)
{
  const guint crop = pre->spec.crop;
  const guint8 fill = pre->key.mode == CLIP_RESIZE_PAD ? pre->spec.fill : 0;

  pre->row_stride = ((gsize) pre->columns + CLIP_ROW_SLACK + 1) / 2 * 8;
  pre->rows = g_new0 (gint16, pre->row_stride * CLIP_LINES_AT_ONCE);
  pre->ring_lines = pre->y.max_count + CLIP_LINES_AT_ONCE;
  pre->ring_stride = (gsize) pre->x.n * 4;
  pre->ring = g_malloc0 (pre->ring_stride * pre->ring_lines + CLIP_LINE_SLACK);
  pre->taps = g_new0 (const guint8 *, pre->y.max_count + 1);
  pre->window = g_malloc ((gsize) crop * crop * 4);
  memset (pre->window, fill, (gsize) crop * crop * 4);
}

static void
set_geometry (ClipPreprocessor *pre, const GeometryKey *key,
    const ClipImage *image)
{
  clear_geometry (pre);
  pre->key = *key;
  clip_geometry_init (&pre->geometry, &pre->spec, key->mode, image);
  pre->window_x =
      init_axis (&pre->x, &pre->geometry.x, pre->spec.filter, pre->spec.crop);
  pre->window_y =
      init_axis (&pre->y, &pre->geometry.y, pre->spec.filter, pre->spec.crop);
  init_columns (pre, key->crop_x);
  init_lines (pre, key->crop_y);
  if (pre->kernels.group) {
    clip_axis_pack_pixels (&pre->x, pre->kernels.group);
    clip_axis_pack_lines (&pre->y);
  }
  init_buffers (pre);
  pre->ready = TRUE;
}

/* Converts and narrows the next lines, from the one at `position` in `lines`
 * on, into the ring; returns how many. */
static guint
load_lines (ClipPreprocessor *pre, const ClipImage *image,
    const ClipColour *colour, guint position)
{
  const guint n = MIN (pre->n_lines - position, CLIP_LINES_AT_ONCE);
  const gint16 *rows[CLIP_LINES_AT_ONCE];
  guint8 *out[CLIP_LINES_AT_ONCE];

  for (guint i = 0; i < CLIP_LINES_AT_ONCE; i++) {
    const guint k = i < n ? i : 0;
    gint16 *row = pre->rows + k * pre->row_stride;

    rows[i] = row;
    out[i] = pre->ring + (position + k) % pre->ring_lines * pre->ring_stride;
    if (i < n) {
      const ClipLine line =
          clip_image_get_line (image, pre->lines[position + i]);

      pre->kernels.convert[image->format](&line, colour, pre->column,
          pre->columns, row);
    }
  }
  pre->kernels.horizontal (&pre->x, rows, out);
  return n;
}

static void
resample (ClipPreprocessor *pre, const ClipImage *image)
{
  const ClipAxis *y = &pre->y;
  ClipColour colour;
  guint loaded = 0;

  clip_colour_init (&colour, image);
  for (guint i = 0; i < y->n; i++) {
    const guint first = pre->line_of[i];
    const guint count = y->count[i];
    guint8 *out = pre->window
        + ((gsize) (pre->window_y + i) * pre->spec.crop + pre->window_x) * 4;

    while (loaded < first + count)
      loaded += load_lines (pre, image, &colour, loaded);
    for (guint k = 0; k < count; k++)
      pre->taps[k] =
          pre->ring + (first + k) % pre->ring_lines * pre->ring_stride;
    pre->taps[count] = pre->taps[count - 1];
    pre->kernels.vertical (y, i, pre->taps, out, pre->x.n * 4);
  }
}

/* `n` pixels of the window, `step` bytes apart, to their places. */
static void
write_run (const ClipPreprocessor *pre, const guint8 *pixel, gssize step,
    guint n, gfloat *out, gsize channel_stride, gsize pixel_stride)
{
  for (guint i = 0; i < n; i++, pixel += step, out += pixel_stride) {
    out[0] = pre->table[0][pixel[0]];
    out[channel_stride] = pre->table[1][pixel[1]];
    out[channel_stride * 2] = pre->table[2][pixel[2]];
  }
}

/* One upright line, whose first pixel is `pixel`. */
static void
write_line (const ClipPreprocessor *pre, const guint8 *pixel, gssize step,
    guint y, gfloat *out)
{
  const gsize crop = pre->spec.crop;
  const gsize patch = pre->patch;
  const gsize across = patch ? crop / patch : 0;

  switch (pre->layout) {
    case CLIP_LAYOUT_PLANAR:
      write_run (pre, pixel, step, crop, out + y * crop, crop * crop, 1);
      break;
    case CLIP_LAYOUT_ROWS:
      write_run (pre, pixel, step, crop, out + y * crop * 3, 1, 3);
      break;
    case CLIP_LAYOUT_PATCHES:
      if (y >= across * patch)
        break;
      for (gsize i = 0; i < across; i++)
        write_run (pre, pixel + (gssize) (i * patch) * step, step, patch,
            out + (y / patch * across + i) * 3 * patch * patch
                + y % patch * patch,
            patch * patch, 1);
      break;
  }
}

/* Turns the window upright while normalising it. */
static void
write_window (const ClipPreprocessor *pre, gfloat *out)
{
  const ClipGeometry *geometry = &pre->geometry;
  const gssize crop = pre->spec.crop;
  const gssize pitch = crop * 4;
  const gssize step_x = geometry->flip_x ? -4 : 4;
  const gssize step_y = geometry->flip_y ? -pitch : pitch;
  const guint8 *origin = pre->window + (geometry->flip_x ? pitch - 4 : 0)
      + (geometry->flip_y ? (crop - 1) * pitch : 0);

  for (guint y = 0; y < pre->spec.crop; y++) {
    if (geometry->transpose)
      write_line (pre, origin + y * step_x, step_y, y, out);
    else
      write_line (pre, origin + y * step_y, step_x, y, out);
  }
}

gboolean
clip_preprocessor_run (ClipPreprocessor *pre, const ClipImage *image,
    ClipResizeMode mode, gfloat *out, GError **error)
{
  const gboolean whole = image->crop_width == 0;
  GeometryKey key;

  if (!clip_image_check (image, error))
    return FALSE;
  key = (GeometryKey){
    .crop_x = whole ? 0 : image->crop_x,
    .crop_y = whole ? 0 : image->crop_y,
    .width = whole ? image->width : image->crop_width,
    .height = whole ? image->height : image->crop_height,
    .par_n = image->par_n,
    .par_d = image->par_d,
    .orientation = image->orientation,
    .mode = mode == CLIP_RESIZE_AUTO ? pre->spec.mode : mode,
  };
  if (!pre->ready || memcmp (&key, &pre->key, sizeof key) != 0)
    set_geometry (pre, &key, image);
  resample (pre, image);
  write_window (pre, out);
  return TRUE;
}
