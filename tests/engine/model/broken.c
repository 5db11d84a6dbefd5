/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every way in which a model's folder can be broken, and what is said then.
 */
#include "engine/model/model.h"

#include "tests/engine/model/tiny.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static ClipModel *
load (const gchar *where)
{
  g_autoptr (GError) error = NULL;
  ClipModel *model = clip_model_load (where, &error);
  g_assert_no_error (error);
  g_assert_nonnull (model);
  return model;
}

static void
assert_fails (const gchar *where, gint code, const gchar *complaint)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (clip_model_load (where, &error));
  g_assert_nonnull (error);
  if (!g_error_matches (error, CLIP_ERROR, code)
      || strstr (error->message, complaint) == NULL)
    g_error ("\"%s\" (%d) does not say \"%s\" (%d)", error->message,
        error->code, complaint, code);
}

/* Writes the tiny model after `change`, and expects the load to fail. */
static void
assert_broken (void (*change) (GPtrArray *tensors), gint code,
    const gchar *complaint)
{
  gchar *folder = tiny_hf_new ();
  g_autoptr (GPtrArray) tensors = tiny_hf_tensors ();
  change (tensors);
  tiny_write_safetensors (folder, "model.safetensors", tensors);
  assert_fails (folder, code, complaint);
  assert_fails (folder, code, folder);
  tiny_folder_remove (folder);
}

static void
drop_bias (GPtrArray *tensors)
{
  tiny_remove (tensors, "text_model.encoder.layers.0.self_attn.v_proj.bias");
}

static void
drop_scale (GPtrArray *tensors)
{
  tiny_remove (tensors, "logit_scale");
}

static void
transpose (GPtrArray *tensors)
{
  tiny_reshape (tiny_find (tensors, "visual_projection.weight"), "F32",
      "[6, 4]");
}

static void
flatten_patch (GPtrArray *tensors)
{
  tiny_reshape (tiny_find (tensors,
                    "vision_model.embeddings.patch_embedding.weight"),
      "F32", "[6, 48]");
}

static void
grow_positions (GPtrArray *tensors)
{
  tiny_reshape (tiny_find (tensors,
                    "vision_model.embeddings.position_embedding.weight"),
      "BF16", "[6, 6]");
}

static void
integers (GPtrArray *tensors)
{
  tiny_reshape (tiny_find (tensors, "text_projection.weight"), "I32", "[4, 8]");
}

static void
more_layers (GPtrArray *tensors)
{
  tiny_add (tensors, "text_model.encoder.layers.1.mlp.fc1.weight", "F32",
      "[12, 8]");
}

static void
infinite_scale (GPtrArray *tensors)
{
  *(gfloat *) (gpointer) tiny_find (tensors, "logit_scale")->data->data =
      INFINITY;
}

static void
large_scale (GPtrArray *tensors)
{
  *(gfloat *) (gpointer) tiny_find (tensors, "logit_scale")->data->data = 100;
}

static void
wide_scale (GPtrArray *tensors)
{
  tiny_reshape (tiny_find (tensors, "logit_scale"), "F32", "[2]");
}

static void
test_broken_tensors (void)
{
  assert_broken (drop_bias, CLIP_ERROR_FORMAT,
      "model.safetensors: tensor text_model.encoder.layers.0.self_attn.v_proj"
      ".bias is missing");
  assert_broken (drop_scale, CLIP_ERROR_FORMAT,
      "model.safetensors: tensor logit_scale is missing");
  assert_broken (transpose, CLIP_ERROR_FORMAT,
      "tensor visual_projection.weight: shape is [6, 4], expected [4, 6]");
  assert_broken (flatten_patch, CLIP_ERROR_FORMAT,
      "shape is [6, 48], expected [6, 3, 4, 4]");
  assert_broken (grow_positions, CLIP_ERROR_FORMAT,
      "shape is [6, 6], expected [5, 6]");
  assert_broken (integers, CLIP_ERROR_UNSUPPORTED,
      "tensor text_projection.weight: dtype is I32, expected F32");
  assert_broken (more_layers, CLIP_ERROR_UNSUPPORTED,
      "text_model.encoder.layers.1.mlp.fc1.weight: the model that the "
      "configuration describes has no place");
  assert_broken (infinite_scale, CLIP_ERROR_FORMAT, "tensor logit_scale: ");
  assert_broken (large_scale, CLIP_ERROR_FORMAT,
      "tensor logit_scale: is 100, expected");
  assert_broken (wide_scale, CLIP_ERROR_FORMAT,
      "tensor logit_scale: is [2] of F32");
}

static void
test_broken_folders (void)
{
  gchar *folder = tiny_hf_new ();
  g_autofree gchar *weights =
      g_build_filename (folder, "model.safetensors", NULL);
  tiny_delete (folder, "tokenizer.json");
  assert_fails (folder, CLIP_ERROR_NOT_FOUND,
      "looked for tokenizer.json, and for vocab.json with merges.txt");
  tiny_write_text (folder, "vocab.json", "{}");
  assert_fails (folder, CLIP_ERROR_NOT_FOUND, "no tokenizer");
  tiny_write_text (folder, "tokenizer.json", "{");
  assert_fails (folder, CLIP_ERROR_FORMAT, "tokenizer.json");
  tiny_delete (folder, "tokenizer.json");
  tiny_link_source (folder, "tokenizer.json", "engine/starter/tokenizer.json");

  tiny_write_text (folder, "labels.txt", "a dog\n\xff\n");
  assert_fails (folder, CLIP_ERROR_FORMAT, "labels.txt");
  tiny_write_text (folder, "labels.txt", "a dog\n");
  g_autoptr (ClipModel) model = load (folder);
  g_assert_cmpstr (clip_model_get_default_labels (model)[0], ==, "a dog");

  tiny_write_text (folder, "config.json", "{\"model_type\": \"siglip\"}");
  assert_fails (folder, CLIP_ERROR_UNSUPPORTED, "model_type is \"siglip\"");
  tiny_delete (folder, "config.json");
  assert_fails (folder, CLIP_ERROR_NOT_FOUND, "no model: looked for");
  assert_fails (weights, CLIP_ERROR_NOT_FOUND, "no config.json");
  tiny_delete (folder, "model.safetensors");
  tiny_write_text (folder, "config.json", tiny_hf_config);
  assert_fails (folder, CLIP_ERROR_NOT_FOUND, "no model: looked for");
  tiny_write_text (folder, "pytorch_model.bin", "");
  assert_fails (folder, CLIP_ERROR_UNSUPPORTED,
      "the weights are in pytorch_model.bin, expected safetensors");
  assert_fails (weights, CLIP_ERROR_NOT_FOUND, "no such file or folder");
  assert_fails ("", CLIP_ERROR_ARGUMENT, "no model was named");
  assert_fails (NULL, CLIP_ERROR_ARGUMENT, "no model was named");
  tiny_folder_remove (folder);
}

/* The vocabulary and the end token must be the text tower's. */
static void
test_broken_tokenizer (void)
{
  gchar *folder = tiny_hf_new ();
  g_autoptr (GPtrArray) tensors = tiny_hf_tensors ();
  g_auto (GStrv) parts = g_strsplit (tiny_hf_config, "8117", 2);
  g_autofree gchar *small = g_strjoinv ("8116", parts);
  tiny_write_text (folder, "config.json", small);
  tiny_reshape (tiny_find (tensors,
                    "text_model.embeddings.token_embedding.weight"),
      "F32", "[8116, 8]");
  tiny_write_safetensors (folder, "model.safetensors", tensors);
  assert_fails (folder, CLIP_ERROR_FORMAT,
      "the tokenizer has 8117 tokens, expected at most 8116");
  tiny_folder_remove (folder);

  folder = tiny_hf_new ();
  g_auto (GStrv) halves = g_strsplit (tiny_hf_config, "\"eos_token_id\": 2", 2);
  g_autofree gchar *other = g_strjoinv ("\"eos_token_id\": 49407", halves);
  tiny_write_text (folder, "config.json", other);
  assert_fails (folder, CLIP_ERROR_FORMAT,
      "ends texts with token 8116, expected 49407");
  tiny_folder_remove (folder);
}

static void
assert_read_fails (ClipModel *model, const gchar *weight,
    const gchar *complaint)
{
  g_autoptr (GError) error = NULL;
  g_auto (ClipHostTensor) tensor = { 0 };
  g_assert_false (clip_model_read_weight (model, weight, &tensor, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  g_assert_null (tensor.data);
  if (strstr (error->message, complaint) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, complaint);
}

static void
test_not_finite (void)
{
  gchar *folder = tiny_hf_new ();
  g_autoptr (GPtrArray) tensors = tiny_hf_tensors ();
  static const gchar *const names[] = {
    "text_model.encoder.layers.0.self_attn.k_proj.weight",
    "text_model.embeddings.token_embedding.weight",
    "vision_model.post_layernorm.bias"
  };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GByteArray *data = tiny_find (tensors, names[i])->data;
    ((gfloat *) (gpointer) data->data)[data->len / 4 - 1] =
        i == 0 ? NAN : -INFINITY;
  }
  tiny_write_safetensors (folder, "model.safetensors", tensors);
  g_autoptr (ClipModel) model = load (folder);
  assert_read_fails (model, "text.blocks.0.qkv.weight",
      "model.safetensors: tensor text_model.encoder.layers.0.self_attn.k_proj"
      ".weight: holds NaN or infinite values");
  assert_read_fails (model, "text.token", "token_embedding.weight: holds NaN");
  assert_read_fails (model, "image.post_norm.bias",
      "vision_model.post_layernorm.bias: holds NaN");

  g_autoptr (GError) error = NULL;
  g_auto (ClipHostTensor) tensor = { 0 };
  clip_model_read_weight (model, "image.post_norm.weight", &tensor, &error);
  g_assert_no_error (error);
  tiny_folder_remove (folder);
}

/* The file shrinks while the model is in use: an error, not a signal. */
static void
test_truncated_later (void)
{
  gchar *folder = tiny_hf_new ();
  g_autofree gchar *path = g_build_filename (folder, "model.safetensors", NULL);
  g_autoptr (ClipModel) model = load (folder);
  g_assert_cmpint (truncate (path, 8192), ==, 0);
  assert_read_fails (model, "text.token", "the file was truncated");
  tiny_folder_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/broken/tensors", test_broken_tensors);
  g_test_add_func ("/broken/folders", test_broken_folders);
  g_test_add_func ("/broken/tokenizer", test_broken_tokenizer);
  g_test_add_func ("/broken/not-finite", test_not_finite);
  g_test_add_func ("/broken/truncated-later", test_truncated_later);
  return g_test_run ();
}
