/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Configuration files: defaults, their several shapes, and what is refused.
 */
#include "engine/model/config.h"

#include "tests/engine/model/tiny.h"

#include <math.h>
#include <string.h>

static gchar *folder;

static gchar *
file (const gchar *name)
{
  return g_build_filename (folder, name, NULL);
}

static void
assert_says (GError *error, gint code, const gchar *complaint)
{
  g_assert_error (error, CLIP_ERROR, code);
  if (strstr (error->message, complaint) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, complaint);
}

/* ---------------------------------------------------------- transformers */

static gboolean
read_hf (const gchar *text, ClipModelSpec *spec, gint *end, GError **error)
{
  g_autofree gchar *path = file ("config.json");
  memset (spec, 0, sizeof *spec);
  tiny_write_text (folder, "config.json", text);
  return clip_config_read_hf (path, spec, end, error);
}

static void
assert_transformer (const ClipTransformerSpec *spec, guint width, guint layers,
    guint heads, guint mlp, ClipActivation act, gfloat epsilon)
{
  g_assert_cmpuint (spec->width, ==, width);
  g_assert_cmpuint (spec->layers, ==, layers);
  g_assert_cmpuint (spec->heads, ==, heads);
  g_assert_cmpuint (spec->mlp, ==, mlp);
  g_assert_cmpint (spec->act, ==, act);
  g_assert_cmpfloat (spec->epsilon, ==, epsilon);
}

static void
test_hf_defaults (void)
{
  static const gchar *const empty[] = { "{}", "{\"model_type\": \"clip\"}",
    "{\"text_config\": {}, \"vision_config\": null}",
    "{\"text_config\": {\"hidden_size\": 64}, \"text_config_dict\": {}}" };
  for (guint i = 0; i < G_N_ELEMENTS (empty); i++) {
    g_autoptr (GError) error = NULL;
    ClipModelSpec spec;
    gint end;
    read_hf (empty[i], &spec, &end, &error);
    g_assert_no_error (error);
    assert_transformer (&spec.image, 768, 12, 12, 3072, CLIP_ACT_QUICK_GELU,
        1e-5f);
    assert_transformer (&spec.text, 512, 12, 8, 2048, CLIP_ACT_QUICK_GELU,
        1e-5f);
    g_assert_cmpint (spec.image_kind, ==, CLIP_TOWER_TRANSFORMER);
    g_assert_cmpuint (spec.embed_dim, ==, 512);
    g_assert_cmpuint (spec.image_size, ==, 224);
    g_assert_cmpuint (spec.patch, ==, 32);
    g_assert_cmpuint (spec.context, ==, 77);
    g_assert_cmpuint (spec.vocab, ==, 49408);
    g_assert_cmpint (end, ==, -1);
  }
}

static void
test_hf_values (void)
{
  g_autoptr (GError) error = NULL;
  ClipModelSpec spec;
  gint end;
  read_hf ("{\"model_type\": \"clip\", \"projection_dim\": 40,"
           " \"text_config\": {\"hidden_act\": \"gelu\", \"hidden_size\": 48,"
           "  \"num_attention_heads\": 3, \"num_hidden_layers\": 2,"
           "  \"intermediate_size\": 100, \"layer_norm_eps\": 1e-6,"
           "  \"max_position_embeddings\": 32, \"vocab_size\": 99,"
           "  \"eos_token_id\": 98, \"unknown\": [1]},"
           " \"vision_config\": {\"hidden_act\": \"gelu_pytorch_tanh\","
           "  \"image_size\": [56, 56], \"patch_size\": 14,"
           "  \"model_type\": \"clip_vision_model\", \"num_channels\": 3}}",
      &spec, &end, &error);
  g_assert_no_error (error);
  assert_transformer (&spec.text, 48, 2, 3, 100, CLIP_ACT_GELU_ERF, 1e-6f);
  assert_transformer (&spec.image, 768, 12, 12, 3072, CLIP_ACT_GELU_TANH,
      1e-5f);
  g_assert_cmpuint (spec.embed_dim, ==, 40);
  g_assert_cmpuint (spec.image_size, ==, 56);
  g_assert_cmpuint (spec.patch, ==, 14);
  g_assert_cmpuint (spec.context, ==, 32);
  g_assert_cmpuint (spec.vocab, ==, 99);
  g_assert_cmpint (end, ==, 98);
  /* The old name wins, whole. */
  read_hf ("{\"text_config\": {\"hidden_size\": 64, \"eos_token_id\": 2},"
           " \"text_config_dict\": {\"num_hidden_layers\": 3}}",
      &spec, &end, &error);
  g_assert_no_error (error);
  assert_transformer (&spec.text, 512, 3, 8, 2048, CLIP_ACT_QUICK_GELU, 1e-5f);
}

#define FORMAT CLIP_ERROR_FORMAT
#define UNSUPPORTED CLIP_ERROR_UNSUPPORTED

static const struct {
  const gchar *text;
  gint code;
  const gchar *complaint;
} hf_errors[] = {
  { "{\"model_type\": \"siglip\"}", UNSUPPORTED,
      "model_type is \"siglip\", expected \"clip\"" },
  { "{\"model_type\": 1}", FORMAT, "model_type is 1" },
  { "{\"text_config\": {\"model_type\": \"bert\"}}", UNSUPPORTED,
      "text_config.model_type is \"bert\"" },
  { "{\"vision_config\": {\"model_type\": \"x\"}}", UNSUPPORTED,
      "vision_config.model_type" },
  { "{\"vision_config\": {\"hidden_act\": \"mish\"}}", UNSUPPORTED,
      "vision_config.hidden_act is \"mish\"" },
  { "{\"vision_config\": {\"num_channels\": 1}}", UNSUPPORTED,
      "num_channels is 1, expected 3" },
  { "{\"vision_config\": {\"hidden_size\": 770}}", UNSUPPORTED,
      "hidden_size is 770, expected a multiple of num_attention_heads" },
  { "{\"text_config\": {\"num_attention_heads\": 0}}", FORMAT,
      "text_config.num_attention_heads is 0" },
  { "{\"text_config\": {\"hidden_size\": -512}}", FORMAT,
      "hidden_size is -512" },
  { "{\"text_config\": {\"hidden_size\": 4294967808}}", FORMAT,
      "hidden_size is 4294967808" },
  { "{\"text_config\": {\"hidden_size\": \"512\"}}", FORMAT,
      "hidden_size is \"512\"" },
  { "{\"text_config\": {\"num_hidden_layers\": 100000}}", FORMAT,
      "num_hidden_layers" },
  { "{\"text_config\": {\"vocab_size\": 1000000000}}", FORMAT, "vocab_size" },
  { "{\"text_config\": {\"max_position_embeddings\": 1}}", FORMAT,
      "max_position_embeddings" },
  { "{\"text_config\": {\"layer_norm_eps\": 0}}", FORMAT, "layer_norm_eps" },
  { "{\"text_config\": {\"layer_norm_eps\": 1e999}}", FORMAT,
      "layer_norm_eps" },
  { "{\"text_config\": []}", FORMAT, "text_config is []" },
  { "{\"vision_config\": {\"patch_size\": 0}}", FORMAT, "patch_size is 0" },
  { "{\"vision_config\": {\"patch_size\": 225}}", FORMAT,
      "patch_size is 225, expected at most image_size, which is 224" },
  { "{\"vision_config\": {\"image_size\": [224, 448]}}", UNSUPPORTED,
      "expected a square" },
  { "{\"projection_dim\": 0}", FORMAT, "projection_dim is 0" },
  { "[]", FORMAT, "expected a JSON object" },
  { "{", FORMAT, "config.json" },
};

static void
test_hf_errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (hf_errors); i++) {
    g_autoptr (GError) error = NULL;
    ClipModelSpec spec;
    gint end;
    g_assert_false (read_hf (hf_errors[i].text, &spec, &end, &error));
    assert_says (error, hf_errors[i].code, hf_errors[i].complaint);
    assert_says (error, hf_errors[i].code, "config.json: ");
  }
}

/* ---------------------------------------------------------- preprocessor */

static gboolean
read_preprocessor (const gchar *text, guint image_size, ClipPreprocessSpec *out,
    GError **error)
{
  ClipModelSpec spec = { .image_size = image_size };
  if (text != NULL)
    tiny_write_text (folder, "preprocessor_config.json", text);
  gboolean ok = clip_config_read_hf_preprocessor (folder, &spec, error);
  if (text != NULL)
    tiny_delete (folder, "preprocessor_config.json");
  *out = spec.preprocess;
  return ok;
}

static void
assert_openai_values (const ClipPreprocessSpec *spec)
{
  g_assert_cmpfloat (spec->rescale, ==, 1.0 / 255);
  g_assert_cmpfloat (spec->mean[0], ==, 0.48145466f);
  g_assert_cmpfloat (spec->mean[2], ==, 0.40821073f);
  g_assert_cmpfloat (spec->std[0], ==, 0.26862954f);
  g_assert_cmpfloat (spec->std[1], ==, 0.26130258f);
}

static const struct {
  const gchar *text; /* NULL: no file */
  guint image_size;
  ClipResizeMode mode;
  guint resize;
  ClipFilter filter;
} hf_shapes[] = {
  { NULL, 336, CLIP_RESIZE_CROP, 336, CLIP_FILTER_BICUBIC },
  { "{}", 224, CLIP_RESIZE_CROP, 224, CLIP_FILTER_BICUBIC },
  { "{\"size\": 256, \"crop_size\": 224, \"resample\": 2,"
    " \"feature_extractor_type\": \"CLIPFeatureExtractor\"}",
      224, CLIP_RESIZE_CROP, 256, CLIP_FILTER_BILINEAR },
  { "{\"size\": {\"shortest_edge\": 336}, \"resample\": 1,"
    " \"crop_size\": {\"height\": 336, \"width\": 336},"
    " \"image_processor_type\": \"CLIPImageProcessorFast\"}",
      336, CLIP_RESIZE_CROP, 336, CLIP_FILTER_LANCZOS },
  { "{\"size\": {\"height\": 224, \"width\": 224}, \"resample\": 0,"
    " \"do_center_crop\": false}",
      224, CLIP_RESIZE_SQUASH, 224, CLIP_FILTER_NEAREST },
  { "{\"size\": {\"height\": 224, \"width\": 224}}", 224, CLIP_RESIZE_SQUASH,
      224, CLIP_FILTER_BICUBIC },
};

static void
test_hf_shapes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (hf_shapes); i++) {
    g_autoptr (GError) error = NULL;
    ClipPreprocessSpec spec;
    read_preprocessor (hf_shapes[i].text, hf_shapes[i].image_size, &spec,
        &error);
    g_assert_no_error (error);
    g_assert_cmpint (spec.mode, ==, hf_shapes[i].mode);
    g_assert_cmpuint (spec.resize, ==, hf_shapes[i].resize);
    g_assert_cmpuint (spec.crop, ==, hf_shapes[i].image_size);
    g_assert_cmpint (spec.filter, ==, hf_shapes[i].filter);
    g_assert_cmpint (spec.rounding, ==, CLIP_CROP_FLOOR);
    assert_openai_values (&spec);
  }
}

static void
test_hf_normalisation (void)
{
  g_autoptr (GError) error = NULL;
  ClipPreprocessSpec spec;
  read_preprocessor ("{\"image_mean\": [0.5, 0, 1], \"image_std\": 0.25,"
                     " \"rescale_factor\": 0.00392156862745098}",
      224, &spec, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (spec.mean[0], ==, 0.5f);
  g_assert_cmpfloat (spec.mean[1], ==, 0.0f);
  g_assert_cmpfloat (spec.mean[2], ==, 1.0f);
  g_assert_cmpfloat (spec.std[2], ==, 0.25f);
  g_assert_cmpfloat (spec.rescale, ==, 1.0 / 255);
  read_preprocessor ("{\"do_rescale\": false, \"do_normalize\": false}", 224,
      &spec, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (spec.rescale, ==, 1.0);
  g_assert_cmpfloat (spec.mean[0], ==, 0.0f);
  g_assert_cmpfloat (spec.std[2], ==, 1.0f);
}

/* transformers 5 nests it. */
static void
test_hf_nested (void)
{
  g_autoptr (GError) error = NULL;
  ClipPreprocessSpec spec;
  tiny_write_text (folder, "processor_config.json",
      "{\"image_processor\": {\"size\": {\"shortest_edge\": 240},"
      " \"crop_size\": 230}}");
  read_preprocessor (NULL, 230, &spec, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (spec.resize, ==, 240);
  g_assert_cmpuint (spec.crop, ==, 230);
  g_assert_false (read_preprocessor (NULL, 224, &spec, &error));
  assert_says (error, FORMAT, "processor_config.json: gives pictures of 230");
  g_clear_error (&error);
  tiny_write_text (folder, "processor_config.json",
      "{\"image_processor\": {\"resample\": 5}}");
  g_assert_false (read_preprocessor (NULL, 224, &spec, &error));
  assert_says (error, UNSUPPORTED, "image_processor.resample is 5");
  g_clear_error (&error);
  tiny_write_text (folder, "processor_config.json", "{\"x\": 1}");
  read_preprocessor (NULL, 100, &spec, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (spec.crop, ==, 100);
  tiny_delete (folder, "processor_config.json");
}

static const struct {
  const gchar *text;
  gint code;
  const gchar *complaint;
} preprocessor_errors[] = {
  { "{\"image_processor_type\": \"SiglipImageProcessor\"}", UNSUPPORTED,
      "image_processor_type is \"SiglipImageProcessor\"" },
  { "{\"do_resize\": false}", UNSUPPORTED, "do_resize is false" },
  { "{\"do_resize\": 1}", FORMAT, "do_resize is 1, expected true or false" },
  { "{\"do_center_crop\": false}", UNSUPPORTED, "do_center_crop is false" },
  { "{\"resample\": 4}", UNSUPPORTED, "resample is 4" },
  { "{\"resample\": -1}", FORMAT, "resample is -1" },
  { "{\"size\": 0}", FORMAT, "size is 0" },
  { "{\"size\": [224, 224]}", FORMAT, "size is [224,224]" },
  { "{\"size\": {}}", FORMAT, "expected height and width" },
  { "{\"size\": {\"height\": 224}}", FORMAT, "expected height and width" },
  { "{\"size\": {\"height\": 224, \"width\": 225}}", UNSUPPORTED,
      "expected a square" },
  { "{\"size\": {\"longest_edge\": 224}}", UNSUPPORTED,
      "expected shortest_edge" },
  { "{\"size\": {\"height\": 256, \"width\": 256}, \"crop_size\": 224}",
      UNSUPPORTED, "crop_size is 224" },
  { "{\"size\": 200, \"crop_size\": 224}", UNSUPPORTED,
      "crop_size is 224, expected no more than size" },
  { "{\"size\": 256, \"crop_size\": 240}", FORMAT,
      "gives pictures of 240 pixels, expected 224" },
  { "{\"image_std\": [1, 0, 1]}", FORMAT, "image_std is [1,0,1]" },
  { "{\"image_mean\": [1, 0]}", FORMAT, "expected three numbers" },
  { "{\"image_mean\": [1, 0, \"x\"]}", FORMAT, "expected three numbers" },
  { "{\"rescale_factor\": 0}", FORMAT, "rescale_factor is 0" },
  { "{\"size\": 224", FORMAT, "preprocessor_config.json" },
};

static void
test_preprocessor_errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (preprocessor_errors); i++) {
    g_autoptr (GError) error = NULL;
    ClipPreprocessSpec spec;
    g_assert_false (read_preprocessor (preprocessor_errors[i].text, 224, &spec,
        &error));
    assert_says (error, preprocessor_errors[i].code,
        preprocessor_errors[i].complaint);
    assert_says (error, preprocessor_errors[i].code,
        "preprocessor_config.json: ");
  }
}

/* -------------------------------------------------------------- OpenCLIP */

static gboolean
read_openclip (const gchar *text, ClipModelSpec *spec, gboolean *bias,
    GError **error)
{
  g_autofree gchar *path = file ("open_clip_config.json");
  memset (spec, 0, sizeof *spec);
  tiny_write_text (folder, "open_clip_config.json", text);
  return clip_config_read_openclip (path, spec, bias, error);
}

static void
test_openclip_defaults (void)
{
  g_autoptr (GError) error = NULL;
  ClipModelSpec spec;
  gboolean bias;
  read_openclip ("{\"model_cfg\": {\"embed_dim\": 640, \"vision_cfg\": {},"
                 " \"text_cfg\": {}}}",
      &spec, &bias, &error);
  g_assert_no_error (error);
  assert_transformer (&spec.image, 768, 12, 12, 3072, CLIP_ACT_GELU_ERF, 1e-5f);
  assert_transformer (&spec.text, 512, 12, 8, 2048, CLIP_ACT_GELU_ERF, 1e-5f);
  g_assert_cmpuint (spec.embed_dim, ==, 640);
  g_assert_cmpuint (spec.image_size, ==, 224);
  g_assert_cmpuint (spec.patch, ==, 16);
  g_assert_cmpuint (spec.context, ==, 77);
  g_assert_cmpuint (spec.vocab, ==, 49408);
  g_assert_cmpint (spec.preprocess.mode, ==, CLIP_RESIZE_CROP);
  g_assert_cmpint (spec.preprocess.rounding, ==, CLIP_CROP_HALF_EVEN);
  g_assert_cmpint (spec.preprocess.filter, ==, CLIP_FILTER_BICUBIC);
  g_assert_cmpuint (spec.preprocess.resize, ==, 224);
  g_assert_cmpuint (spec.preprocess.crop, ==, 224);
  assert_openai_values (&spec.preprocess);
}

static void
test_openclip_values (void)
{
  g_autoptr (GError) error = NULL;
  ClipModelSpec spec;
  gboolean bias;
  read_openclip (
      "{\"model_cfg\": {\"embed_dim\": 1280, \"quick_gelu\": true,"
      " \"init_logit_bias\": -10, \"custom_text\": true,"
      " \"vision_cfg\": {\"image_size\": [378, 378], \"layers\": 48,"
      "  \"width\": 1664, \"head_width\": 104, \"mlp_ratio\": 4.9231,"
      "  \"patch_size\": 14, \"ls_init_value\": null, \"no_ln_pre\": false,"
      "  \"patch_dropout\": 0.5},"
      " \"text_cfg\": {\"context_length\": 64, \"vocab_size\": 50000,"
      "  \"width\": 1280, \"heads\": 20, \"layers\": 32,"
      "  \"hf_tokenizer_name\": \"x/y\", \"tokenizer_kwargs\": {}}},"
      " \"preprocess_cfg\": {\"mean\": [0, 0, 0], \"std\": [1, 1, 1],"
      "  \"interpolation\": \"bilinear\", \"resize_mode\": \"longest\","
      "  \"fill_color\": 127, \"size\": [224, 224], \"mode\": \"RGB\"}}",
      &spec, &bias, &error);
  g_assert_no_error (error);
  assert_transformer (&spec.image, 1664, 48, 16, 8192, CLIP_ACT_QUICK_GELU,
      1e-5f);
  assert_transformer (&spec.text, 1280, 32, 20, 5120, CLIP_ACT_QUICK_GELU,
      1e-5f);
  g_assert_cmpuint (spec.image_size, ==, 378);
  g_assert_cmpint (spec.preprocess.mode, ==, CLIP_RESIZE_PAD);
  g_assert_cmpuint (spec.preprocess.fill, ==, 127);
  g_assert_cmpuint (spec.preprocess.crop, ==, 378);
  g_assert_cmpint (spec.preprocess.filter, ==, CLIP_FILTER_BILINEAR);
  g_assert_cmpfloat (spec.preprocess.std[1], ==, 1.0f);
  g_assert_false (bias);
}

#define TIMM(rest)                                                             \
  "{\"model_cfg\": {\"embed_dim\": 8, \"vision_cfg\": {"                       \
  "\"timm_model_name\": \"tf_efficientnet_lite0\"" rest                        \
  "}, \"text_cfg\": {}}}"

static void
test_openclip_timm (void)
{
  g_autoptr (GError) error = NULL;
  ClipModelSpec spec;
  gboolean bias;
  read_openclip (TIMM (", \"image_size\": 160, \"timm_proj_bias\": true"),
      &spec, &bias, &error);
  g_assert_no_error (error);
  g_assert_cmpint (spec.image_kind, ==, CLIP_TOWER_EFFICIENTNET);
  g_assert_cmpuint (spec.image_size, ==, 160);
  g_assert_cmpuint (spec.efficientnet.features, ==, 1280);
  g_assert_cmpuint (spec.efficientnet.channels[6], ==, 320);
  g_assert_true (bias);
}

#define MODEL(model, vision, text, preprocess)                                 \
  "{\"model_cfg\": {\"embed_dim\": 8" model ", \"vision_cfg\": {" vision       \
  "}, \"text_cfg\": {" text "}}, \"preprocess_cfg\": {" preprocess "}}"

static const struct {
  const gchar *text;
  gint code;
  const gchar *complaint;
} openclip_errors[] = {
  { "{}", FORMAT, "model_cfg is missing" },
  { "{\"model_cfg\": {}}", FORMAT, "model_cfg.embed_dim is missing" },
  { "{\"model_cfg\": {\"embed_dim\": 0}}", FORMAT, "embed_dim is 0" },
  { MODEL (", \"multimodal_cfg\": {\"a\": 1}", "", "", ""), UNSUPPORTED,
      "model_cfg.multimodal_cfg" },
  { MODEL (", \"new_idea\": true", "", "", ""), UNSUPPORTED,
      "model_cfg.new_idea is true" },
  { MODEL ("", "\"layers\": [3, 4, 6, 3]", "", ""), UNSUPPORTED,
      "vision_cfg.layers is [3,4,6,3]" },
  { MODEL ("", "\"timm_model_name\": \"vit_base_patch16_siglip_224\"", "", ""),
      UNSUPPORTED, "timm_model_name is \"vit_base_patch16_siglip_224\"" },
  { TIMM (", \"timm_pool\": \"map\""), UNSUPPORTED, "timm_pool is \"map\"" },
  { TIMM (", \"timm_proj\": \"mlp\""), UNSUPPORTED, "timm_proj is \"mlp\"" },
  { MODEL ("", "\"ls_init_value\": 1e-5", "", ""), UNSUPPORTED,
      "vision_cfg.ls_init_value" },
  { MODEL ("", "\"attentional_pool\": true", "", ""), UNSUPPORTED,
      "vision_cfg.attentional_pool" },
  { MODEL ("", "\"no_ln_pre\": true", "", ""), UNSUPPORTED, "no_ln_pre" },
  { MODEL ("", "\"pool_type\": \"avg\"", "", ""), UNSUPPORTED, "pool_type" },
  { MODEL ("", "\"pos_embed_type\": \"sin_cos_2d\"", "", ""), UNSUPPORTED,
      "pos_embed_type" },
  { MODEL ("", "\"norm_kwargs\": {\"eps\": 1e-6}", "", ""), UNSUPPORTED,
      "vision_cfg.norm_kwargs" },
  { MODEL ("", "\"qk_norm\": true", "", ""), UNSUPPORTED, "qk_norm" },
  { MODEL ("", "\"width\": 100, \"head_width\": 64", "", ""), UNSUPPORTED,
      "vision_cfg.width is 100, expected a multiple of head_width" },
  { MODEL ("", "\"head_width\": 0", "", ""), FORMAT, "head_width is 0" },
  { MODEL ("", "\"mlp_ratio\": 1e9", "", ""), FORMAT, "mlp_ratio" },
  { MODEL ("", "\"patch_size\": 300", "", ""), FORMAT, "patch_size is 300" },
  { MODEL ("", "\"image_size\": 100000", "", ""), FORMAT, "image_size" },
  { MODEL ("", "", "\"hf_model_name\": \"roberta\"", ""), UNSUPPORTED,
      "text_cfg.hf_model_name is \"roberta\"" },
  { MODEL ("", "", "\"no_causal_mask\": true", ""), UNSUPPORTED,
      "text_cfg.no_causal_mask" },
  { MODEL ("", "", "\"pool_type\": \"last\"", ""), UNSUPPORTED, "pool_type" },
  { MODEL ("", "", "\"proj_bias\": true", ""), UNSUPPORTED, "proj_bias" },
  { MODEL ("", "", "\"embed_cls\": true", ""), UNSUPPORTED, "embed_cls" },
  { MODEL ("", "", "\"tokenizer_kwargs\": {\"clean\": \"canonicalize\"}", ""),
      UNSUPPORTED, "tokenizer_kwargs" },
  { MODEL ("", "", "\"heads\": 7", ""), UNSUPPORTED,
      "text_cfg.width is 512, expected a multiple of heads, which is 7" },
  { MODEL ("", "", "", "\"interpolation\": \"lanczos\""), UNSUPPORTED,
      "preprocess_cfg.interpolation" },
  { MODEL ("", "", "", "\"resize_mode\": \"fit\""), UNSUPPORTED,
      "preprocess_cfg.resize_mode is \"fit\"" },
  { MODEL ("", "", "", "\"fill_color\": 256"), FORMAT, "fill_color is 256" },
  { MODEL ("", "", "", "\"mode\": \"L\""), UNSUPPORTED, "mode is \"L\"" },
  { MODEL ("", "", "", "\"std\": [1, 1, 0]"), FORMAT, "preprocess_cfg.std" },
};

static void
test_openclip_errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (openclip_errors); i++) {
    g_autoptr (GError) error = NULL;
    ClipModelSpec spec;
    gboolean bias;
    g_assert_false (read_openclip (openclip_errors[i].text, &spec, &bias,
        &error));
    assert_says (error, openclip_errors[i].code, openclip_errors[i].complaint);
    assert_says (error, openclip_errors[i].code, "open_clip_config.json: ");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = tiny_folder_new ();
  g_test_add_func ("/config/hf/defaults", test_hf_defaults);
  g_test_add_func ("/config/hf/values", test_hf_values);
  g_test_add_func ("/config/hf/errors", test_hf_errors);
  g_test_add_func ("/config/hf/preprocessor/shapes", test_hf_shapes);
  g_test_add_func ("/config/hf/preprocessor/values", test_hf_normalisation);
  g_test_add_func ("/config/hf/preprocessor/nested", test_hf_nested);
  g_test_add_func ("/config/hf/preprocessor/errors", test_preprocessor_errors);
  g_test_add_func ("/config/openclip/defaults", test_openclip_defaults);
  g_test_add_func ("/config/openclip/values", test_openclip_values);
  g_test_add_func ("/config/openclip/timm", test_openclip_timm);
  g_test_add_func ("/config/openclip/errors", test_openclip_errors);
  int result = g_test_run ();
  tiny_folder_remove (folder);
  return result;
}
