/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties of clipfilter: what they are called, mean and hold.
 */
#include "gst/gstclipsettings.h"

#include "gst/gstcliplist.h"

/* ----------------------------------------------------------------- enums */

GType
gst_clip_score_mode_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    { CLIP_SCORE_AUTO, "As the model was trained", "auto" },
    { CLIP_SCORE_SOFTMAX, "Share of each label; all sum up to 1", "softmax" },
    { CLIP_SCORE_SIGMOID, "Each label for itself, 0 to 1", "sigmoid" },
    { CLIP_SCORE_COSINE, "Similarity, -1 to 1", "cosine" },
    { 0 },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstClipScoreMode", values));
  return type;
}

GType
gst_clip_resize_mode_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    { CLIP_RESIZE_AUTO, "As the model was trained", "auto" },
    { CLIP_RESIZE_CROP, "The middle; the sides are lost", "crop" },
    { CLIP_RESIZE_SQUASH, "Everything, out of proportion", "squash" },
    { CLIP_RESIZE_PAD, "Everything, with borders", "pad" },
    { 0 },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstClipResizeMode", values));
  return type;
}

GType
gst_clip_result_mode_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    { GST_CLIP_RESULT_EXACT, "Every frame waits for its own scores", "exact" },
    { 0 },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstClipResultMode", values));
  return type;
}

GType
gst_clip_backend_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    { GST_CLIP_BACKEND_AUTO, "A GPU where there is one, else the processor",
        "auto" },
    { GST_CLIP_BACKEND_VULKAN, "A GPU, or nothing", "vulkan" },
    { GST_CLIP_BACKEND_CPU, "The processor", "cpu" },
    { 0 },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstClipBackend", values));
  return type;
}

GType
gst_clip_precision_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    { CLIP_PRECISION_AUTO, "16 bits on a GPU, 32 elsewhere", "auto" },
    { CLIP_PRECISION_F32, "32 bits", "f32" },
    { CLIP_PRECISION_F16, "16 bits, sums in 32", "f16" },
    { 0 },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstClipPrecision", values));
  return type;
}

GType
gst_clip_post_messages_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    { GST_CLIP_POST_NONE, "No messages", "none" },
    { GST_CLIP_POST_CHANGES,
        "When the reported labels, or the first of them, change", "changes" },
    { GST_CLIP_POST_ALL, "For every frame with scores", "all" },
    { 0 },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstClipPostMessages", values));
  return type;
}

/* ---------------------------------------------------------------- values */

const GstClipSettings *
gst_clip_settings_get_defaults (void)
{
  static const GstClipSettings defaults = {
    .tuning = {
      .score_mode = CLIP_SCORE_AUTO,
      .resize_mode = CLIP_RESIZE_AUTO,
      .post_messages = GST_CLIP_POST_NONE,
      .logit_scale = -1.0,
      .threshold = 0.0f,
      .top_k = 0,
      .inference_interval = 1,
      .min_interval = 0,
      .result_expire = GST_SECOND,
      .attach_embedding = FALSE,
    },
    .result_mode = GST_CLIP_RESULT_EXACT,
    .backend = GST_CLIP_BACKEND_AUTO,
    .device = NULL,
    .precision = CLIP_PRECISION_AUTO,
    .n_threads = 0,
  };

  return &defaults;
}

void
gst_clip_settings_clear (GstClipSettings *settings)
{
  gst_clip_label_spec_clear (&settings->label_spec);
  g_clear_pointer (&settings->model, g_free);
  g_clear_pointer (&settings->meta_id, g_free);
  g_clear_pointer (&settings->device, g_free);
}

ClipEncoderParams
gst_clip_settings_get_encoder_params (const GstClipSettings *settings)
{
  static const gchar *const backends[] = {
    [GST_CLIP_BACKEND_AUTO] = "auto",
    [GST_CLIP_BACKEND_VULKAN] = "vulkan",
    [GST_CLIP_BACKEND_CPU] = "cpu",
  };

  return (ClipEncoderParams){ .backend = backends[settings->backend],
    .n_threads = settings->n_threads,
    .device = settings->device,
    .precision = settings->precision };
}

static void
replace_strv (gchar ***strv, gchar **with)
{
  g_strfreev (*strv);
  *strv = with;
}

static void
replace_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

static gboolean
set_label_spec (GstClipLabelSpec *spec, guint id, const GValue *value)
{
  switch (id) {
    case GST_CLIP_PROP_LABELS:
      replace_strv (&spec->labels,
          gst_clip_list_parse (g_value_get_string (value)));
      return TRUE;
    case GST_CLIP_PROP_LABELS_FILE:
      replace_string (&spec->file, value);
      return TRUE;
    case GST_CLIP_PROP_NEGATIVE_LABELS:
      replace_strv (&spec->negatives,
          gst_clip_list_parse (g_value_get_string (value)));
      return TRUE;
    case GST_CLIP_PROP_PROMPT_TEMPLATES:
      replace_strv (&spec->templates,
          gst_clip_list_parse (g_value_get_string (value)));
      if (spec->templates != NULL && spec->templates[0] == NULL)
        replace_strv (&spec->templates, NULL);
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
set_tuning (GstClipTuning *tuning, guint id, const GValue *value)
{
  switch (id) {
    case GST_CLIP_PROP_SCORE_MODE:
      tuning->score_mode = g_value_get_enum (value);
      return TRUE;
    case GST_CLIP_PROP_LOGIT_SCALE:
      tuning->logit_scale = g_value_get_double (value);
      return TRUE;
    case GST_CLIP_PROP_THRESHOLD:
      tuning->threshold = g_value_get_float (value);
      return TRUE;
    case GST_CLIP_PROP_TOP_K:
      tuning->top_k = g_value_get_uint (value);
      return TRUE;
    case GST_CLIP_PROP_RESIZE_MODE:
      tuning->resize_mode = g_value_get_enum (value);
      return TRUE;
    case GST_CLIP_PROP_INFERENCE_INTERVAL:
      tuning->inference_interval = g_value_get_uint (value);
      return TRUE;
    case GST_CLIP_PROP_MIN_INTERVAL:
      tuning->min_interval = g_value_get_uint64 (value);
      return TRUE;
    case GST_CLIP_PROP_RESULT_EXPIRE:
      tuning->result_expire = g_value_get_uint64 (value);
      return TRUE;
    case GST_CLIP_PROP_ATTACH_EMBEDDING:
      tuning->attach_embedding = g_value_get_boolean (value);
      return TRUE;
    case GST_CLIP_PROP_POST_MESSAGES:
      tuning->post_messages = g_value_get_enum (value);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
gst_clip_settings_set (GstClipSettings *settings, guint id, const GValue *value,
    gboolean *label_spec_changed)
{
  if (set_tuning (&settings->tuning, id, value))
    return TRUE;
  if (set_label_spec (&settings->label_spec, id, value)) {
    *label_spec_changed = TRUE;
    return TRUE;
  }
  switch (id) {
    case GST_CLIP_PROP_MODEL:
      replace_string (&settings->model, value);
      return TRUE;
    case GST_CLIP_PROP_META_ID:
      replace_string (&settings->meta_id, value);
      return TRUE;
    case GST_CLIP_PROP_RESULT_MODE:
      settings->result_mode = g_value_get_enum (value);
      return TRUE;
    case GST_CLIP_PROP_BACKEND:
      settings->backend = g_value_get_enum (value);
      return TRUE;
    case GST_CLIP_PROP_DEVICE:
      replace_string (&settings->device, value);
      return TRUE;
    case GST_CLIP_PROP_PRECISION:
      settings->precision = g_value_get_enum (value);
      return TRUE;
    case GST_CLIP_PROP_N_THREADS:
      settings->n_threads = g_value_get_uint (value);
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
get_label_spec (const GstClipLabelSpec *spec, guint id, GValue *value)
{
  static const gchar *const templates[] = { GST_CLIP_DEFAULT_TEMPLATE, NULL };

  switch (id) {
    case GST_CLIP_PROP_LABELS:
      g_value_take_string (value,
          gst_clip_list_format ((const gchar *const *) spec->labels));
      return TRUE;
    case GST_CLIP_PROP_LABELS_FILE:
      g_value_set_string (value, spec->file);
      return TRUE;
    case GST_CLIP_PROP_NEGATIVE_LABELS:
      g_value_take_string (value,
          gst_clip_list_format (spec->negatives != NULL
                  ? (const gchar *const *) spec->negatives
                  : clip_labels_get_builtin_negatives ()));
      return TRUE;
    case GST_CLIP_PROP_PROMPT_TEMPLATES:
      g_value_take_string (value,
          gst_clip_list_format (spec->templates != NULL
                  ? (const gchar *const *) spec->templates
                  : templates));
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
get_tuning (const GstClipTuning *tuning, guint id, GValue *value)
{
  switch (id) {
    case GST_CLIP_PROP_SCORE_MODE:
      g_value_set_enum (value, tuning->score_mode);
      return TRUE;
    case GST_CLIP_PROP_LOGIT_SCALE:
      g_value_set_double (value, tuning->logit_scale);
      return TRUE;
    case GST_CLIP_PROP_THRESHOLD:
      g_value_set_float (value, tuning->threshold);
      return TRUE;
    case GST_CLIP_PROP_TOP_K:
      g_value_set_uint (value, tuning->top_k);
      return TRUE;
    case GST_CLIP_PROP_RESIZE_MODE:
      g_value_set_enum (value, tuning->resize_mode);
      return TRUE;
    case GST_CLIP_PROP_INFERENCE_INTERVAL:
      g_value_set_uint (value, tuning->inference_interval);
      return TRUE;
    case GST_CLIP_PROP_MIN_INTERVAL:
      g_value_set_uint64 (value, tuning->min_interval);
      return TRUE;
    case GST_CLIP_PROP_RESULT_EXPIRE:
      g_value_set_uint64 (value, tuning->result_expire);
      return TRUE;
    case GST_CLIP_PROP_ATTACH_EMBEDDING:
      g_value_set_boolean (value, tuning->attach_embedding);
      return TRUE;
    case GST_CLIP_PROP_POST_MESSAGES:
      g_value_set_enum (value, tuning->post_messages);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
gst_clip_settings_get (const GstClipSettings *settings, guint id, GValue *value)
{
  if (get_tuning (&settings->tuning, id, value)
      || get_label_spec (&settings->label_spec, id, value))
    return TRUE;
  switch (id) {
    case GST_CLIP_PROP_MODEL:
      g_value_set_string (value, settings->model);
      return TRUE;
    case GST_CLIP_PROP_META_ID:
      g_value_set_string (value, settings->meta_id);
      return TRUE;
    case GST_CLIP_PROP_RESULT_MODE:
      g_value_set_enum (value, settings->result_mode);
      return TRUE;
    case GST_CLIP_PROP_BACKEND:
      g_value_set_enum (value, settings->backend);
      return TRUE;
    case GST_CLIP_PROP_DEVICE:
      g_value_set_string (value, settings->device);
      return TRUE;
    case GST_CLIP_PROP_PRECISION:
      g_value_set_enum (value, settings->precision);
      return TRUE;
    case GST_CLIP_PROP_N_THREADS:
      g_value_set_uint (value, settings->n_threads);
      return TRUE;
    default:
      return FALSE;
  }
}
