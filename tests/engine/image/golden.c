/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "golden.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <json-glib/json-glib.h>
#include <string.h>

gchar *
golden_path (const gchar *relative)
{
  const gchar *root = g_getenv ("CLIP_SOURCE_ROOT");

  g_assert_nonnull (root);
  return g_build_filename (root, relative, NULL);
}

void
golden_open (GoldenFile *file, const gchar *relative)
{
  g_autofree gchar *path = golden_path (relative);
  g_autoptr (JsonParser) parser = json_parser_new ();
  GError *error = NULL;
  const gchar *bytes;
  guint64 size;

  file->map = g_mapped_file_new (path, FALSE, &error);
  g_assert_no_error (error);
  bytes = g_mapped_file_get_contents (file->map);
  memcpy (&size, bytes, sizeof size);
  size = GUINT64_FROM_LE (size);
  json_parser_load_from_data (parser, bytes + 8, (gssize) size, &error);
  g_assert_no_error (error);
  file->header =
      json_object_ref (json_node_get_object (json_parser_get_root (parser)));
  file->data = (const guint8 *) bytes + 8 + size;
}

void
golden_close (GoldenFile *file)
{
  json_object_unref (file->header);
  g_mapped_file_unref (file->map);
}

gconstpointer
golden_get (GoldenFile *file, const gchar *name, gsize *bytes)
{
  JsonArray *offsets;
  gint64 start;

  if (!json_object_has_member (file->header, name))
    return NULL;
  offsets =
      json_object_get_array_member (json_object_get_object_member (file->header,
                                        name),
          "data_offsets");
  start = json_array_get_int_element (offsets, 0);
  *bytes = (gsize) (json_array_get_int_element (offsets, 1) - start);
  return file->data + start;
}

GList *
golden_list (GoldenFile *file)
{
  GList *names = json_object_get_members (file->header);
  GList *metadata =
      g_list_find_custom (names, "__metadata__", (GCompareFunc) g_strcmp0);

  return metadata ? g_list_delete_link (names, metadata) : names;
}

ClipImage
golden_read_picture (const gchar *relative, gpointer *owner)
{
  g_autofree gchar *path = golden_path (relative);
  GError *error = NULL;
  GdkPixbuf *pixbuf = gdk_pixbuf_new_from_file (path, &error);

  g_assert_no_error (error);
  *owner = pixbuf;
  return (ClipImage){
    .format =
        gdk_pixbuf_get_has_alpha (pixbuf) ? CLIP_PIXEL_RGBA : CLIP_PIXEL_RGB,
    .width = (guint) gdk_pixbuf_get_width (pixbuf),
    .height = (guint) gdk_pixbuf_get_height (pixbuf),
    .planes = { gdk_pixbuf_read_pixels (pixbuf) },
    .strides = { gdk_pixbuf_get_rowstride (pixbuf) },
  };
}
