/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How transformers' CLIPImageProcessor is told to prepare pictures.
 */
#include "engine/model/config.h"

void
clip_preprocess_spec_init (ClipPreprocessSpec *spec, guint size,
    ClipCropRounding rounding)
{
  *spec = (ClipPreprocessSpec){
    .mode = CLIP_RESIZE_CROP,
    .resize = size,
    .crop = size,
    .filter = CLIP_FILTER_BICUBIC,
    .rounding = rounding,
    .rescale = 1.0 / 255.0,
    .mean = { 0.48145466f, 0.4578275f, 0.40821073f },
    .std = { 0.26862954f, 0.26130258f, 0.27577711f },
  };
}

static gboolean
check_processor (const ClipJson *json, GError **error)
{
  static const gchar *const keys[] = { "image_processor_type",
    "feature_extractor_type" };
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    const gchar *name = "CLIPImageProcessor";
    if (!clip_json_get_string (json, keys[i], &name, error))
      return FALSE;
    if (!g_str_equal (name, "CLIPImageProcessor")
        && !g_str_equal (name, "CLIPImageProcessorFast")
        && !g_str_equal (name, "CLIPFeatureExtractor"))
      return clip_json_unsupported (json, keys[i], "CLIPImageProcessor", error);
  }
  return TRUE;
}

/* {"height": h, "width": w}, which must be a square. */
static gboolean
read_square (const ClipJson *json, const gchar *key, JsonObject *object,
    guint *side, GError **error)
{
  g_autofree gchar *prefix = g_strdup_printf ("%s%s.", json->prefix, key);
  ClipJson square = { json->file, object, prefix };
  guint height = 0, width = 0;
  if (!clip_json_get_uint (&square, "height", 1, CLIP_MAX_IMAGE, &height, error)
      || !clip_json_get_uint (&square, "width", 1, CLIP_MAX_IMAGE, &width,
          error))
    return FALSE;
  if (height == 0 || width == 0)
    return clip_json_refuse (json, key, "height and width", error);
  if (height != width)
    return clip_json_unsupported (json, key, "a square", error);
  *side = height;
  return TRUE;
}

/* An integer and {"shortest_edge": n} keep the picture's shape,
 * {"height": h, "width": w} does not. */
static gboolean
read_size (const ClipJson *json, ClipPreprocessSpec *spec, GError **error)
{
  JsonNode *node = clip_json_find (json, "size");
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return clip_json_get_uint (json, "size", 1, CLIP_MAX_IMAGE, &spec->resize,
        error);
  JsonObject *object = json_node_get_object (node);
  if (json_object_has_member (object, "longest_edge"))
    return clip_json_unsupported (json, "size", "shortest_edge", error);
  if (!json_object_has_member (object, "shortest_edge")) {
    spec->mode = CLIP_RESIZE_SQUASH;
    return read_square (json, "size", object, &spec->resize, error);
  }
  ClipJson size = { json->file, object, "size." };
  return clip_json_get_uint (&size, "shortest_edge", 1, CLIP_MAX_IMAGE,
      &spec->resize, error);
}

static gboolean
read_geometry (const ClipJson *json, ClipPreprocessSpec *spec, GError **error)
{
  gboolean resize = TRUE, crop = TRUE;
  if (!clip_json_get_boolean (json, "do_resize", &resize, error)
      || !clip_json_get_boolean (json, "do_center_crop", &crop, error))
    return FALSE;
  if (!resize)
    return clip_json_unsupported (json, "do_resize", "true", error);
  if (!read_size (json, spec, error))
    return FALSE;
  if (!crop) {
    if (spec->mode != CLIP_RESIZE_SQUASH)
      return clip_json_unsupported (json, "do_center_crop",
          "true where size does not give height and width", error);
    spec->crop = spec->resize;
    return TRUE;
  }
  JsonNode *node = clip_json_find (json, "crop_size");
  gboolean ok = node != NULL && JSON_NODE_HOLDS_OBJECT (node)
      ? read_square (json, "crop_size", json_node_get_object (node),
          &spec->crop, error)
      : clip_json_get_uint (json, "crop_size", 1, CLIP_MAX_IMAGE, &spec->crop,
          error);
  if (!ok)
    return FALSE;
  if (spec->crop > spec->resize
      || (spec->mode == CLIP_RESIZE_SQUASH && spec->crop != spec->resize))
    return clip_json_unsupported (json, "crop_size",
        spec->mode == CLIP_RESIZE_SQUASH ? "size, where that is a square"
                                         : "no more than size",
        error);
  return TRUE;
}

static gboolean
read_filter (const ClipJson *json, ClipFilter *filter, GError **error)
{
  /* Pillow's numbers. */
  static const gint filters[] = { CLIP_FILTER_NEAREST, CLIP_FILTER_LANCZOS,
    CLIP_FILTER_BILINEAR, CLIP_FILTER_BICUBIC };
  guint resample = 3;
  if (!clip_json_get_uint (json, "resample", 0, G_MAXINT, &resample, error))
    return FALSE;
  if (resample >= G_N_ELEMENTS (filters))
    return clip_json_unsupported (json, "resample",
        "0 (nearest), 1 (lanczos), 2 (bilinear) or 3 (bicubic)", error);
  *filter = filters[resample];
  return TRUE;
}

static gboolean
read_values (const ClipJson *json, ClipPreprocessSpec *spec, GError **error)
{
  gboolean rescale = TRUE, normalize = TRUE;
  if (!clip_json_get_boolean (json, "do_rescale", &rescale, error)
      || !clip_json_get_boolean (json, "do_normalize", &normalize, error)
      || !clip_json_get_double (json, "rescale_factor", 1e-6, 1e6,
          &spec->rescale, error)
      || !clip_json_get_triple (json, "image_mean", -1e6, 1e6, spec->mean,
          error)
      || !clip_json_get_triple (json, "image_std", 1e-6, 1e6, spec->std, error))
    return FALSE;
  if (!rescale)
    spec->rescale = 1.0;
  for (guint c = 0; c < 3 && !normalize; c++) {
    spec->mean[c] = 0.0f;
    spec->std[c] = 1.0f;
  }
  return TRUE;
}

/* Finds the object that configures the image processor, with a reference;
 * json->object stays NULL where no file has one. Uses *file as the path. */
static gboolean
find_processor (const gchar *folder, ClipJson *json, gchar **file,
    GError **error)
{
  *file = g_build_filename (folder, "preprocessor_config.json", NULL);
  if (g_file_test (*file, G_FILE_TEST_EXISTS)) {
    json->file = *file;
    json->object = clip_json_load (*file, error);
    return json->object != NULL;
  }
  g_free (*file);
  *file = g_build_filename (folder, "processor_config.json", NULL);
  json->file = *file;
  if (!g_file_test (*file, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autoptr (JsonObject) root = clip_json_load (*file, error);
  if (root == NULL)
    return FALSE;
  ClipJson outer = { *file, root, "" };
  if (!clip_json_get_object (&outer, "image_processor", &json->object, error))
    return FALSE;
  if (json->object != NULL)
    json_object_ref (json->object);
  json->prefix = "image_processor.";
  return TRUE;
}

gboolean
clip_config_read_hf_preprocessor (const gchar *folder, ClipModelSpec *spec,
    GError **error)
{
  ClipPreprocessSpec *pre = &spec->preprocess;
  ClipJson json = { NULL, NULL, "" };
  g_autofree gchar *file = NULL;
  if (!find_processor (folder, &json, &file, error))
    return FALSE;
  if (json.object == NULL) {
    clip_preprocess_spec_init (pre, spec->image_size, CLIP_CROP_FLOOR);
    return TRUE;
  }
  g_autoptr (JsonObject) owned = json.object;
  clip_preprocess_spec_init (pre, 224, CLIP_CROP_FLOOR);
  if (!check_processor (&json, error) || !read_geometry (&json, pre, error)
      || !read_filter (&json, &pre->filter, error)
      || !read_values (&json, pre, error))
    return FALSE;
  if (pre->crop != spec->image_size) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: gives pictures of %u pixels, expected %u, the image_size of "
        "config.json",
        json.file, pre->crop, spec->image_size);
    return FALSE;
  }
  return TRUE;
}
