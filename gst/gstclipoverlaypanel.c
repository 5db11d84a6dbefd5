/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/gstclipoverlaypanel.h"

#include <math.h>
#include <string.h>

#include <pango/pangocairo.h>

#include "gst/gstclipoverlayrows.h"

/* Everything is measured in em, the font's size, on the displayed picture. */
#define AUTO_EM 0.026    /* of the picture's height, or of 9/10 of its width */
#define SMALLEST_AUTO 10 /* pixels: what can be read at a glance */
#define LEAST_TEXT 6     /* pixels: below, bars without text */
#define LEAST_SIDE 16    /* pixels: below, nothing */
#define MARGIN 0.9
#define PADDING_X 0.85
#define PADDING_Y 0.65
#define LINE 1.15
#define BASELINE 0.92
#define HEADER_SIZE 0.8
#define BAR_GAP 0.24
#define BAR 0.27
#define ROW_GAP 0.62
#define COLUMN_GAP 0.9
#define RADIUS 0.55
#define LEAST_WIDTH 13
#define MOST_WIDTH 26
#define WIDTH_STEP 2

struct _GstClipOverlayPanel {
  PangoFontMap *font_map;
  PangoContext *context;
  GstClipOverlayView view;
  gdouble width; /* em: the widest so far for this view */
};

/* One painting: lengths are pixels of the displayed picture. */
typedef struct {
  const GstClipOverlayStyle *style;
  cairo_t *cr;
  PangoLayout *layout;
  PangoFontDescription *font;
  gdouble picture_width, picture_height;
  gdouble em;
  gboolean with_text;
  gdouble x, y, width, height;
  gdouble percent_width;
  guint n_rows;
} Painting;

GstClipOverlayPanel *
gst_clip_overlay_panel_new (void)
{
  GstClipOverlayPanel *panel = g_new0 (GstClipOverlayPanel, 1);
  cairo_font_options_t *options = cairo_font_options_create ();

  /* The default font map belongs to a thread; streaming threads change. */
  panel->font_map = pango_cairo_font_map_new ();
  panel->context = pango_font_map_create_context (panel->font_map);
  pango_context_set_round_glyph_positions (panel->context, FALSE);
  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style (options, CAIRO_HINT_STYLE_SLIGHT);
  cairo_font_options_set_hint_metrics (options, CAIRO_HINT_METRICS_OFF);
  pango_cairo_context_set_font_options (panel->context, options);
  cairo_font_options_destroy (options);
  return panel;
}

void
gst_clip_overlay_panel_free (GstClipOverlayPanel *panel)
{
  g_object_unref (panel->context);
  g_object_unref (panel->font_map);
  g_free (panel);
}

static gboolean
is_sideways (GstVideoOrientationMethod orientation)
{
  return orientation == GST_VIDEO_ORIENTATION_90R
      || orientation == GST_VIDEO_ORIENTATION_90L
      || orientation == GST_VIDEO_ORIENTATION_UL_LR
      || orientation == GST_VIDEO_ORIENTATION_UR_LL;
}

/* From the displayed picture to the pixels of the frame. */
static void
init_display_to_frame (cairo_matrix_t *matrix, const GstClipOverlayView *view)
{
  gdouble w = view->width * view->pixel_aspect, h = view->height;
  cairo_matrix_t to_pixels;

  switch (view->orientation) {
    case GST_VIDEO_ORIENTATION_90R:
      cairo_matrix_init (matrix, 0, -1, 1, 0, 0, h);
      break;
    case GST_VIDEO_ORIENTATION_180:
      cairo_matrix_init (matrix, -1, 0, 0, -1, w, h);
      break;
    case GST_VIDEO_ORIENTATION_90L:
      cairo_matrix_init (matrix, 0, 1, -1, 0, w, 0);
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      cairo_matrix_init (matrix, -1, 0, 0, 1, w, 0);
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      cairo_matrix_init (matrix, 1, 0, 0, -1, 0, h);
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      cairo_matrix_init (matrix, 0, 1, 1, 0, 0, 0);
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      cairo_matrix_init (matrix, 0, -1, -1, 0, w, h);
      break;
    default:
      cairo_matrix_init_identity (matrix);
      break;
  }
  cairo_matrix_init (&to_pixels, 1 / view->pixel_aspect, 0, 0, 1, view->x,
      view->y);
  cairo_matrix_multiply (matrix, matrix, &to_pixels);
}

static void
set_color (cairo_t *cr, guint argb, gdouble opacity)
{
  cairo_set_source_rgba (cr, (argb >> 16 & 0xff) / 255.0,
      (argb >> 8 & 0xff) / 255.0, (argb & 0xff) / 255.0,
      (argb >> 24 & 0xff) / 255.0 * opacity);
}

static void
rounded_rectangle (cairo_t *cr, gdouble x, gdouble y, gdouble width,
    gdouble height, gdouble radius)
{
  cairo_new_sub_path (cr);
  cairo_arc (cr, x + width - radius, y + radius, radius, -G_PI_2, 0);
  cairo_arc (cr, x + width - radius, y + height - radius, radius, 0, G_PI_2);
  cairo_arc (cr, x + radius, y + height - radius, radius, G_PI_2, G_PI);
  cairo_arc (cr, x + radius, y + radius, radius, G_PI, 3 * G_PI_2);
  cairo_close_path (cr);
}

/* The colour, black or white, that stands out from @argb. */
static guint
opposite_of (guint argb)
{
  guint luma = 299 * (argb >> 16 & 0xff) + 587 * (argb >> 8 & 0xff)
      + 114 * (argb & 0xff);

  return luma > 127500 ? 0xff000000 : 0xffffffff;
}

static void
set_text (Painting *p, const gchar *text, gdouble size, PangoWeight weight)
{
  pango_font_description_set_absolute_size (p->font,
      size * p->em * PANGO_SCALE);
  pango_font_description_set_weight (p->font, weight);
  pango_layout_set_font_description (p->layout, p->font);
  pango_layout_set_text (p->layout, text, -1);
}

static gdouble
text_width (Painting *p)
{
  gint width;

  pango_layout_set_width (p->layout, -1);
  pango_layout_get_size (p->layout, &width, NULL);
  return (gdouble) width / PANGO_SCALE;
}

/* Draws the layout's text with its baseline at @y, @width wide at most. */
static void
draw_text (Painting *p, gdouble x, gdouble y, gdouble width, gdouble opacity)
{
  gint baseline;

  pango_layout_set_width (p->layout, (gint) (width * PANGO_SCALE));
  baseline = pango_layout_get_baseline (p->layout);
  cairo_move_to (p->cr, x, y - (gdouble) baseline / PANGO_SCALE);
  if ((p->style->background_color >> 24) < 0x80) {
    /* The panel alone does not set the text off. */
    pango_cairo_layout_path (p->cr, p->layout);
    set_color (p->cr, opposite_of (p->style->text_color), 0.9);
    cairo_set_line_width (p->cr, 0.2 * p->em);
    cairo_set_line_join (p->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke (p->cr);
    cairo_move_to (p->cr, x, y - (gdouble) baseline / PANGO_SCALE);
  }
  set_color (p->cr, p->style->text_color, opacity);
  pango_cairo_show_layout (p->cr, p->layout);
}

static gdouble
row_height (const Painting *p, const GstClipOverlayRow *row)
{
  if (!p->with_text)
    return row->header ? 0 : 2 * BAR * p->em;
  return (row->header ? HEADER_SIZE * LINE : LINE + BAR_GAP + BAR) * p->em;
}

static gdouble
row_gap (const Painting *p)
{
  return (p->with_text ? ROW_GAP : BAR) * p->em;
}

/* Sets the size of the text, and of everything with it. */
static void
choose_em (Painting *p)
{
  const PangoFontMask size = PANGO_FONT_MASK_SIZE;

  p->em = MAX (SMALLEST_AUTO,
      AUTO_EM * MIN (p->picture_height, 0.9 * p->picture_width));
  if ((pango_font_description_get_set_fields (p->font) & size)
      && pango_font_description_get_size (p->font) > 0)
    p->em = (gdouble) pango_font_description_get_size (p->font) / PANGO_SCALE;
  /* One row, and a word of it, must fit. */
  p->em = MIN (p->em, p->picture_width / 9);
  p->em = MIN (p->em, p->picture_height / 5);
  p->with_text = p->em >= LEAST_TEXT;
}

/* Sets the panel's width, in steps: natural, between bounds, never less than
 * it was. */
static void
choose_width (Painting *p, GstClipOverlayPanel *panel, const GArray *rows)
{
  gdouble widest = 0, most = p->picture_width / p->em - 2 * MARGIN;

  set_text (p, "100%", 1, PANGO_WEIGHT_BOLD);
  p->percent_width = text_width (p);
  for (guint i = 0; i < p->n_rows && p->with_text; i++) {
    const GstClipOverlayRow *row = &g_array_index (rows, GstClipOverlayRow, i);

    set_text (p, row->text, 1, PANGO_WEIGHT_BOLD);
    widest = MAX (widest, text_width (p));
  }
  widest = (widest + p->percent_width) / p->em + COLUMN_GAP + 2 * PADDING_X;
  widest = WIDTH_STEP * ceil (widest / WIDTH_STEP);
  panel->width = MAX (panel->width, CLAMP (widest, LEAST_WIDTH, MOST_WIDTH));
  p->width = floor (MIN (panel->width, most) * p->em);
}

/* Sets the panel's height and how many rows it holds. */
static void
choose_height (Painting *p, const GArray *rows)
{
  gdouble most = p->picture_height - 2 * MARGIN * p->em;
  gdouble height = 2 * PADDING_Y * p->em;
  guint n = 0;

  p->n_rows = 0;
  p->height = 0;
  while (n < rows->len) {
    const GstClipOverlayRow *row = &g_array_index (rows, GstClipOverlayRow, n);

    height += row_height (p, row) + (n > 0 ? row_gap (p) : 0);
    if (height > most)
      break;
    n++;
    /* A header alone says nothing. */
    if (!row->header) {
      p->n_rows = n;
      p->height = ceil (height);
    }
  }
}

static void
choose_place (Painting *p)
{
  gdouble margin = MARGIN * p->em;
  gdouble right = p->picture_width - p->width - margin;
  gdouble bottom = p->picture_height - p->height - margin;

  switch (p->style->position) {
    case GST_CLIP_OVERLAY_POSITION_TOP_LEFT:
    case GST_CLIP_OVERLAY_POSITION_BOTTOM_LEFT:
      p->x = margin;
      break;
    case GST_CLIP_OVERLAY_POSITION_TOP:
    case GST_CLIP_OVERLAY_POSITION_BOTTOM:
      p->x = (p->picture_width - p->width) / 2;
      break;
    default:
      p->x = right;
      break;
  }
  p->y = p->style->position <= GST_CLIP_OVERLAY_POSITION_TOP_RIGHT ? margin
                                                                   : bottom;
  p->x = floor (p->x);
  p->y = floor (p->y);
}

/* Bars are thin: on whole pixels, they are sharp. */
static void
paint_bar (Painting *p, gdouble x, gdouble y, gdouble width, gint percent)
{
  gdouble height = MAX (1, round ((p->with_text ? BAR : 2 * BAR) * p->em));
  gdouble length = MAX (height, width * percent / 100);

  y = round (y);
  rounded_rectangle (p->cr, x, y, width, height, height / 2);
  set_color (p->cr, p->style->text_color, 0.18);
  cairo_fill (p->cr);
  if (percent > 0) {
    rounded_rectangle (p->cr, x, y, length, height, height / 2);
    set_color (p->cr, p->style->bar_color, 1);
    cairo_fill (p->cr);
  }
}

static void
paint_row (Painting *p, const GstClipOverlayRow *row, gdouble y, gboolean first)
{
  PangoWeight weight = first ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL;
  gdouble x = p->x + PADDING_X * p->em;
  gdouble width = p->width - 2 * PADDING_X * p->em;
  gdouble bar_y = y;

  if (row->header) {
    if (p->with_text) {
      set_text (p, row->text, HEADER_SIZE, PANGO_WEIGHT_NORMAL);
      draw_text (p, x, y + HEADER_SIZE * BASELINE * p->em, width, 0.8);
    }
    return;
  }
  if (p->with_text) {
    gdouble baseline = y + BASELINE * p->em;
    gchar *percent = g_strdup_printf ("%d%%", row->percent);
    gdouble percent_width;

    set_text (p, row->text, 1, weight);
    draw_text (p, x, baseline, width - p->percent_width - COLUMN_GAP * p->em,
        1);
    set_text (p, percent, 1, weight);
    percent_width = text_width (p);
    draw_text (p, x + width - percent_width, baseline, percent_width + 1, 1);
    bar_y += (LINE + BAR_GAP) * p->em;
    g_free (percent);
  }
  paint_bar (p, x, bar_y, width, row->percent);
}

static void
paint (Painting *p, const GArray *rows)
{
  gdouble radius = RADIUS * p->em;
  gdouble y = p->y + PADDING_Y * p->em;
  gboolean first = TRUE;

  rounded_rectangle (p->cr, p->x, p->y, p->width, p->height, radius);
  set_color (p->cr, p->style->background_color, 1);
  cairo_fill (p->cr);

  for (guint i = 0; i < p->n_rows; i++) {
    const GstClipOverlayRow *row = &g_array_index (rows, GstClipOverlayRow, i);

    paint_row (p, row, y, first);
    first = row->header;
    y += row_height (p, row) + row_gap (p);
  }
}

/* The pixels of the frame that the panel covers, from even to even: chroma is
 * mostly shared by two. */
static void
get_covered (const Painting *p, const cairo_matrix_t *to_frame,
    const GstClipOverlayView *view, GstVideoRectangle *covered)
{
  gdouble x0 = p->x, y0 = p->y, x1 = p->x + p->width, y1 = p->y + p->height;
  gint left, top, right, bottom;

  cairo_matrix_transform_point (to_frame, &x0, &y0);
  cairo_matrix_transform_point (to_frame, &x1, &y1);
  left = (gint) floor (MIN (x0, x1) + 1e-6) & ~1;
  top = (gint) floor (MIN (y0, y1) + 1e-6) & ~1;
  right = ((gint) ceil (MAX (x0, x1) - 1e-6) + 1) & ~1;
  bottom = ((gint) ceil (MAX (y0, y1) - 1e-6) + 1) & ~1;
  covered->x = MAX (left, view->x);
  covered->y = MAX (top, view->y);
  covered->w = MIN (right, view->x + view->width) - covered->x;
  covered->h = MIN (bottom, view->y + view->height) - covered->y;
}

/* Paints into new pixels and wraps them up. The pixels are square, Pango spaces
 * glyphs badly in others; who draws the rectangle scales it to the frame's. */
static GstVideoOverlayRectangle *
paint_rectangle (Painting *p, const GstClipOverlayView *view,
    const GArray *rows)
{
  GstVideoRectangle covered;
  cairo_matrix_t to_frame;
  cairo_surface_t *surface;
  GstBuffer *buffer;
  GstVideoOverlayRectangle *rectangle;
  gint width;
  gsize stride, size;
  guint8 *pixels;

  init_display_to_frame (&to_frame, view);
  get_covered (p, &to_frame, view, &covered);
  width = (gint) round (covered.w * view->pixel_aspect);
  if (covered.w <= 0 || covered.h <= 0 || width <= 0)
    return NULL;

  stride = 4 * (gsize) width;
  size = stride * covered.h;
  pixels = g_malloc0 (size);
  surface = cairo_image_surface_create_for_data (pixels, CAIRO_FORMAT_ARGB32,
      width, covered.h, (gint) stride);
  p->cr = cairo_create (surface);
  cairo_scale (p->cr, (gdouble) width / covered.w, 1);
  cairo_translate (p->cr, -covered.x, -covered.y);
  cairo_transform (p->cr, &to_frame);
  pango_cairo_update_layout (p->cr, p->layout);
  paint (p, rows);
  cairo_destroy (p->cr);
  cairo_surface_destroy (surface);

  buffer = gst_buffer_new_wrapped (pixels, size);
  gst_buffer_add_video_meta (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, width, covered.h);
  rectangle = gst_video_overlay_rectangle_new_raw (buffer, covered.x, covered.y,
      covered.w, covered.h, GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  gst_buffer_unref (buffer);
  return rectangle;
}

GstVideoOverlayRectangle *
gst_clip_overlay_panel_paint (GstClipOverlayPanel *panel,
    const GstClipOverlayStyle *style, const GstClipOverlayView *view,
    const GArray *rows)
{
  GstVideoOverlayRectangle *rectangle = NULL;
  Painting p = { .style = style, .n_rows = rows->len };
  gdouble width = view->width * view->pixel_aspect;
  gboolean sideways = is_sideways (view->orientation);

  p.picture_width = sideways ? view->height : width;
  p.picture_height = sideways ? width : view->height;
  if (rows->len == 0 || p.picture_width < LEAST_SIDE
      || p.picture_height < LEAST_SIDE)
    return NULL;

  if (!gst_clip_overlay_views_equal (&panel->view, view))
    panel->width = 0;
  panel->view = *view;
  p.font = pango_font_description_from_string (style->font ? style->font : "");
  if (!pango_font_description_get_family (p.font))
    pango_font_description_set_family_static (p.font, "Sans");
  p.layout = pango_layout_new (panel->context);
  pango_layout_set_ellipsize (p.layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_single_paragraph_mode (p.layout, TRUE);

  choose_em (&p);
  choose_height (&p, rows);
  if (p.n_rows > 0) {
    choose_width (&p, panel, rows);
    choose_place (&p);
    rectangle = paint_rectangle (&p, view, rows);
  }
  g_object_unref (p.layout);
  pango_font_description_free (p.font);
  return rectangle;
}
