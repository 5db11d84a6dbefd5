/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/image/pixels.h"

#include <math.h>

/* Chroma planes are subsampled by 2^sub_x and 2^sub_y; bytes are those from
 * one sample (or pixel, or interleaved pair) of a plane to the next. */
typedef struct {
  const gchar *name;
  guint8 n_planes, sub_x, sub_y;
  guint8 bytes[3];
} PixelFormat;

static const PixelFormat formats[CLIP_PIXEL_N_FORMATS] = {
  [CLIP_PIXEL_I420] = { "I420", 3, 1, 1, { 1, 1, 1 } },
  [CLIP_PIXEL_YV12] = { "YV12", 3, 1, 1, { 1, 1, 1 } },
  [CLIP_PIXEL_NV12] = { "NV12", 2, 1, 1, { 1, 2 } },
  [CLIP_PIXEL_NV21] = { "NV21", 2, 1, 1, { 1, 2 } },
  [CLIP_PIXEL_Y42B] = { "Y42B", 3, 1, 0, { 1, 1, 1 } },
  [CLIP_PIXEL_Y444] = { "Y444", 3, 0, 0, { 1, 1, 1 } },
  [CLIP_PIXEL_YUY2] = { "YUY2", 1, 0, 0, { 2 } },
  [CLIP_PIXEL_UYVY] = { "UYVY", 1, 0, 0, { 2 } },
  [CLIP_PIXEL_RGB] = { "RGB", 1, 0, 0, { 3 } },
  [CLIP_PIXEL_BGR] = { "BGR", 1, 0, 0, { 3 } },
  [CLIP_PIXEL_RGBA] = { "RGBA", 1, 0, 0, { 4 } },
  [CLIP_PIXEL_BGRA] = { "BGRA", 1, 0, 0, { 4 } },
  [CLIP_PIXEL_ARGB] = { "ARGB", 1, 0, 0, { 4 } },
  [CLIP_PIXEL_ABGR] = { "ABGR", 1, 0, 0, { 4 } },
  [CLIP_PIXEL_GRAY8] = { "GRAY8", 1, 0, 0, { 1 } },
  [CLIP_PIXEL_P010_10LE] = { "P010_10LE", 2, 1, 1, { 2, 4 } },
  [CLIP_PIXEL_I420_10LE] = { "I420_10LE", 3, 1, 1, { 2, 2, 2 } },
};

static guint
subsampled (guint size, guint shift)
{
  return (size + (1u << shift) - 1) >> shift;
}

static gboolean
check_planes (const ClipImage *image, GError **error)
{
  const PixelFormat *format = &formats[image->format];
  const gboolean packed_pairs =
      image->format == CLIP_PIXEL_YUY2 || image->format == CLIP_PIXEL_UYVY;

  for (guint i = 0; i < format->n_planes; i++) {
    const guint columns = packed_pairs ? (image->width + 1) & ~1u
        : i == 0                       ? image->width
                 : subsampled (image->width, format->sub_x);
    const guint lines =
        i == 0 ? image->height : subsampled (image->height, format->sub_y);
    const gint64 line_bytes = (gint64) columns * format->bytes[i];

    if (!image->planes[i]) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
          "Plane %u of a %s picture is missing, expected %u planes", i,
          format->name, format->n_planes);
      return FALSE;
    }
    if (lines > 1 && ABS ((gint64) image->strides[i]) < line_bytes) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
          "Plane %u of a %s picture of width %u has a stride of %d bytes, "
          "expected at least %" G_GINT64_FORMAT,
          i, format->name, image->width, image->strides[i], line_bytes);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
clip_image_check (const ClipImage *image, GError **error)
{
  if ((guint) image->format >= CLIP_PIXEL_N_FORMATS) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "Unknown pixel format %d", image->format);
    return FALSE;
  }
  if (image->width == 0 || image->height == 0
      || image->width > CLIP_IMAGE_MAX_SIDE
      || image->height > CLIP_IMAGE_MAX_SIDE) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "A picture of %u x %u pixels, expected 1 to %d a side", image->width,
        image->height, CLIP_IMAGE_MAX_SIDE);
    return FALSE;
  }
  if ((image->crop_width == 0) != (image->crop_height == 0)
      || image->crop_x > image->width || image->crop_y > image->height
      || image->crop_width > image->width - image->crop_x
      || image->crop_height > image->height - image->crop_y) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "The rectangle %u x %u at %u, %u is not inside a picture of %u x %u "
        "pixels",
        image->crop_width, image->crop_height, image->crop_x, image->crop_y,
        image->width, image->height);
    return FALSE;
  }
  if ((image->par_n == 0) != (image->par_d == 0)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "A pixel aspect ratio of %u/%u", image->par_n, image->par_d);
    return FALSE;
  }
  if ((guint) image->orientation > CLIP_ORIENTATION_UR_LL
      || (guint) image->matrix > CLIP_MATRIX_FCC) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "Unknown orientation %d or matrix %d", image->orientation,
        image->matrix);
    return FALSE;
  }
  return check_planes (image, error);
}

void
clip_colour_init (ClipColour *colour, const ClipImage *image)
{
  static const struct {
    gdouble kr, kb;
  } matrices[] = {
    [CLIP_MATRIX_BT601] = { 0.299, 0.114 },
    [CLIP_MATRIX_BT709] = { 0.2126, 0.0722 },
    [CLIP_MATRIX_BT2020] = { 0.2627, 0.0593 },
    [CLIP_MATRIX_SMPTE240M] = { 0.212, 0.087 },
    [CLIP_MATRIX_FCC] = { 0.30, 0.11 },
  };
  const gdouble kr = matrices[image->matrix].kr;
  const gdouble kb = matrices[image->matrix].kb;
  const gdouble kg = 1.0 - kr - kb;
  const gboolean deep = image->format == CLIP_PIXEL_P010_10LE
      || image->format == CLIP_PIXEL_I420_10LE;
  /* From black to white, and from the lowest to the highest chroma, in the
   * common scale. */
  const gdouble luma = !image->full_range ? 219 << 7
      : deep                              ? 1023 << 5
                                          : 255 << 7;
  const gdouble chroma = !image->full_range ? 224 << 8
      : deep                                ? 1023 << 6
                                            : 255 << 8;
  const gdouble unit = 255.0 * 64 * 32768;

  colour->y_offset = image->full_range ? 0 : 16 << 7;
  colour->y_scale = (gint16) lround (unit / luma);
  colour->r_cr = (gint16) lround (unit * 2 * (1 - kr) / chroma);
  colour->g_cb = (gint16) lround (-unit * 2 * (1 - kb) * kb / kg / chroma);
  colour->g_cr = (gint16) lround (-unit * 2 * (1 - kr) * kr / kg / chroma);
  colour->b_cb = (gint16) lround (unit * 2 * (1 - kb) / chroma);
}

/* Interlaced 4:2:0: luma lines 0 and 2 share chroma line 0, lines 1 and 3
 * chroma line 1; where a picture ends early, the last line of the field. */
static guint
chroma_line (const ClipImage *image, guint y)
{
  const guint lines = (image->height + 1) / 2;
  guint line = y / 2;

  if (image->interlaced) {
    line = y / 4 * 2 + y % 2;
    if (line >= lines)
      line = line >= 2 && lines >= 2 ? line - 2 : lines - 1;
  }
  return line;
}

static const guint8 *
plane_line (const ClipImage *image, guint plane, guint y)
{
  return image->planes[plane] + (gssize) y * image->strides[plane];
}

ClipLine
clip_image_get_line (const ClipImage *image, guint y)
{
  const PixelFormat *format = &formats[image->format];
  const guint chroma = format->sub_y ? chroma_line (image, y) : y;
  ClipLine line = { plane_line (image, 0, y), NULL, NULL };

  if (format->n_planes > 1)
    line.u = plane_line (image, 1, chroma);
  if (format->n_planes > 2)
    line.v = plane_line (image, 2, chroma);
  if (image->format == CLIP_PIXEL_YV12) {
    const guint8 *v = line.u;

    line.u = line.v;
    line.v = v;
  }
  return line;
}
