/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/clip.h"
#include "engine/model/file.h"

#include <string.h>

#define MAX_BYTES (16 * 1024 * 1024)
#define BYTE_ORDER_MARK "\357\273\277"

static guint
line_number (const gchar *text, const gchar *where)
{
  guint line = 1;

  for (; text < where; text++)
    line += *text == '\n';
  return line;
}

gchar **
clip_labels_read_file (const gchar *filename, GError **error)
{
  gsize length;
  g_autofree gchar *text =
      clip_file_read_all (filename, MAX_BYTES, &length, error);
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);
  const gchar *valid;

  if (text == NULL)
    return NULL;
  if (!g_utf8_validate_len (text, length, &valid)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: line %u is not UTF-8 text (byte 0x%02x)", filename,
        line_number (text, valid), (guint8) *valid);
    return NULL;
  }

  gchar *line = text;
  if (g_str_has_prefix (line, BYTE_ORDER_MARK))
    line += strlen (BYTE_ORDER_MARK);
  for (gchar *next; line != NULL; line = next) {
    if ((next = strchr (line, '\n')) != NULL)
      *next++ = '\0';
    if (*line == '#')
      continue;
    g_strstrip (line);
    if (*line != '\0')
      g_ptr_array_add (labels, g_strdup (line));
  }
  g_ptr_array_add (labels, NULL);
  return (gchar **) g_ptr_array_free (g_steal_pointer (&labels), FALSE);
}
