/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The properties of clipfilter: what they are called, mean and hold.
 */
#pragma once

#include <gst/gst.h>

#include "gst/gstcliplabels.h"

G_BEGIN_DECLS

enum {
  GST_CLIP_PROP_0,
  GST_CLIP_PROP_MODEL,
  GST_CLIP_PROP_LABELS,
  GST_CLIP_PROP_LABELS_FILE,
  GST_CLIP_PROP_NEGATIVE_LABELS,
  GST_CLIP_PROP_PROMPT_TEMPLATES,
  GST_CLIP_PROP_SCORE_MODE,
  GST_CLIP_PROP_LOGIT_SCALE,
  GST_CLIP_PROP_THRESHOLD,
  GST_CLIP_PROP_TOP_K,
  GST_CLIP_PROP_RESIZE_MODE,
  GST_CLIP_PROP_INFERENCE_INTERVAL,
  GST_CLIP_PROP_MIN_INTERVAL,
  GST_CLIP_PROP_RESULT_EXPIRE,
  GST_CLIP_PROP_RESULT_MODE,
  GST_CLIP_PROP_N_THREADS,
  GST_CLIP_PROP_BACKEND,
  GST_CLIP_PROP_DEVICE,
  GST_CLIP_PROP_PRECISION,
  GST_CLIP_PROP_ATTACH_EMBEDDING,
  GST_CLIP_PROP_POST_MESSAGES,
  GST_CLIP_PROP_META_ID,
  GST_CLIP_PROP_ACTIVE_BACKEND,
  GST_CLIP_PROP_STATS,
};

/* One so far: frames wait for their own scores. */
typedef enum {
  GST_CLIP_RESULT_EXACT,
} GstClipResultMode;

typedef enum {
  GST_CLIP_BACKEND_AUTO,
  GST_CLIP_BACKEND_VULKAN,
  GST_CLIP_BACKEND_CPU,
} GstClipBackend;

typedef enum {
  GST_CLIP_POST_NONE,
  GST_CLIP_POST_CHANGES,
  GST_CLIP_POST_ALL,
} GstClipPostMessages;

GType gst_clip_score_mode_get_type (void);
GType gst_clip_resize_mode_get_type (void);
GType gst_clip_result_mode_get_type (void);
GType gst_clip_backend_get_type (void);
GType gst_clip_precision_get_type (void);
GType gst_clip_post_messages_get_type (void);

/* What applies to the frame that comes next; plain values, copied per frame. */
typedef struct {
  ClipScoreMode score_mode;
  ClipResizeMode resize_mode;
  GstClipPostMessages post_messages;
  gdouble logit_scale; /* < 0: the model's */
  gfloat threshold;
  guint top_k;              /* 0: all */
  guint inference_interval; /* frames */
  GstClockTime min_interval, result_expire;
  gboolean attach_embedding;
} GstClipTuning;

/* The element's object lock protects it. */
typedef struct {
  GstClipTuning tuning;
  GstClipLabelSpec label_spec;
  gchar *model;   /* NULL: the starter model */
  gchar *meta_id; /* NULL: the element's name */
  GstClipResultMode result_mode;
  GstClipBackend backend;
  gchar *device; /* NULL: whatever the backend takes */
  ClipPrecision precision;
  guint n_threads;
} GstClipSettings;

#define GST_CLIP_MAX_THREADS 1024
#define GST_CLIP_DEFAULT_TEMPLATE "a photo of a {}."

/* What to copy into new settings: it owns no memory. */
const GstClipSettings *gst_clip_settings_get_defaults (void);
void gst_clip_settings_clear (GstClipSettings *settings);
/* For clip_encoder_new (); the device is the settings'. */
ClipEncoderParams
gst_clip_settings_get_encoder_params (const GstClipSettings *settings);

void gst_clip_settings_install (GObjectClass *klass);
/* FALSE: no such property here. `label_spec_changed` is set to TRUE where the
 * labels are to be encoded anew and else left alone. */
gboolean gst_clip_settings_set (GstClipSettings *settings, guint id,
    const GValue *value, gboolean *label_spec_changed);
gboolean gst_clip_settings_get (const GstClipSettings *settings, guint id,
    GValue *value);

G_END_DECLS
