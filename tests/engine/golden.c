/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/engine/golden.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <json-glib/json-glib.h>
#include <math.h>

#include "engine/model/safetensors.h"

static gchar *
source_path (const gchar *folder, const gchar *name)
{
  return g_build_filename (g_getenv ("CLIP_SOURCE_ROOT"), folder, name, NULL);
}

static gchar **
read_texts (const gchar *folder)
{
  g_autofree gchar *file = g_build_filename (folder, "texts.json", NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GError) error = NULL;
  JsonArray *array;

  json_parser_load_from_file (parser, file, &error);
  g_assert_no_error (error);
  array = json_node_get_array (json_parser_get_root (parser));
  for (guint i = 0; i < json_array_get_length (array); i++)
    g_strv_builder_add (builder, json_array_get_string_element (array, i));
  return g_strv_builder_end (builder);
}

Golden *
golden_load (const gchar *name)
{
  Golden *golden = g_new0 (Golden, 1);
  g_autofree gchar *model = NULL;
  g_autoptr (GError) error = NULL;
  gsize n;

  golden->folder = source_path ("tests/goldens", name);
  model = g_str_equal (name, "starter") ? source_path ("engine", "starter")
                                        : g_strdup (golden->folder);
  golden->model = clip_model_load (model, &error);
  g_assert_no_error (error);
  golden->texts = read_texts (golden->folder);
  golden->n_texts = g_strv_length (golden->texts);
  g_free (golden_expected (golden, &n, "image_embeds"));
  golden->n_images = n / clip_model_get_embed_dim (golden->model);
  return golden;
}

void
golden_free (Golden *golden)
{
  clip_model_unref (golden->model);
  g_strfreev (golden->texts);
  g_free (golden->folder);
  g_free (golden);
}

gpointer
golden_expected (const Golden *golden, gsize *n, const gchar *name_format, ...)
{
  g_autofree gchar *path =
      g_build_filename (golden->folder, "expected.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipTensorSet) set = clip_tensor_set_open (path, &error);
  g_autofree gchar *name = NULL;
  const ClipFileTensor *tensor;
  gpointer data;
  va_list args;

  g_assert_no_error (error);
  va_start (args, name_format);
  name = g_strdup_vprintf (name_format, args);
  va_end (args);
  tensor = clip_tensor_set_find (set, name);
  g_assert_nonnull (tensor);
  data = g_malloc (tensor->size);
  clip_file_read (tensor->file, tensor->offset, tensor->size, data, &error);
  g_assert_no_error (error);
  *n = tensor->size / 4; /* F32 or I32 */
  return data;
}

ClipImage
golden_image (const Golden *golden, guint i, GBytes **pixels)
{
  g_autofree gchar *file =
      g_strdup_printf ("%s/images/%u.png", golden->folder, i);
  g_autoptr (GError) error = NULL;
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new_from_file (file, &error);
  const gint channels = pixbuf ? gdk_pixbuf_get_n_channels (pixbuf) : 0;

  g_assert_no_error (error);
  *pixels = gdk_pixbuf_read_pixel_bytes (pixbuf);
  return (ClipImage){ .format =
                          channels == 4 ? CLIP_PIXEL_RGBA : CLIP_PIXEL_RGB,
    .width = gdk_pixbuf_get_width (pixbuf),
    .height = gdk_pixbuf_get_height (pixbuf),
    .planes = { g_bytes_get_data (*pixels, NULL) },
    .strides = { gdk_pixbuf_get_rowstride (pixbuf) } };
}

gdouble
golden_distance (const gfloat *a, const gfloat *b, guint dim)
{
  gdouble sum = 0;

  for (guint i = 0; i < dim; i++)
    sum += ((gdouble) a[i] - b[i]) * ((gdouble) a[i] - b[i]);
  return sqrt (sum);
}
