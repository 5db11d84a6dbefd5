/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "golden.h"

#include <string.h>

gchar *
golden_path (const gchar *relative)
{
  const gchar *root = g_getenv ("CLIP_SOURCE_ROOT");

  g_assert_nonnull (root);
  return g_build_filename (root, relative, NULL);
}

JsonNode *
golden_read_json (const gchar *path)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);
  return json_parser_steal_root (parser);
}

gint32 *
golden_read_tensor (const gchar *path, const gchar *name, guint *n)
{
  g_autofree gchar *data = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  gsize length;
  guint64 header;
  JsonObject *tensor;
  JsonArray *offsets;
  gint64 begin, end;

  g_file_get_contents (path, &data, &length, &error);
  g_assert_no_error (error);
  memcpy (&header, data, sizeof header);
  header = GUINT64_FROM_LE (header);
  g_assert_cmpuint (header, <=, length - 8);
  json_parser_load_from_data (parser, data + 8, (gssize) header, &error);
  g_assert_no_error (error);
  tensor = json_object_get_object_member (
      json_node_get_object (json_parser_get_root (parser)), name);
  g_assert_cmpstr (json_object_get_string_member (tensor, "dtype"), ==, "I32");
  offsets = json_object_get_array_member (tensor, "data_offsets");
  begin = json_array_get_int_element (offsets, 0);
  end = json_array_get_int_element (offsets, 1);
  g_assert_cmpint (end, <=, (gint64) (length - 8 - header));
  *n = (guint) ((end - begin) / 4);
  return g_memdup2 (data + 8 + header + begin, (gsize) (end - begin));
}

void
golden_check (ClipTokenizer *tokenizer, const gchar *text, const gint32 *ids,
    guint n, guint context)
{
  g_autofree gint32 *found = g_new (gint32, context);
  g_autoptr (GError) error = NULL;
  gboolean truncated = -1;
  guint n_found = clip_tokenizer_encode (tokenizer, text, context, found,
      &truncated, &error);
  guint n_expected = MIN (n, context);
  gboolean same = n_found == n_expected && truncated == (n > context);

  g_assert_no_error (error);
  for (guint i = 0; same && i < n_expected; i++)
    same = found[i] == ids[i + 1 == n_expected ? n - 1 : i];
  if (!same) {
    g_autoptr (GString) list = g_string_new (NULL);

    for (guint i = 0; i < n_found; i++)
      g_string_append_printf (list, " %d", found[i]);
    g_test_message ("\"%s\", cut to %u, became%s%s", text, context, list->str,
        truncated ? ", cut" : "");
    g_test_fail ();
  }
}

guint
golden_check_file (ClipTokenizer *tokenizer, const gchar *path, guint context)
{
  g_autoptr (JsonNode) root = golden_read_json (path);
  JsonArray *rows = json_node_get_array (root);

  for (guint i = 0; i < json_array_get_length (rows); i++) {
    JsonObject *row = json_array_get_object_element (rows, i);
    JsonArray *ids = json_object_get_array_member (row, "ids");
    guint n = json_array_get_length (ids);
    g_autofree gint32 *expected = g_new (gint32, n);

    for (guint k = 0; k < n; k++)
      expected[k] = (gint32) json_array_get_int_element (ids, k);
    golden_check (tokenizer, json_object_get_string_member (row, "text"),
        expected, n, context);
  }
  return json_array_get_length (rows);
}
