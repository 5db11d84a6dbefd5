/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/model/config.h"

gboolean
clip_config_check_divides (const ClipJson *json, const gchar *whole_key,
    guint whole, const gchar *part_key, guint part, GError **error)
{
  if (whole % part == 0)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
      "%s: %s%s is %u, expected a multiple of %s, which is %u", json->file,
      json->prefix, whole_key, whole, part_key, part);
  return FALSE;
}

gboolean
clip_config_check_patch (const ClipJson *json, const ClipModelSpec *spec,
    GError **error)
{
  if (spec->patch <= spec->image_size)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "%s: %spatch_size is %u, expected at most image_size, which is %u",
      json->file, json->prefix, spec->patch, spec->image_size);
  return FALSE;
}

/* A string key that must have one value where it is there at all. */
static gboolean
check_string (const ClipJson *json, const gchar *key, const gchar *expected,
    GError **error)
{
  const gchar *value = expected;
  if (!clip_json_get_string (json, key, &value, error))
    return FALSE;
  if (!g_str_equal (value, expected)) {
    g_autofree gchar *quoted = g_strdup_printf ("\"%s\"", expected);
    return clip_json_unsupported (json, key, quoted, error);
  }
  return TRUE;
}

static gboolean
read_activation (const ClipJson *json, ClipActivation *act, GError **error)
{
  static const struct {
    const gchar *name;
    ClipActivation act;
  } names[] = {
    { "quick_gelu", CLIP_ACT_QUICK_GELU },
    { "gelu", CLIP_ACT_GELU_ERF },
    { "gelu_new", CLIP_ACT_GELU_TANH },
    { "gelu_pytorch_tanh", CLIP_ACT_GELU_TANH },
    { "relu", CLIP_ACT_RELU },
    { "silu", CLIP_ACT_SILU },
    { "swish", CLIP_ACT_SILU },
  };
  const gchar *name = "quick_gelu";
  if (!clip_json_get_string (json, "hidden_act", &name, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (g_str_equal (names[i].name, name)) {
      *act = names[i].act;
      return TRUE;
    }
  }
  return clip_json_unsupported (json, "hidden_act",
      "quick_gelu, gelu, gelu_new, gelu_pytorch_tanh, relu or silu", error);
}

/* What both towers have; *spec holds the defaults. */
static gboolean
read_transformer (const ClipJson *json, ClipTransformerSpec *spec,
    GError **error)
{
  gdouble epsilon = 1e-5;
  if (!clip_json_get_uint (json, "hidden_size", 1, CLIP_MAX_WIDTH, &spec->width,
          error)
      || !clip_json_get_uint (json, "intermediate_size", 1, CLIP_MAX_MLP,
          &spec->mlp, error)
      || !clip_json_get_uint (json, "num_hidden_layers", 1, CLIP_MAX_LAYERS,
          &spec->layers, error)
      || !clip_json_get_uint (json, "num_attention_heads", 1, CLIP_MAX_HEADS,
          &spec->heads, error)
      || !clip_json_get_double (json, "layer_norm_eps", 1e-12, 1, &epsilon,
          error)
      || !read_activation (json, &spec->act, error)
      || !clip_config_check_divides (json, "hidden_size", spec->width,
          "num_attention_heads", spec->heads, error))
    return FALSE;
  spec->epsilon = (gfloat) epsilon;
  return TRUE;
}

static gboolean
read_text (const ClipJson *json, ClipModelSpec *spec, gint *end_token,
    GError **error)
{
  spec->text = (ClipTransformerSpec){
    .width = 512, .layers = 12, .heads = 8, .mlp = 2048
  };
  spec->context = 77;
  spec->vocab = 49408;
  guint end = G_MAXINT;
  if (!check_string (json, "model_type", "clip_text_model", error)
      || !read_transformer (json, &spec->text, error)
      || !clip_json_get_uint (json, "max_position_embeddings", 2,
          CLIP_MAX_CONTEXT, &spec->context, error)
      || !clip_json_get_uint (json, "vocab_size", 1, CLIP_MAX_VOCAB,
          &spec->vocab, error)
      || !clip_json_get_uint (json, "eos_token_id", 0, CLIP_MAX_VOCAB, &end,
          error))
    return FALSE;
  /* transformers takes 2, which old files have, for "the largest id". */
  *end_token = end == G_MAXINT || end == 2 ? -1 : (gint) end;
  return TRUE;
}

static gboolean
read_vision (const ClipJson *json, ClipModelSpec *spec, GError **error)
{
  spec->image_kind = CLIP_TOWER_TRANSFORMER;
  spec->image = (ClipTransformerSpec){
    .width = 768, .layers = 12, .heads = 12, .mlp = 3072
  };
  spec->image_size = 224;
  spec->patch = 32;
  guint channels = 3;
  if (!check_string (json, "model_type", "clip_vision_model", error)
      || !read_transformer (json, &spec->image, error)
      || !clip_json_get_side (json, "image_size", 1, CLIP_MAX_IMAGE,
          &spec->image_size, error)
      || !clip_json_get_side (json, "patch_size", 1, CLIP_MAX_IMAGE,
          &spec->patch, error)
      || !clip_json_get_uint (json, "num_channels", 1, 1024, &channels, error))
    return FALSE;
  if (channels != 3)
    return clip_json_unsupported (json, "num_channels", "3", error);
  return clip_config_check_patch (json, spec, error);
}

/* The section of one tower. In old files text_config_dict, where it is not
 * null, replaces text_config altogether, its own missing keys included. */
static gboolean
find_section (const ClipJson *root, const gchar *name, const gchar *old_name,
    ClipJson *section, GError **error)
{
  *section = (ClipJson){ root->file, NULL, "" };
  return clip_json_get_object (root, name, &section->object, error)
      && clip_json_get_object (root, old_name, &section->object, error);
}

gboolean
clip_config_read_hf (const gchar *file, ClipModelSpec *spec, gint *end_token,
    GError **error)
{
  g_autoptr (JsonObject) object = clip_json_load (file, error);
  if (object == NULL)
    return FALSE;
  ClipJson root = { file, object, "" }, text, vision;
  if (!check_string (&root, "model_type", "clip", error)
      || !find_section (&root, "text_config", "text_config_dict", &text, error)
      || !find_section (&root, "vision_config", "vision_config_dict", &vision,
          error))
    return FALSE;
  text.prefix = "text_config.";
  vision.prefix = "vision_config.";
  spec->embed_dim = 512;
  return clip_json_get_uint (&root, "projection_dim", 1, CLIP_MAX_WIDTH,
             &spec->embed_dim, error)
      && read_text (&text, spec, end_token, error)
      && read_vision (&vision, spec, error);
}
