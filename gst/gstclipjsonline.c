/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/gstclipjsonline.h"

#include <math.h>

#include "gst/gstclipmeta.h"

typedef struct {
  const gchar *label;
  gfloat score;
} Entry;

static void
append_escaped (GString *line, const gchar *p)
{
  static const gchar *const short_forms[0x20] = { ['\b'] = "\\b",
    ['\t'] = "\\t",
    ['\n'] = "\\n",
    ['\f'] = "\\f",
    ['\r'] = "\\r" };

  for (; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (c == '"' || c == '\\')
      g_string_append_printf (line, "\\%c", (gchar) c);
    else if (c < 0x20 && short_forms[c])
      g_string_append (line, short_forms[c]);
    /* Legal in JSON, but DEL and C1 upset terminals, and U+2028 and U+2029
     * end a line for those who read the file as JavaScript. */
    else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
      g_string_append_printf (line, "\\u%04x", c);
    else
      g_string_append_unichar (line, c);
  }
}

static void
append_string (GString *line, const gchar *text)
{
  g_string_append_c (line, '"');
  if (g_utf8_validate (text, -1, NULL)) {
    append_escaped (line, text);
  } else {
    gchar *valid = g_utf8_make_valid (text, -1);

    append_escaped (line, valid);
    g_free (valid);
  }
  g_string_append_c (line, '"');
}

static void
append_utc (GString *line, GstClockTime utc)
{
  GDateTime *time = g_date_time_new_from_unix_utc (utc / GST_SECOND);

  g_string_append_printf (line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
      g_date_time_get_year (time), g_date_time_get_month (time),
      g_date_time_get_day_of_month (time), g_date_time_get_hour (time),
      g_date_time_get_minute (time), g_date_time_get_second (time),
      (gint) (utc % GST_SECOND / GST_MSECOND));
  g_date_time_unref (time);
}

static void
append_times (GString *line, const GstClipJsonTimes *times)
{
  const struct {
    const gchar *key;
    GstClockTime time;
  } fields[] = { { "pts", times->pts }, { "stream_time", times->stream_time },
    { "running_time", times->running_time } };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    if (GST_CLOCK_TIME_IS_VALID (fields[i].time))
      g_string_append_printf (line, "\"%s\": %" G_GUINT64_FORMAT ", ",
          fields[i].key, fields[i].time);
  }
  if (GST_CLOCK_TIME_IS_VALID (times->utc)) {
    g_string_append (line, "\"utc\": \"");
    append_utc (line, times->utc);
    g_string_append (line, "\", ");
  }
}

static gint
compare_entries (gconstpointer a, gconstpointer b)
{
  gfloat sa = ((const Entry *) a)->score, sb = ((const Entry *) b)->score;
  gboolean na = isnan (sa) != 0, nb = isnan (sb) != 0;

  return na || nb ? na - nb : (sa < sb) - (sa > sb);
}

static GArray *
collect_entries (const GstStructure *result)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  guint n_labels = gst_clip_meta_get_n_labels (result);

  for (guint i = 0; i < n_labels; i++) {
    Entry entry = { gst_clip_meta_get_label (result, i),
      gst_clip_meta_get_score (result, i) };

    if (entry.label)
      g_array_append_val (entries, entry);
  }
  g_array_sort (entries, compare_entries);
  return entries;
}

static void
append_entry (GString *line, const Entry *entry)
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (line, "{\"label\": ");
  append_string (line, entry->label);
  /* JSON has no number for the others. */
  if (isfinite (entry->score))
    g_string_append_printf (line, ", \"score\": %s",
        g_ascii_formatd (number, sizeof number, "%.6g", entry->score));
  g_string_append_c (line, '}');
}

void
gst_clip_json_line_append (GString *line, const GstClipJsonTimes *times,
    const gchar *id, const GstStructure *result)
{
  GArray *entries = collect_entries (result);

  g_string_append_c (line, '{');
  append_times (line, times);
  if (id) {
    g_string_append (line, "\"id\": ");
    append_string (line, id);
    g_string_append (line, ", ");
  }
  g_string_append (line, "\"labels\": [");
  for (guint i = 0; i < entries->len; i++) {
    if (i > 0)
      g_string_append (line, ", ");
    append_entry (line, &g_array_index (entries, Entry, i));
  }
  g_string_append (line, "]}\n");
  g_array_unref (entries);
}
