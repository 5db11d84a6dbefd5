/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * OpenCLIP builds its models from keyword arguments, so a key that this file
 * does not know is one that would change the model.
 */
#include "engine/model/config.h"

#include <string.h>

/* What each section may hold: keys that are read below, keys that matter only
 * in training, and keys that must have the value that switches them off. */
typedef enum {
  KEY_READ,
  KEY_TRAINING,
  KEY_OFF, /* false, 0, "", [], {}: null is like missing */
} KeyUse;

typedef struct {
  const gchar *name;
  KeyUse use;
} Key;

static const Key model_keys[] = {
  { "embed_dim", KEY_READ },
  { "vision_cfg", KEY_READ },
  { "text_cfg", KEY_READ },
  { "quick_gelu", KEY_READ },
  { "custom_text", KEY_TRAINING }, /* tensor names tell */
  { "init_logit_scale", KEY_TRAINING },
  { "init_logit_bias", KEY_TRAINING },
  { "nonscalar_logit_scale", KEY_TRAINING },
  { "cast_dtype", KEY_TRAINING },
  { "output_dict", KEY_TRAINING },
  { "multimodal_cfg", KEY_OFF },
};

static const Key vision_keys[] = {
  { "image_size", KEY_READ },
  { "layers", KEY_READ },
  { "width", KEY_READ },
  { "head_width", KEY_READ },
  { "mlp_ratio", KEY_READ },
  { "patch_size", KEY_READ },
  { "pool_type", KEY_READ },
  { "pos_embed_type", KEY_READ },
  { "timm_model_name", KEY_READ },
  { "timm_pool", KEY_READ },
  { "timm_proj", KEY_READ },
  { "timm_proj_bias", KEY_READ },
  { "timm_model_pretrained", KEY_TRAINING },
  { "timm_drop", KEY_TRAINING },
  { "timm_drop_path", KEY_TRAINING },
  { "patch_dropout", KEY_TRAINING },
  { "ls_init_value", KEY_OFF },
  { "attentional_pool", KEY_OFF },
  { "attn_pooler_queries", KEY_TRAINING }, /* of the attentional pool */
  { "attn_pooler_heads", KEY_TRAINING },
  { "no_ln_pre", KEY_OFF },
  { "final_ln_after_pool", KEY_OFF },
  { "output_tokens", KEY_OFF },
  { "act_kwargs", KEY_OFF },
  { "norm_kwargs", KEY_OFF },
};

static const Key text_keys[] = {
  { "context_length", KEY_READ },
  { "vocab_size", KEY_READ },
  { "width", KEY_READ },
  { "heads", KEY_READ },
  { "layers", KEY_READ },
  { "mlp_ratio", KEY_READ },
  { "pool_type", KEY_READ },
  { "proj_type", KEY_READ },
  { "hf_tokenizer_name", KEY_TRAINING }, /* the tokenizer lies in the folder */
  { "hf_model_pretrained", KEY_TRAINING },
  { "hf_proj_type", KEY_TRAINING }, /* of hf_model_name */
  { "hf_pooler_type", KEY_TRAINING },
  { "pad_id", KEY_TRAINING }, /* after the end token, where nothing looks */
  { "hf_model_name", KEY_OFF },
  { "tokenizer_kwargs", KEY_OFF },
  { "tokenizer_mode", KEY_OFF },
  { "ls_init_value", KEY_OFF },
  { "embed_cls", KEY_OFF },
  { "no_causal_mask", KEY_OFF },
  { "final_ln_after_pool", KEY_OFF },
  { "proj_bias", KEY_OFF },
  { "output_tokens", KEY_OFF },
  { "act_kwargs", KEY_OFF },
  { "norm_kwargs", KEY_OFF },
};

static const Key preprocess_keys[] = {
  { "mean", KEY_READ }, { "std", KEY_READ }, { "interpolation", KEY_READ },
  { "resize_mode", KEY_READ }, { "fill_color", KEY_READ }, { "mode", KEY_READ },
  { "size", KEY_TRAINING }, /* OpenCLIP takes the tower's image_size */
};

static gboolean
is_off (JsonNode *node)
{
  if (JSON_NODE_HOLDS_ARRAY (node))
    return json_array_get_length (json_node_get_array (node)) == 0;
  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_object_get_size (json_node_get_object (node)) == 0;
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return *json_node_get_string (node) == '\0';
  return json_node_get_double (node) == 0.0 && !json_node_get_boolean (node);
}

static gboolean
check_keys (const ClipJson *json, const Key *keys, guint n, GError **error)
{
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *node;
  if (json->object == NULL)
    return TRUE;
  json_object_iter_init (&iter, json->object);
  while (json_object_iter_next (&iter, &name, &node)) {
    guint i = 0;
    while (i < n && !g_str_equal (keys[i].name, name))
      i++;
    if (i < n && keys[i].use != KEY_OFF)
      continue;
    if (!JSON_NODE_HOLDS_NULL (node) && !is_off (node))
      return clip_json_unsupported (json, name, "it missing or off", error);
  }
  return TRUE;
}

/* A string key that must have one of two values where it is there. */
static gboolean
check_choice (const ClipJson *json, const gchar *key, const gchar *a,
    const gchar *b, GError **error)
{
  const gchar *value = a;
  if (!clip_json_get_string (json, key, &value, error))
    return FALSE;
  return g_str_equal (value, a) || g_str_equal (value, b)
      || clip_json_unsupported (json, key, a, error);
}

static gboolean
read_mlp (const ClipJson *json, ClipTransformerSpec *spec, GError **error)
{
  gdouble ratio = 4.0;
  if (!clip_json_get_double (json, "mlp_ratio", 1e-3, 16, &ratio, error))
    return FALSE;
  spec->mlp = (guint) (spec->width * ratio);
  return spec->mlp > 0
      || clip_json_refuse (json, "mlp_ratio", "at least one unit", error);
}

static gboolean
read_vit (const ClipJson *json, ClipModelSpec *spec, ClipActivation act,
    GError **error)
{
  spec->image_kind = CLIP_TOWER_TRANSFORMER;
  spec->image = (ClipTransformerSpec){
    .width = 768, .layers = 12, .act = act, .epsilon = 1e-5f
  };
  spec->patch = 16;
  guint head_width = 64;
  JsonNode *layers = clip_json_find (json, "layers");
  if (layers != NULL && JSON_NODE_HOLDS_ARRAY (layers))
    return clip_json_unsupported (json, "layers",
        "an integer (ResNet towers cannot be run)", error);
  if (!clip_json_get_uint (json, "width", 1, CLIP_MAX_WIDTH, &spec->image.width,
          error)
      || !clip_json_get_uint (json, "layers", 1, CLIP_MAX_LAYERS,
          &spec->image.layers, error)
      || !clip_json_get_uint (json, "head_width", 1, CLIP_MAX_WIDTH,
          &head_width, error)
      || !clip_json_get_side (json, "patch_size", 1, CLIP_MAX_IMAGE,
          &spec->patch, error)
      || !read_mlp (json, &spec->image, error)
      || !check_choice (json, "pool_type", "tok", "tok", error)
      || !check_choice (json, "pos_embed_type", "learnable", "learnable", error)
      || !clip_config_check_divides (json, "width", spec->image.width,
          "head_width", head_width, error)
      || !clip_config_check_patch (json, spec, error))
    return FALSE;
  spec->image.heads = spec->image.width / head_width;
  return TRUE;
}

void
clip_efficientnet_spec_init_lite0 (ClipEfficientNetSpec *spec)
{
  *spec = (ClipEfficientNetSpec){
    .stem = 32,
    .features = 1280,
    .repeats = { 1, 2, 2, 3, 3, 4, 1 },
    .channels = { 16, 24, 40, 80, 112, 192, 320 },
    .expansion = { 1, 6, 6, 6, 6, 6, 6 },
  };
}

static gboolean
read_timm (const ClipJson *json, const gchar *name, ClipModelSpec *spec,
    gboolean *projection_bias, GError **error)
{
  if (!g_str_equal (name, "tf_efficientnet_lite0"))
    return clip_json_unsupported (json, "timm_model_name",
        "tf_efficientnet_lite0 or none", error);
  spec->image_kind = CLIP_TOWER_EFFICIENTNET;
  clip_efficientnet_spec_init_lite0 (&spec->efficientnet);
  /* An empty pool is the trunk's own, which is the average too. */
  return check_choice (json, "timm_pool", "avg", "", error)
      && check_choice (json, "timm_proj", "linear", "linear", error)
      && clip_json_get_boolean (json, "timm_proj_bias", projection_bias, error);
}

static gboolean
read_vision (const ClipJson *json, ClipModelSpec *spec, ClipActivation act,
    gboolean *projection_bias, GError **error)
{
  const gchar *timm = NULL;
  spec->image_size = 224;
  if (!check_keys (json, vision_keys, G_N_ELEMENTS (vision_keys), error)
      || !clip_json_get_side (json, "image_size", 1, CLIP_MAX_IMAGE,
          &spec->image_size, error)
      || !clip_json_get_string (json, "timm_model_name", &timm, error))
    return FALSE;
  *projection_bias = FALSE;
  if (timm != NULL && *timm != '\0')
    return read_timm (json, timm, spec, projection_bias, error);
  return read_vit (json, spec, act, error);
}

static gboolean
read_text (const ClipJson *json, ClipModelSpec *spec, ClipActivation act,
    GError **error)
{
  spec->text = (ClipTransformerSpec){
    .width = 512, .layers = 12, .heads = 8, .act = act, .epsilon = 1e-5f
  };
  spec->context = 77;
  spec->vocab = 49408;
  return check_keys (json, text_keys, G_N_ELEMENTS (text_keys), error)
      && clip_json_get_uint (json, "context_length", 2, CLIP_MAX_CONTEXT,
          &spec->context, error)
      && clip_json_get_uint (json, "vocab_size", 1, CLIP_MAX_VOCAB,
          &spec->vocab, error)
      && clip_json_get_uint (json, "width", 1, CLIP_MAX_WIDTH,
          &spec->text.width, error)
      && clip_json_get_uint (json, "heads", 1, CLIP_MAX_HEADS,
          &spec->text.heads, error)
      && clip_json_get_uint (json, "layers", 1, CLIP_MAX_LAYERS,
          &spec->text.layers, error)
      && read_mlp (json, &spec->text, error)
      && check_choice (json, "pool_type", "argmax", "argmax", error)
      && check_choice (json, "proj_type", "linear", "linear", error)
      && clip_config_check_divides (json, "width", spec->text.width, "heads",
          spec->text.heads, error);
}

static gboolean
read_preprocess (const ClipJson *json, ClipModelSpec *spec, GError **error)
{
  ClipPreprocessSpec *pre = &spec->preprocess;
  clip_preprocess_spec_init (pre, spec->image_size, CLIP_CROP_HALF_EVEN);
  const gchar *interpolation = "bicubic", *mode = "shortest";
  guint fill = 0;
  if (!check_keys (json, preprocess_keys, G_N_ELEMENTS (preprocess_keys), error)
      || !clip_json_get_triple (json, "mean", -1e6, 1e6, pre->mean, error)
      || !clip_json_get_triple (json, "std", 1e-6, 1e6, pre->std, error)
      || !clip_json_get_string (json, "interpolation", &interpolation, error)
      || !clip_json_get_string (json, "resize_mode", &mode, error)
      || !clip_json_get_uint (json, "fill_color", 0, 255, &fill, error)
      || !check_choice (json, "mode", "RGB", "RGB", error))
    return FALSE;
  /* "random" is a choice in training; OpenCLIP evaluates with bicubic. */
  if (g_str_equal (interpolation, "bilinear"))
    pre->filter = CLIP_FILTER_BILINEAR;
  else if (!g_str_equal (interpolation, "bicubic")
      && !g_str_equal (interpolation, "random"))
    return clip_json_unsupported (json, "interpolation", "bicubic or bilinear",
        error);
  if (g_str_equal (mode, "squash"))
    pre->mode = CLIP_RESIZE_SQUASH;
  else if (g_str_equal (mode, "longest"))
    pre->mode = CLIP_RESIZE_PAD;
  else if (!g_str_equal (mode, "shortest"))
    return clip_json_unsupported (json, "resize_mode",
        "shortest, squash or longest", error);
  pre->fill = (guint8) fill;
  return TRUE;
}

gboolean
clip_config_read_openclip (const gchar *file, ClipModelSpec *spec,
    gboolean *projection_bias, GError **error)
{
  g_autoptr (JsonObject) object = clip_json_load (file, error);
  if (object == NULL)
    return FALSE;
  ClipJson root = { file, object, "" };
  ClipJson model = { file, NULL, "model_cfg." };
  ClipJson vision = { file, NULL, "model_cfg.vision_cfg." };
  ClipJson text = { file, NULL, "model_cfg.text_cfg." };
  ClipJson preprocess = { file, NULL, "preprocess_cfg." };
  gboolean quick_gelu = FALSE;
  if (!clip_json_get_object (&root, "model_cfg", &model.object, error)
      || !clip_json_get_object (&root, "preprocess_cfg", &preprocess.object,
          error)
      || !clip_json_get_object (&model, "vision_cfg", &vision.object, error)
      || !clip_json_get_object (&model, "text_cfg", &text.object, error))
    return FALSE;
  if (model.object == NULL)
    return clip_json_refuse (&root, "model_cfg", "an object", error);
  if (clip_json_find (&model, "embed_dim") == NULL)
    return clip_json_refuse (&model, "embed_dim", "an integer", error);
  if (!check_keys (&model, model_keys, G_N_ELEMENTS (model_keys), error)
      || !clip_json_get_uint (&model, "embed_dim", 1, CLIP_MAX_WIDTH,
          &spec->embed_dim, error)
      || !clip_json_get_boolean (&model, "quick_gelu", &quick_gelu, error))
    return FALSE;
  ClipActivation act = quick_gelu ? CLIP_ACT_QUICK_GELU : CLIP_ACT_GELU_ERF;
  return read_vision (&vision, spec, act, projection_bias, error)
      && read_text (&text, spec, act, error)
      && read_preprocess (&preprocess, spec, error);
}
