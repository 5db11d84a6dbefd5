/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/text/unicode.h"

ClipCharClass
clip_char_class (gunichar c)
{
  if ((c >= 0x9 && c <= 0xd) || c == 0x85)
    return CLIP_CHAR_SPACE;

  switch (g_unichar_type (c)) {
    case G_UNICODE_SPACE_SEPARATOR:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return CLIP_CHAR_SPACE;
    case G_UNICODE_LOWERCASE_LETTER:
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_OTHER_LETTER:
    case G_UNICODE_TITLECASE_LETTER:
    case G_UNICODE_UPPERCASE_LETTER:
      return CLIP_CHAR_LETTER;
    case G_UNICODE_DECIMAL_NUMBER:
    case G_UNICODE_LETTER_NUMBER:
    case G_UNICODE_OTHER_NUMBER:
      return CLIP_CHAR_NUMBER;
    default:
      return CLIP_CHAR_OTHER;
  }
}

/* A character and, above its 21 bits, its canonical combining class: one
 * array serves ordering and composition. */
#define MARK(c, class) ((guint32) (class) << 24 | (c))
#define MARK_CHAR(m) ((m) &0x1fffff)
#define MARK_CLASS(m) ((m) >> 24)

static gint
compare_combining_class (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return (gint) MARK_CLASS (*(const guint32 *) a)
      - (gint) MARK_CLASS (*(const guint32 *) b);
}

static GArray *
decompose (const gchar *text, const gchar *end)
{
  GArray *marks = g_array_sized_new (FALSE, FALSE, 4, (guint) (end - text));

  for (; text < end; text = g_utf8_next_char (text)) {
    gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
    gsize n = g_unichar_fully_decompose (g_utf8_get_char (text), FALSE, parts,
        G_N_ELEMENTS (parts));

    for (gsize i = 0; i < n; i++) {
      guint32 mark = MARK (parts[i], g_unichar_combining_class (parts[i]));
      g_array_append_val (marks, mark);
    }
  }
  return marks;
}

/* Sorted, and not bubbled as g_utf8_normalize () does it: a megabyte of
 * combining marks would take minutes. */
static void
order_marks (guint32 *marks, guint n)
{
  for (guint i = 0; i < n;) {
    guint start = i;

    while (i < n && MARK_CLASS (marks[i]) != 0)
      i++;
    if (i - start > 1)
      g_qsort_with_data (marks + start, (gint) (i - start), sizeof *marks,
          compare_combining_class, NULL);
    if (i == start)
      i++;
  }
}

/* Unicode's canonical composition, in place; returns the new length. */
static guint
compose (guint32 *marks, guint n)
{
  guint out = 0, starter = G_MAXUINT;
  guint last_class = 0;

  for (guint i = 0; i < n; i++) {
    gunichar c = MARK_CHAR (marks[i]), composed;
    guint class = MARK_CLASS (marks[i]);
    gboolean blocked = starter != G_MAXUINT && out > starter + 1
        && (last_class == 0 || last_class >= class);

    if (starter != G_MAXUINT && !blocked
        && g_unichar_compose (MARK_CHAR (marks[starter]), c, &composed)) {
      marks[starter] = MARK (composed, 0);
      continue;
    }
    if (class == 0)
      starter = out;
    last_class = class;
    marks[out++] = marks[i];
  }
  return out;
}

static gunichar
lower (gunichar c)
{
  /* Older versions of GLib leave Roman numerals and circled letters, which
   * have case but are not letters, as they are. */
  if (c >= 0x2160 && c <= 0x216f)
    return c + 0x10;
  if (c >= 0x24b6 && c <= 0x24cf)
    return c + 0x1a;
  return g_unichar_tolower (c);
}

typedef struct {
  GString *out;
  ClipNormalizeFlags flags;
  gboolean after_space;
} Writer;

static void
write_char (Writer *writer, gunichar c)
{
  if ((writer->flags & CLIP_NORMALIZE_SPACES) != 0) {
    gboolean space = clip_char_class (c) == CLIP_CHAR_SPACE;
    gboolean repeated = space && writer->after_space;

    writer->after_space = space;
    if (repeated)
      return;
    if (space)
      c = ' ';
  }
  if ((writer->flags & CLIP_NORMALIZE_LOWER) != 0) {
    /* The one character whose lower case is two. */
    if (c == 0x130) {
      g_string_append (writer->out, "i\314\207");
      return;
    }
    c = lower (c);
  }
  g_string_append_unichar (writer->out, c);
}

static gboolean
is_ascii (const gchar *text, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if ((guchar) text[i] >= 0x80)
      return FALSE;
  return TRUE;
}

void
clip_text_normalize (const gchar *text, gsize n, ClipNormalizeFlags flags,
    GString *out)
{
  Writer writer = { out, flags, FALSE };
  const gchar *end = text + n;

  if ((flags & CLIP_NORMALIZE_NFC) != 0 && !is_ascii (text, n)) {
    GArray *marks = decompose (text, end);
    guint32 *m = (guint32 *) marks->data;
    guint n_marks;

    order_marks (m, marks->len);
    n_marks = compose (m, marks->len);
    for (guint i = 0; i < n_marks; i++)
      write_char (&writer, MARK_CHAR (m[i]));
    g_array_unref (marks);
  } else {
    for (; text < end; text = g_utf8_next_char (text))
      write_char (&writer, g_utf8_get_char (text));
  }
}
