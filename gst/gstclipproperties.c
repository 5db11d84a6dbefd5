/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties of clipfilter as gst-inspect shows them.
 */
#include "gst/gstcliplist.h"
#include "gst/gstclipsettings.h"

#define READ (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)
#define READY                                                                  \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define PLAYING                                                                \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_model (GObjectClass *klass)
{
  const GstClipSettings *defaults = gst_clip_settings_get_defaults ();

  /**
   * GstClipFilter:model:
   *
   * A folder as Hugging Face or OpenCLIP lay it out, a weight file in one, or
   * an id on Hugging Face whose files lie in the local hub cache.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_MODEL,
      g_param_spec_string ("model", "Model",
          "Model folder, weight file in one, or Hugging Face id that lies in "
          "the local hub cache (NULL = the starter model)",
          defaults->model, READY));
  /**
   * GstClipFilter:backend:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_BACKEND,
      g_param_spec_enum ("backend", "Backend", "What the model runs on",
          gst_clip_backend_get_type (), defaults->backend, READY));
  /**
   * GstClipFilter:device:
   *
   * Which of the Vulkan devices: its index, the beginning of its UUID, or a
   * part of its name ("radeon"). Software devices such as llvmpipe are used
   * only when they are asked for here.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_DEVICE,
      g_param_spec_string ("device", "Device",
          "Index, UUID or part of the name of the GPU (NULL = the best GPU)",
          defaults->device, READY));
  /**
   * GstClipFilter:precision:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_PRECISION,
      g_param_spec_enum ("precision", "Precision",
          "Bits of weights and intermediate results",
          gst_clip_precision_get_type (), defaults->precision, READY));
  /**
   * GstClipFilter:n-threads:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_N_THREADS,
      g_param_spec_uint ("n-threads", "Number of threads",
          "Threads that compute on the processor (0 = one per processor)", 0,
          GST_CLIP_MAX_THREADS, defaults->n_threads, READY));
  /**
   * GstClipFilter:active-backend:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_ACTIVE_BACKEND,
      g_param_spec_string ("active-backend", "Active backend",
          "What the model does run on; NULL until it is loaded", NULL, READ));
}

static void
install_labels (GObjectClass *klass)
{
  g_autofree gchar *negatives =
      gst_clip_list_format (clip_labels_get_builtin_negatives ());

  /**
   * GstClipFilter:labels:
   *
   * A string, because gst-launch ends an array at its first space. Commas
   * separate; where there is a semicolon or a line break, those do. Double
   * quotes keep what is between them as it is, and `<"a dog", "a cat">` is
   * understood too.
   *
   * May be set at any time: the labels are encoded beside the stream and
   * replace the old ones from one frame to the next, which is announced by an
   * element message `clipfilter-labels`. Those set before PAUSED score the
   * first frame.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_LABELS,
      g_param_spec_string ("labels", "Labels",
          "What to score, in plain words: \"a dog, a cat\", or with semicolons "
          "where labels have commas: \"a dog, running; a cat\" "
          "(NULL = those of labels-file, else the model's labels.txt)",
          NULL, PLAYING));
  /**
   * GstClipFilter:labels-file:
   *
   * UTF-8. Empty lines and lines that begin with `#` do not count.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_LABELS_FILE,
      g_param_spec_string ("labels-file", "Labels file",
          "Text file with a label a line, scored after those of labels", NULL,
          PLAYING));
  /**
   * GstClipFilter:negative-labels:
   *
   * In a softmax the scores of all labels sum up to 1: without something else
   * to choose, one label alone would always score 1.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_NEGATIVE_LABELS,
      g_param_spec_string ("negative-labels", "Negative labels",
          "Prompts that compete with the labels and are never reported, "
          "separated like labels (NULL = built-in ones; empty = none)",
          negatives, PLAYING));
  /**
   * GstClipFilter:prompt-templates:
   *
   * Models know captions better than words. With several templates the mean
   * of what they make of a label is scored.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_PROMPT_TEMPLATES,
      g_param_spec_string ("prompt-templates", "Prompt templates",
          "Sentences that labels, but not negative labels, are put into, in "
          "place of {}; separated like labels",
          GST_CLIP_DEFAULT_TEMPLATE, PLAYING));
}

static void
install_scores (GObjectClass *klass)
{
  const GstClipTuning *defaults = &gst_clip_settings_get_defaults ()->tuning;

  /**
   * GstClipFilter:score-mode:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_SCORE_MODE,
      g_param_spec_enum ("score-mode", "Score mode",
          "What similarities are turned into", gst_clip_score_mode_get_type (),
          defaults->score_mode, PLAYING));
  /**
   * GstClipFilter:logit-scale:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_LOGIT_SCALE,
      g_param_spec_double ("logit-scale", "Logit scale",
          "Factor of similarities before softmax or sigmoid: higher is more "
          "decided (-1 = the model's)",
          -1.0, 1000.0, defaults->logit_scale, PLAYING));
  /**
   * GstClipFilter:threshold:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_THRESHOLD,
      g_param_spec_float ("threshold", "Threshold",
          "Labels that score lower are not reported", -1.0f, 1.0f,
          defaults->threshold, PLAYING | GST_PARAM_CONTROLLABLE));
  /**
   * GstClipFilter:top-k:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_TOP_K,
      g_param_spec_uint ("top-k", "Top k",
          "How many labels are reported at most, the best ones (0 = all)", 0,
          G_MAXUINT, defaults->top_k, PLAYING));
  /**
   * GstClipFilter:resize-mode:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_RESIZE_MODE,
      g_param_spec_enum ("resize-mode", "Resize mode",
          "How a picture becomes the square that the model looks at",
          gst_clip_resize_mode_get_type (), defaults->resize_mode, PLAYING));
}

static void
install_intervals (GObjectClass *klass)
{
  const GstClipTuning *defaults = &gst_clip_settings_get_defaults ()->tuning;

  /**
   * GstClipFilter:inference-interval:
   *
   * Frames between carry the scores of the last one that was looked at, and
   * its age.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_INFERENCE_INTERVAL,
      g_param_spec_uint ("inference-interval", "Inference interval",
          "Look at every n-th frame only", 1, G_MAXUINT,
          defaults->inference_interval, PLAYING));
  /**
   * GstClipFilter:min-interval:
   *
   * Measured in stream time: a file that is read faster than it plays is
   * looked at as often as a live stream.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_MIN_INTERVAL,
      g_param_spec_uint64 ("min-interval", "Minimum interval",
          "Look no more often than this, in nanoseconds of stream time", 0,
          G_MAXUINT64 - 1, defaults->min_interval, PLAYING));
  /**
   * GstClipFilter:result-expire:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_RESULT_EXPIRE,
      g_param_spec_uint64 ("result-expire", "Result expires",
          "Scores that are older than this, in nanoseconds of stream time, are "
          "not attached to later frames (18446744073709551615 = never)",
          0, G_MAXUINT64, defaults->result_expire, PLAYING));
  /**
   * GstClipFilter:result-mode:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_RESULT_MODE,
      g_param_spec_enum ("result-mode", "Result mode",
          "How frames and their scores come together",
          gst_clip_result_mode_get_type (),
          gst_clip_settings_get_defaults ()->result_mode, READY));
}

static void
install_output (GObjectClass *klass)
{
  const GstClipSettings *defaults = gst_clip_settings_get_defaults ();

  /**
   * GstClipFilter:attach-embedding:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_ATTACH_EMBEDDING,
      g_param_spec_boolean ("attach-embedding", "Attach embedding",
          "Attach the picture's unit vector to the metadata too",
          defaults->tuning.attach_embedding, PLAYING));
  /**
   * GstClipFilter:post-messages:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_POST_MESSAGES,
      g_param_spec_enum ("post-messages", "Post messages",
          "When to post an element message \"clipfilter\" with the scores",
          gst_clip_post_messages_get_type (), defaults->tuning.post_messages,
          PLAYING));
  /**
   * GstClipFilter:meta-id:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_META_ID,
      g_param_spec_string ("meta-id", "Metadata id",
          "What tells this element's metadata from that of others (NULL = the "
          "element's name)",
          defaults->meta_id, READY));
  /**
   * GstClipFilter:stats:
   *
   * A structure `application/x-clipfilter-stats`: `frames`, of which
   * `encoded` were looked at, `reused` carry earlier scores as the intervals
   * say, and `skipped` were late, without content, or had nothing to score;
   * `latency-p50`, `latency-p95`, `latency-p99`: nanoseconds that the last
   * 512 frames looked at took. All guint64.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_CLIP_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Counts of frames, encoded, reused and skipped, and percentiles of "
          "the time that encoding took",
          GST_TYPE_STRUCTURE, READ));
}

void
gst_clip_settings_install (GObjectClass *klass)
{
  install_model (klass);
  install_labels (klass);
  install_scores (klass);
  install_intervals (klass);
  install_output (klass);
  gst_type_mark_as_plugin_api (gst_clip_score_mode_get_type (), 0);
  gst_type_mark_as_plugin_api (gst_clip_resize_mode_get_type (), 0);
  gst_type_mark_as_plugin_api (gst_clip_result_mode_get_type (), 0);
  gst_type_mark_as_plugin_api (gst_clip_backend_get_type (), 0);
  gst_type_mark_as_plugin_api (gst_clip_precision_get_type (), 0);
  gst_type_mark_as_plugin_api (gst_clip_post_messages_get_type (), 0);
}
