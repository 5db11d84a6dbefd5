/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/engine/model/tiny.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

const gchar *const tiny_hf_config =
    "{\"model_type\": \"clip\", \"projection_dim\": 4,"
    " \"text_config\": {\"hidden_size\": 8, \"num_attention_heads\": 2,"
    "  \"num_hidden_layers\": 1, \"intermediate_size\": 12,"
    "  \"max_position_embeddings\": 16, \"vocab_size\": 8117,"
    "  \"eos_token_id\": 2},"
    " \"vision_config\": {\"hidden_size\": 6, \"num_attention_heads\": 3,"
    "  \"num_hidden_layers\": 1, \"intermediate_size\": 10,"
    "  \"image_size\": 8, \"patch_size\": 4}}";

gchar *
tiny_folder_new (void)
{
  g_autoptr (GError) error = NULL;
  gchar *folder = g_dir_make_tmp ("clip-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

static void
remove_tree (const gchar *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR)
      && !g_file_test (path, G_FILE_TEST_IS_SYMLINK)) {
    g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
    const gchar *name;
    while ((name = g_dir_read_name (dir)) != NULL) {
      g_autofree gchar *child = g_build_filename (path, name, NULL);
      remove_tree (child);
    }
  }
  g_assert_cmpint (g_remove (path), ==, 0);
}

void
tiny_folder_remove (gchar *folder)
{
  remove_tree (folder);
  g_free (folder);
}

void
tiny_write (const gchar *folder, const gchar *name, const void *data,
    gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  /* GLib before 2.76 does not truncate a longer file. */
  g_remove (path);
  g_file_set_contents_full (path, data, (gssize) length,
      G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
}

void
tiny_write_text (const gchar *folder, const gchar *name, const gchar *text)
{
  tiny_write (folder, name, text, strlen (text));
}

void
tiny_delete (const gchar *folder, const gchar *name)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_assert_cmpint (g_remove (path), ==, 0);
}

void
tiny_link_source (const gchar *folder, const gchar *name, const gchar *source)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_autofree gchar *target =
      g_build_filename (g_getenv ("CLIP_SOURCE_ROOT"), source, NULL);
  g_assert_cmpint (symlink (target, path), ==, 0);
}

static void
tensor_free (gpointer data)
{
  TinyTensor *tensor = data;
  g_free (tensor->name);
  g_free (tensor->dtype);
  g_free (tensor->shape);
  g_byte_array_unref (tensor->data);
  g_free (tensor);
}

GPtrArray *
tiny_tensors_new (void)
{
  return g_ptr_array_new_with_free_func (tensor_free);
}

TinyTensor *
tiny_find (GPtrArray *tensors, const gchar *name)
{
  for (guint i = 0; i < tensors->len; i++) {
    TinyTensor *tensor = g_ptr_array_index (tensors, i);
    if (g_str_equal (tensor->name, name))
      return tensor;
  }
  g_assert_not_reached ();
}

void
tiny_reshape (TinyTensor *tensor, const gchar *dtype, const gchar *shape)
{
  gsize n = g_str_equal (dtype, "I64")                            ? 8
      : g_str_equal (dtype, "F16") || g_str_equal (dtype, "BF16") ? 2
                                                                  : 4;
  g_auto (GStrv) sizes = g_strsplit_set (shape, "[], ", -1);
  for (guint i = 0; sizes[i] != NULL; i++)
    if (*sizes[i] != '\0')
      n *= g_ascii_strtoull (sizes[i], NULL, 10);
  g_byte_array_set_size (tensor->data, (guint) n);
  memset (tensor->data->data, 0, n);
  gchar *new_dtype = g_strdup (dtype), *new_shape = g_strdup (shape);
  g_free (tensor->dtype);
  g_free (tensor->shape);
  tensor->dtype = new_dtype;
  tensor->shape = new_shape;
}

TinyTensor *
tiny_add (GPtrArray *tensors, const gchar *name, const gchar *dtype,
    const gchar *shape)
{
  TinyTensor *tensor = g_new0 (TinyTensor, 1);
  tensor->name = g_strdup (name);
  tensor->data = g_byte_array_new ();
  tiny_reshape (tensor, dtype, shape);
  g_ptr_array_add (tensors, tensor);
  return tensor;
}

void
tiny_remove (GPtrArray *tensors, const gchar *name)
{
  g_ptr_array_remove (tensors, tiny_find (tensors, name));
}

static void
add_layer (GPtrArray *tensors, const gchar *prefix, guint width, guint mlp)
{
  static const gchar *const matrices[] = { "self_attn.q_proj",
    "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "mlp.fc1",
    "mlp.fc2", "layer_norm1", "layer_norm2" };
  for (guint i = 0; i < G_N_ELEMENTS (matrices); i++) {
    guint rows = i == 4 ? mlp : width, columns = i == 5 ? mlp : width;
    g_autofree gchar *weight =
        g_strdup_printf ("%s%s.weight", prefix, matrices[i]);
    g_autofree gchar *bias = g_strdup_printf ("%s%s.bias", prefix, matrices[i]);
    g_autofree gchar *vector = g_strdup_printf ("[%u]", rows);
    g_autofree gchar *matrix = g_strdup_printf ("[%u, %u]", rows, columns);
    tiny_add (tensors, weight, "F32", i < 6 ? matrix : vector);
    tiny_add (tensors, bias, "F32", vector);
  }
}

GPtrArray *
tiny_hf_tensors (void)
{
  static const gchar *const shapes[][2] = {
    { "logit_scale", "[]" },
    { "text_model.embeddings.token_embedding.weight", "[8117, 8]" },
    { "text_model.embeddings.position_embedding.weight", "[16, 8]" },
    { "text_model.final_layer_norm.weight", "[8]" },
    { "text_model.final_layer_norm.bias", "[8]" },
    { "text_projection.weight", "[4, 8]" },
    { "vision_model.embeddings.class_embedding", "[6]" },
    { "vision_model.embeddings.patch_embedding.weight", "[6, 3, 4, 4]" },
    { "vision_model.embeddings.position_embedding.weight", "[5, 6]" },
    { "vision_model.pre_layrnorm.weight", "[6]" },
    { "vision_model.pre_layrnorm.bias", "[6]" },
    { "vision_model.post_layernorm.weight", "[6]" },
    { "vision_model.post_layernorm.bias", "[6]" },
    { "visual_projection.weight", "[4, 6]" },
  };
  GPtrArray *tensors = tiny_tensors_new ();
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    tiny_add (tensors, shapes[i][0], "F32", shapes[i][1]);
  add_layer (tensors, "text_model.encoder.layers.0.", 8, 12);
  add_layer (tensors, "vision_model.encoder.layers.0.", 6, 10);
  for (guint i = 0; i < tensors->len; i++) {
    GByteArray *data = ((TinyTensor *) g_ptr_array_index (tensors, i))->data;
    gfloat *values = (gfloat *) (gpointer) data->data;
    for (guint j = 0; j < data->len / 4; j++)
      values[j] = (gfloat) ((i + 7 * j) % 31) / 32.0f;
  }
  return tensors;
}

void
tiny_write_safetensors (const gchar *folder, const gchar *name,
    GPtrArray *tensors)
{
  g_autoptr (GString) header = g_string_new ("{");
  g_autoptr (GByteArray) file = g_byte_array_new ();
  gsize offset = 0;
  for (guint i = 0; i < tensors->len; i++) {
    const TinyTensor *tensor = g_ptr_array_index (tensors, i);
    g_string_append_printf (header,
        "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":["
        "%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT "]}",
        i > 0 ? "," : "", tensor->name, tensor->dtype, tensor->shape, offset,
        offset + tensor->data->len);
    offset += tensor->data->len;
  }
  g_string_append_c (header, '}');
  guint64 length = GUINT64_TO_LE ((guint64) header->len);
  g_byte_array_append (file, (guint8 *) &length, sizeof length);
  g_byte_array_append (file, (guint8 *) header->str, (guint) header->len);
  for (guint i = 0; i < tensors->len; i++) {
    const TinyTensor *tensor = g_ptr_array_index (tensors, i);
    g_byte_array_append (file, tensor->data->data, tensor->data->len);
  }
  tiny_write (folder, name, file->data, file->len);
}

gchar *
tiny_hf_new (void)
{
  gchar *folder = tiny_folder_new ();
  g_autoptr (GPtrArray) tensors = tiny_hf_tensors ();
  tiny_write_text (folder, "config.json", tiny_hf_config);
  tiny_write_safetensors (folder, "model.safetensors", tensors);
  tiny_link_source (folder, "tokenizer.json", "engine/starter/tokenizer.json");
  return folder;
}
