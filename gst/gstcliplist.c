/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/gstcliplist.h"

#include <string.h>

#define TYPE_PREFIX "(string)"

/* What separates: the first is looked for outside quotes. */
static const gchar *
find_separators (const gchar *begin, const gchar *end)
{
  gboolean quoted = FALSE;

  for (const gchar *p = begin; p < end; p++) {
    if (*p == '\\' && p + 1 < end)
      p++;
    else if (*p == '"')
      quoted = !quoted;
    else if (!quoted && (*p == ';' || *p == '\n'))
      return ";\n";
  }
  return ",";
}

static gboolean
is_octal (const gchar *p)
{
  return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0'
      && p[2] <= '7';
}

/* Leaves *begin behind the text's separator, or at the end. NULL where there
 * is nothing between two separators. */
static gchar *
parse_text (const gchar **begin, const gchar *end, const gchar *separators)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean quoted = FALSE, any_quotes = FALSE, escaped;
  gsize kept = 0; /* white space within this length is not cut off */
  const gchar *p = *begin;

  while (p < end && g_ascii_isspace (*p) && strchr (separators, *p) == NULL)
    p++;
  for (; p < end && (quoted || strchr (separators, *p) == NULL); p++) {
    if (*p == '"') {
      quoted = !quoted;
      any_quotes = TRUE;
      continue;
    }
    escaped = *p == '\\' && p + 1 < end;
    if (escaped)
      p++;
    if (escaped && is_octal (p)) {
      g_string_append_c (text,
          (gchar) ((p[0] - '0') << 6 | (p[1] - '0') << 3 | (p[2] - '0')));
      p += 2;
    } else {
      g_string_append_c (text, *p);
    }
    if (escaped || quoted || !g_ascii_isspace (*p))
      kept = text->len;
  }
  *begin = p < end ? p + 1 : end;
  g_string_truncate (text, kept);
  if (text->len == 0 && !any_quotes)
    return NULL;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gchar **
gst_clip_list_parse (const gchar *list)
{
  g_autoptr (GStrvBuilder) texts = g_strv_builder_new ();
  const gchar *begin = list, *end, *separators;
  gboolean is_array;

  if (list == NULL)
    return NULL;
  end = list + strlen (list);
  while (begin < end && g_ascii_isspace (*begin))
    begin++;
  while (end > begin && g_ascii_isspace (end[-1]))
    end--;
  is_array = end - begin >= 2 && *begin == '<' && end[-1] == '>';
  if (is_array) {
    begin++;
    end--;
  }
  separators = find_separators (begin, end);
  while (begin < end) {
    g_autofree gchar *text = parse_text (&begin, end, separators);
    const gboolean typed =
        is_array && text != NULL && g_str_has_prefix (text, TYPE_PREFIX);

    if (text != NULL)
      g_strv_builder_add (texts, text + (typed ? strlen (TYPE_PREFIX) : 0));
  }
  return g_strv_builder_end (texts);
}

static void
append_quoted (GString *list, const gchar *text)
{
  g_string_append_c (list, '"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      g_string_append_c (list, '\\');
    g_string_append_c (list, *text);
  }
  g_string_append_c (list, '"');
}

/* A single text could be taken for an array or be split at its commas. */
static gboolean
needs_quotes (const gchar *text)
{
  const gsize length = strlen (text);

  return length == 0 || strpbrk (text, ",;\n\"\\<>") != NULL
      || g_ascii_isspace (text[0]) || g_ascii_isspace (text[length - 1]);
}

gchar *
gst_clip_list_format (const gchar *const *texts)
{
  GString *list;

  if (texts == NULL)
    return NULL;
  list = g_string_new (NULL);
  for (guint i = 0; texts[i] != NULL; i++) {
    if (i > 0)
      g_string_append (list, "; ");
    if (needs_quotes (texts[i]))
      append_quoted (list, texts[i]);
    else
      g_string_append (list, texts[i]);
  }
  return g_string_free (list, FALSE);
}
