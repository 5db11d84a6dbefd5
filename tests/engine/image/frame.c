/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
plane_size (ClipPixelFormat format, guint plane, guint width, guint height,
    gsize *line_bytes, guint *lines)
{
  const guint half_width = (width + 1) / 2, half_height = (height + 1) / 2;

  *lines = height;
  *line_bytes = width;
  switch (format) {
    case CLIP_PIXEL_I420:
    case CLIP_PIXEL_YV12:
      *line_bytes = plane ? half_width : width;
      *lines = plane ? half_height : height;
      break;
    case CLIP_PIXEL_NV12:
    case CLIP_PIXEL_NV21:
      *line_bytes = plane ? half_width * 2 : width;
      *lines = plane ? half_height : height;
      break;
    case CLIP_PIXEL_Y42B:
      *line_bytes = plane ? half_width : width;
      break;
    case CLIP_PIXEL_YUY2:
    case CLIP_PIXEL_UYVY:
      *line_bytes = half_width * 4;
      break;
    case CLIP_PIXEL_RGB:
    case CLIP_PIXEL_BGR:
      *line_bytes = width * 3;
      break;
    case CLIP_PIXEL_RGBA:
    case CLIP_PIXEL_BGRA:
    case CLIP_PIXEL_ARGB:
    case CLIP_PIXEL_ABGR:
      *line_bytes = width * 4;
      break;
    case CLIP_PIXEL_P010_10LE:
      *line_bytes = plane ? half_width * 4 : width * 2;
      *lines = plane ? half_height : height;
      break;
    case CLIP_PIXEL_I420_10LE:
      *line_bytes = (plane ? half_width : width) * 2;
      *lines = plane ? half_height : height;
      break;
    default:
      break;
  }
}

static guint
count_planes (ClipPixelFormat format)
{
  switch (format) {
    case CLIP_PIXEL_I420:
    case CLIP_PIXEL_YV12:
    case CLIP_PIXEL_Y42B:
    case CLIP_PIXEL_Y444:
    case CLIP_PIXEL_I420_10LE:
      return 3;
    case CLIP_PIXEL_NV12:
    case CLIP_PIXEL_NV21:
    case CLIP_PIXEL_P010_10LE:
      return 2;
    default:
      return 1;
  }
}

static void
init_plane (Frame *frame, GRand *rand, guint plane, gsize line_bytes,
    guint lines)
{
  const gsize page = (gsize) sysconf (_SC_PAGESIZE);
  const gsize stride = line_bytes + (gsize) g_rand_int_range (rand, 0, 40);
  const gsize bytes = stride * (lines - 1) + line_bytes;
  const gsize whole = (bytes + page - 1) / page * page;
  guint8 *map = mmap (NULL, whole + 2 * page, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  guint8 *start = map + page;

  g_assert_true (map != MAP_FAILED);
  g_assert_cmpint (mprotect (map, page, PROT_NONE), ==, 0);
  g_assert_cmpint (mprotect (map + page + whole, page, PROT_NONE), ==, 0);
  if (g_rand_boolean (rand))
    start += whole - bytes;
  for (gsize i = 0; i < bytes; i++)
    start[i] = (guint8) g_rand_int (rand);

  frame->maps[plane] = map;
  frame->map_bytes[plane] = whole + 2 * page;
  if (g_rand_boolean (rand)) {
    frame->image.planes[plane] = start;
    frame->image.strides[plane] = (gint) stride;
  } else {
    frame->image.planes[plane] = start + stride * (lines - 1);
    frame->image.strides[plane] = -(gint) stride;
  }
}

void
frame_init (Frame *frame, GRand *rand, ClipPixelFormat format, guint width,
    guint height)
{
  memset (frame, 0, sizeof *frame);
  frame->image.format = format;
  frame->image.width = width;
  frame->image.height = height;
  for (guint plane = 0; plane < count_planes (format); plane++) {
    gsize line_bytes;
    guint lines;

    plane_size (format, plane, width, height, &line_bytes, &lines);
    init_plane (frame, rand, plane, line_bytes, lines);
  }
}

void
frame_clear (Frame *frame)
{
  for (guint plane = 0; plane < 3; plane++)
    if (frame->maps[plane])
      munmap (frame->maps[plane], frame->map_bytes[plane]);
}

void
frame_randomise_view (Frame *frame, GRand *rand)
{
  static const guint ratios[][2] = { { 0, 0 }, { 1, 1 }, { 16, 11 }, { 8, 9 },
    { 3, 1 } };
  ClipImage *image = &frame->image;
  const guint ratio = (guint) g_rand_int_range (rand, 0, 5);

  if (g_rand_boolean (rand)) {
    image->crop_x = (guint) g_rand_int_range (rand, 0, (gint) image->width);
    image->crop_y = (guint) g_rand_int_range (rand, 0, (gint) image->height);
    image->crop_width = (guint) g_rand_int_range (rand, 1,
        (gint) (image->width - image->crop_x) + 1);
    image->crop_height = (guint) g_rand_int_range (rand, 1,
        (gint) (image->height - image->crop_y) + 1);
  }
  image->matrix = g_rand_int_range (rand, 0, CLIP_MATRIX_FCC + 1);
  image->full_range = g_rand_boolean (rand);
  image->interlaced = g_rand_int_range (rand, 0, 4) == 0;
  image->par_n = ratios[ratio][0];
  image->par_d = ratios[ratio][1];
  image->orientation = g_rand_int_range (rand, 0, 8);
}

static const guint8 *
sample_at (const ClipImage *image, guint plane, gsize byte, guint line)
{
  return image->planes[plane] + (gssize) line * image->strides[plane] + byte;
}

/* Line of 4:2:0 chroma: every two lines, of each field where interlaced. */
static guint
chroma_line (const ClipImage *image, guint y)
{
  const guint lines = (image->height + 1) / 2;
  guint line;

  if (!image->interlaced)
    return y / 2;
  line = y % 4 == 0 || y % 4 == 2 ? y / 4 * 2 : y / 4 * 2 + 1;
  while (line >= lines && line >= 2)
    line -= 2;
  return MIN (line, lines - 1);
}

static void
convert (const ClipImage *image, gdouble y, gdouble cb, gdouble cr, gdouble max,
    gdouble rgb[3])
{
  static const gdouble kr[] = { 0.299, 0.2126, 0.2627, 0.212, 0.30 };
  static const gdouble kb[] = { 0.114, 0.0722, 0.0593, 0.087, 0.11 };
  const gdouble r = kr[image->matrix], b = kb[image->matrix];
  const gdouble unit = (max + 1) / 256;

  cb = (cb - 128 * unit) / (image->full_range ? max : 224 * unit);
  cr = (cr - 128 * unit) / (image->full_range ? max : 224 * unit);
  y = image->full_range ? y / max : (y - 16 * unit) / (219 * unit);
  rgb[0] = 255 * (y + 2 * (1 - r) * cr);
  rgb[2] = 255 * (y + 2 * (1 - b) * cb);
  rgb[1] = (255 * y - r * rgb[0] - b * rgb[2]) / (1 - r - b);
}

static gdouble
word (const guint8 *bytes, guint shift)
{
  return ((bytes[0] + bytes[1] * 256) >> shift) & 1023;
}

void
frame_get_pixel (const ClipImage *image, guint x, guint y, gdouble rgb[3])
{
  static const guint rgb_orders[][4] = { [CLIP_PIXEL_RGB] = { 0, 1, 2, 3 },
    [CLIP_PIXEL_BGR] = { 2, 1, 0, 3 },
    [CLIP_PIXEL_RGBA] = { 0, 1, 2, 4 },
    [CLIP_PIXEL_BGRA] = { 2, 1, 0, 4 },
    [CLIP_PIXEL_ARGB] = { 1, 2, 3, 4 },
    [CLIP_PIXEL_ABGR] = { 3, 2, 1, 4 } };
  const guint c = chroma_line (image, y);
  const guint8 *p;

  switch (image->format) {
    case CLIP_PIXEL_I420:
      convert (image, *sample_at (image, 0, x, y),
          *sample_at (image, 1, x / 2, c), *sample_at (image, 2, x / 2, c), 255,
          rgb);
      break;
    case CLIP_PIXEL_YV12:
      convert (image, *sample_at (image, 0, x, y),
          *sample_at (image, 2, x / 2, c), *sample_at (image, 1, x / 2, c), 255,
          rgb);
      break;
    case CLIP_PIXEL_NV12:
      p = sample_at (image, 1, x / 2 * 2, c);
      convert (image, *sample_at (image, 0, x, y), p[0], p[1], 255, rgb);
      break;
    case CLIP_PIXEL_NV21:
      p = sample_at (image, 1, x / 2 * 2, c);
      convert (image, *sample_at (image, 0, x, y), p[1], p[0], 255, rgb);
      break;
    case CLIP_PIXEL_Y42B:
      convert (image, *sample_at (image, 0, x, y),
          *sample_at (image, 1, x / 2, y), *sample_at (image, 2, x / 2, y), 255,
          rgb);
      break;
    case CLIP_PIXEL_Y444:
      convert (image, *sample_at (image, 0, x, y), *sample_at (image, 1, x, y),
          *sample_at (image, 2, x, y), 255, rgb);
      break;
    case CLIP_PIXEL_YUY2:
      p = sample_at (image, 0, x / 2 * 4, y);
      convert (image, p[x % 2 ? 2 : 0], p[1], p[3], 255, rgb);
      break;
    case CLIP_PIXEL_UYVY:
      p = sample_at (image, 0, x / 2 * 4, y);
      convert (image, p[x % 2 ? 3 : 1], p[0], p[2], 255, rgb);
      break;
    case CLIP_PIXEL_GRAY8:
      convert (image, *sample_at (image, 0, x, y), 128, 128, 255, rgb);
      break;
    case CLIP_PIXEL_P010_10LE:
      p = sample_at (image, 1, x / 2 * 4, c);
      convert (image, word (sample_at (image, 0, x * 2, y), 6), word (p, 6),
          word (p + 2, 6), 1023, rgb);
      break;
    case CLIP_PIXEL_I420_10LE:
      convert (image, word (sample_at (image, 0, x * 2, y), 0),
          word (sample_at (image, 1, x / 2 * 2, c), 0),
          word (sample_at (image, 2, x / 2 * 2, c), 0), 1023, rgb);
      break;
    default:
      p = sample_at (image, 0, x * rgb_orders[image->format][3], y);
      for (guint i = 0; i < 3; i++)
        rgb[i] = p[rgb_orders[image->format][i]];
  }
}
