/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/gstclipoverlayrows.h"

#include <math.h>
#include <string.h>

#ifdef HAVE_ANALYTICS
#  define GST_USE_UNSTABLE_API
#  include <gst/analytics/analytics.h>
#endif

#include "gst/gstclipmeta.h"

/* More does not fit any panel, and laying out a novel takes time. */
#define MAX_CHARS 200
#define MAX_ROWS 200

typedef struct {
  const gchar *label;
  gdouble score;
} Entry;

static void
clear_row (gpointer row)
{
  g_free (((GstClipOverlayRow *) row)->text);
}

static gchar *
one_clean_line (const gchar *label)
{
  gchar *valid = g_utf8_make_valid (label, -1);
  GString *line = g_string_new (NULL);
  guint n_chars = 0;

  for (const gchar *p = valid; *p && n_chars < MAX_CHARS;
       p = g_utf8_next_char (p), n_chars++) {
    gunichar c = g_utf8_get_char (p);

    if (g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029)
      c = ' ';
    g_string_append_unichar (line, c);
  }
  g_free (valid);
  return g_string_free (line, FALSE);
}

static void
add_row (GArray *rows, const gchar *label, gboolean header, gdouble score)
{
  GstClipOverlayRow row = { one_clean_line (label), header,
    (gint) lround (100 * CLAMP (score, -1, 1)) };

  g_array_append_val (rows, row);
}

static gint
compare_entries (gconstpointer a, gconstpointer b)
{
  gdouble sa = ((const Entry *) a)->score, sb = ((const Entry *) b)->score;

  return (sa < sb) - (sa > sb);
}

/* Adds the best of @entries, which it takes, under @header if not NULL. */
static void
add_best (GArray *rows, GArray *entries, const gchar *header,
    const GstClipOverlayChoice *choice)
{
  guint n = choice->top_k > 0 ? choice->top_k : G_MAXUINT;

  g_array_sort (entries, compare_entries);
  for (guint i = 0; i < entries->len && i < n && rows->len < MAX_ROWS; i++) {
    const Entry *entry = &g_array_index (entries, Entry, i);

    if (header && i == 0)
      add_row (rows, header, TRUE, 0);
    add_row (rows, entry->label, FALSE, entry->score);
  }
  g_array_unref (entries);
}

/* A score that is not a number passes no threshold. */
static void
add_entry (GArray *entries, const gchar *label, gdouble score,
    const GstClipOverlayChoice *choice)
{
  Entry entry = { label, score };

  if (label && score >= choice->threshold)
    g_array_append_val (entries, entry);
}

static gboolean
add_results (GArray *rows, GstBuffer *buffer,
    const GstClipOverlayChoice *choice)
{
  const GstStructure *result;
  gpointer state = NULL;
  guint n_chosen = 0;

  while ((result = gst_clip_meta_iterate (buffer, &state)))
    n_chosen += !choice->meta_id
        || !g_strcmp0 (gst_clip_meta_get_id (result), choice->meta_id);

  state = NULL;
  while ((result = gst_clip_meta_iterate (buffer, &state))) {
    const gchar *id = gst_clip_meta_get_id (result);
    GArray *entries;

    if (choice->meta_id && g_strcmp0 (id, choice->meta_id) != 0)
      continue;
    entries = g_array_new (FALSE, FALSE, sizeof (Entry));
    for (guint i = 0, n = gst_clip_meta_get_n_labels (result); i < n; i++)
      add_entry (entries, gst_clip_meta_get_label (result, i),
          gst_clip_meta_get_score (result, i), choice);
    add_best (rows, entries, n_chosen > 1 ? id : NULL, choice);
  }
  return n_chosen > 0;
}

#ifdef HAVE_ANALYTICS
/* Whether @mtd describes a detected object rather than the whole frame. */
static gboolean
describes_an_object (GstAnalyticsRelationMeta *relations, guint id)
{
  GstAnalyticsMtd object;
  gpointer state = NULL;

  while (gst_analytics_relation_meta_iterate (relations, &state,
      gst_analytics_od_mtd_get_mtd_type (), &object)) {
    if (gst_analytics_relation_meta_exist (relations, object.id, id,
            GST_INF_RELATION_SPAN, GST_ANALYTICS_REL_TYPE_ANY, NULL)
        || gst_analytics_relation_meta_exist (relations, id, object.id,
            GST_INF_RELATION_SPAN, GST_ANALYTICS_REL_TYPE_ANY, NULL))
      return TRUE;
  }
  return FALSE;
}

static void
add_classifications (GArray *rows, GstBuffer *buffer,
    const GstClipOverlayChoice *choice)
{
  GstAnalyticsRelationMeta *relations =
      gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsMtd mtd;
  gpointer state = NULL;

  while (relations
      && gst_analytics_relation_meta_iterate (relations, &state,
          gst_analytics_cls_mtd_get_mtd_type (), &mtd)) {
    GArray *entries;

    if (describes_an_object (relations, mtd.id))
      continue;
    entries = g_array_new (FALSE, FALSE, sizeof (Entry));
    for (gsize i = 0, n = gst_analytics_cls_mtd_get_length (&mtd); i < n; i++)
      add_entry (entries,
          g_quark_to_string (gst_analytics_cls_mtd_get_quark (&mtd, i)),
          gst_analytics_cls_mtd_get_level (&mtd, i), choice);
    add_best (rows, entries, NULL, choice);
  }
}
#endif

GArray *
gst_clip_overlay_rows_new (GstBuffer *buffer,
    const GstClipOverlayChoice *choice)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (GstClipOverlayRow));
  gboolean has_results;

  g_array_set_clear_func (rows, clear_row);
  has_results = add_results (rows, buffer, choice);
#ifdef HAVE_ANALYTICS
  /* clipfilter attaches both kinds: show its results once. */
  if (!has_results && !choice->meta_id)
    add_classifications (rows, buffer, choice);
#else
  (void) has_results;
#endif
  return rows;
}

gboolean
gst_clip_overlay_rows_equal (const GArray *a, const GArray *b)
{
  if (a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++) {
    const GstClipOverlayRow *ra = &g_array_index (a, GstClipOverlayRow, i);
    const GstClipOverlayRow *rb = &g_array_index (b, GstClipOverlayRow, i);

    if (ra->percent != rb->percent || ra->header != rb->header
        || strcmp (ra->text, rb->text) != 0)
      return FALSE;
  }
  return TRUE;
}
