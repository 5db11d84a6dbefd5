/* gst-clip: search and tag video in plain words
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The engine's public face: a CLIP model, an encoder that runs it on a
 * device, labels, and scores. GLib and C only; no GStreamer type.
 *
 * Vectors are rows of 32-bit floats. An embedding is a unit vector of
 * clip_model_get_embed_dim () elements; n of them are [n x dim], row after
 * row, without gaps. Every object is reference-counted and may be used from
 * any thread unless its functions say otherwise. Functions that fail take a
 * GError of domain CLIP_ERROR whose message names the file, the tensor or key,
 * what was found and what was expected.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define CLIP_ERROR (clip_error_quark ())

/* What went wrong, so that a caller can answer differently to each. */
typedef enum {
  CLIP_ERROR_NOT_FOUND,   /* no such file, folder or model id */
  CLIP_ERROR_FORMAT,      /* a file is broken, or contradicts another */
  CLIP_ERROR_UNSUPPORTED, /* well-formed, but of a kind the engine cannot run */
  CLIP_ERROR_DEVICE,      /* the device failed or is not there */
  CLIP_ERROR_MEMORY,      /* an allocation failed */
  CLIP_ERROR_ARGUMENT,    /* the caller passed something that makes no sense */
  CLIP_ERROR_CANCELLED,   /* the work was called off before it was done */
} ClipErrorCode;

GQuark clip_error_quark (void);

/* ---------------------------------------------------------------- images */

/* Pixel layouts, named as GStreamer and FourCC name them. */
typedef enum {
  CLIP_PIXEL_I420,
  CLIP_PIXEL_YV12,
  CLIP_PIXEL_NV12,
  CLIP_PIXEL_NV21,
  CLIP_PIXEL_Y42B,
  CLIP_PIXEL_Y444,
  CLIP_PIXEL_YUY2,
  CLIP_PIXEL_UYVY,
  CLIP_PIXEL_RGB,
  CLIP_PIXEL_BGR,
  CLIP_PIXEL_RGBA, /* alpha or padding is ignored: RGBA also serves RGBx */
  CLIP_PIXEL_BGRA,
  CLIP_PIXEL_ARGB,
  CLIP_PIXEL_ABGR,
  CLIP_PIXEL_GRAY8,
  CLIP_PIXEL_P010_10LE,
  CLIP_PIXEL_I420_10LE,
  CLIP_PIXEL_N_FORMATS
} ClipPixelFormat;

/* Y'CbCr to R'G'B' matrices (ITU-T H.273 MatrixCoefficients). */
typedef enum {
  CLIP_MATRIX_BT601,
  CLIP_MATRIX_BT709,
  CLIP_MATRIX_BT2020,
  CLIP_MATRIX_SMPTE240M,
  CLIP_MATRIX_FCC,
} ClipMatrix;

/* How the stored picture must be turned to be upright, in the order and with
 * the meaning of GstVideoOrientationMethod's first eight values: first the
 * flip, then the clockwise turn. */
typedef enum {
  CLIP_ORIENTATION_IDENTITY,
  CLIP_ORIENTATION_90R, /* turn clockwise by 90 degrees */
  CLIP_ORIENTATION_180,
  CLIP_ORIENTATION_90L,
  CLIP_ORIENTATION_HORIZ, /* mirror left to right */
  CLIP_ORIENTATION_VERT,  /* mirror top to bottom */
  CLIP_ORIENTATION_UL_LR, /* mirror across the main diagonal */
  CLIP_ORIENTATION_UR_LL, /* mirror across the other diagonal */
} ClipOrientation;

/* A view of a frame's planes: nothing is copied and nothing is owned. Planes
 * are numbered as GStreamer numbers them (YV12's plane 1 is V, plane 2 U);
 * strides are in bytes. For GRAY8 and Y'CbCr, `full_range` says whether black
 * and white are 0 and 255 or 16 and 235. */
typedef struct {
  ClipPixelFormat format;
  guint width, height; /* stored pixels, before cropping */
  const guint8 *planes[4];
  gint strides[4];
  ClipMatrix matrix;
  gboolean full_range;
  gboolean interlaced;           /* 4:2:0 chroma lines alternate by field */
  guint crop_x, crop_y;          /* the part to look at, in stored pixels; */
  guint crop_width, crop_height; /* 0 x 0: everything */
  guint par_n, par_d;            /* pixel aspect ratio; 0/0 means 1/1 */
  ClipOrientation orientation;
} ClipImage;

/* How a picture that is not square becomes the model's square. */
typedef enum {
  CLIP_RESIZE_AUTO,   /* as the model's files say */
  CLIP_RESIZE_CROP,   /* shortest side to size, centre crop: sides are lost */
  CLIP_RESIZE_SQUASH, /* stretched to the square */
  CLIP_RESIZE_PAD,    /* longest side to size, the rest filled with the mean */
} ClipResizeMode;

/* ---------------------------------------------------------------- models */

/* Weights and specification, immutable. Two loads of the same file give the
 * same object, so that its weights are in memory once. */
typedef struct _ClipModel ClipModel;

typedef enum {
  CLIP_SCORE_AUTO, /* softmax, or sigmoid for models trained with it */
  CLIP_SCORE_SOFTMAX,
  CLIP_SCORE_SIGMOID,
  CLIP_SCORE_COSINE,
} ClipScoreMode;

/* Loads a model folder (Hugging Face or OpenCLIP layout), a weight file inside
 * one, or a Hugging Face id ("openai/clip-vit-base-patch32") that lies in the
 * local hub cache (HF_HUB_CACHE, HF_HOME/hub, ~/.cache/huggingface/hub). */
ClipModel *clip_model_load (const gchar *where, GError **error);
/* The folder of the starter model: what GST_CLIP_MODEL_PATH names (a model, or
 * a folder with one in "starter"), else share/gst-clip/starter below one of
 * the folders above the plugin or program that runs this, else the configured
 * place. Fails with NOT_FOUND. Free with g_free (). */
gchar *clip_model_find_starter (GError **error);
/* A model of a known architecture ("ViT-B-32", "ViT-B-16", "ViT-L-14") with
 * random weights and no tokenizer, for benchmarks. */
ClipModel *clip_model_new_random (const gchar *arch, guint32 seed,
    GError **error);
ClipModel *clip_model_ref (ClipModel *model);
void clip_model_unref (ClipModel *model);

/* The folder's last path component, or the hub id; for people and metadata. */
const gchar *clip_model_get_name (ClipModel *model);
const gchar *clip_model_get_directory (ClipModel *model); /* may be NULL */
guint clip_model_get_embed_dim (ClipModel *model);
guint clip_model_get_context (ClipModel *model);      /* tokens */
gfloat clip_model_get_logit_scale (ClipModel *model); /* already exp()ed */
gfloat clip_model_get_logit_bias (ClipModel *model);
/* Softmax or sigmoid, never AUTO. */
ClipScoreMode clip_model_get_score_mode (ClipModel *model);
/* The lines of the folder's labels.txt; NULL where there is none. Owned by
 * the model. */
const gchar *const *clip_model_get_default_labels (ClipModel *model);
/* Token ids of a text, with start and end tokens, cut to the context with the
 * end token kept, not padded. Free with g_free (). */
gint32 *clip_model_tokenize (ClipModel *model, const gchar *text, guint *n,
    gboolean *truncated, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipModel, clip_model_unref)

/* -------------------------------------------------------------- encoders */

/* A model on a device, with the one thread that feeds it. Encoders asked for
 * with the same model and parameters are one object. */
typedef struct _ClipEncoder ClipEncoder;

/* How many bits weights and intermediate results have. */
typedef enum {
  CLIP_PRECISION_AUTO, /* 16 on GPUs that can, 32 elsewhere */
  CLIP_PRECISION_F32,
  CLIP_PRECISION_F16, /* sums, norms and the residual stream stay in 32 */
} ClipPrecision;

typedef struct {
  const gchar *backend; /* NULL or "auto", "cpu", "vulkan" */
  guint n_threads;      /* 0: as many as there are processors to run on */
  /* NULL or "auto": a GPU. Else an index, a part of a name or of a UUID;
   * software devices are used only when asked for so. */
  const gchar *device;
  ClipPrecision precision;
} ClipEncoderParams;

/* Prepares the weights: may take seconds, so not for a streaming thread. */
ClipEncoder *clip_encoder_new (ClipModel *model,
    const ClipEncoderParams *params, GError **error);
ClipEncoder *clip_encoder_ref (ClipEncoder *encoder);
void clip_encoder_unref (ClipEncoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipEncoder, clip_encoder_unref)

ClipModel *clip_encoder_get_model (ClipEncoder *encoder); /* not a new ref */
const gchar *clip_encoder_get_backend (ClipEncoder *encoder); /* "cpu" */
/* For people: "cpu, 2 threads, avx512 kernels". */
const gchar *clip_encoder_get_description (ClipEncoder *encoder);
/* A sentence for people where the device was found to compute wrongly and
 * slower kernels took over; NULL otherwise. */
const gchar *clip_encoder_get_warning (ClipEncoder *encoder);

/* Blocks until all n texts are encoded into out [n x dim], or `cancellable`
 * (may be NULL) is cancelled: CLIP_ERROR_CANCELLED, after at most one run of
 * the tower. Texts that were encoded before come from the model's cache. */
gboolean clip_encoder_encode_texts (ClipEncoder *encoder,
    const gchar *const *texts, gsize n, gfloat *out, GCancellable *cancellable,
    GError **error);
/* Blocks until all n images are encoded into out [n x dim]. */
gboolean clip_encoder_encode_images (ClipEncoder *encoder,
    const ClipImage *images, gsize n, ClipResizeMode resize_mode, gfloat *out,
    GError **error);

/* One picture on its way through an encoder. A job owns its prepared picture
 * and its embedding and may be submitted again and again, with no allocation
 * after the first time. One thread at a time fills, submits and reads it. */
typedef struct _ClipJob ClipJob;

/* Called once per submit, from the encoder's thread, or from the thread that
 * cancels; no lock is held. `error` is NULL when the embedding is there. */
typedef void (*ClipJobFunc) (ClipJob *job, const GError *error,
    gpointer user_data);

ClipJob *clip_job_new (ClipEncoder *encoder);
/* Cancels and waits for the callback first, when the job is under way. */
void clip_job_free (ClipJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipJob, clip_job_free)
/* Resizes, crops and normalises on the calling thread; `image` is not used
 * any more after the return. Fails with ARGUMENT for a picture without area
 * or with missing planes. */
gboolean clip_job_set_image (ClipJob *job, const ClipImage *image,
    ClipResizeMode resize_mode, GError **error);
void clip_job_submit (ClipJob *job, ClipJobFunc done, gpointer user_data);
/* The callback has been called with CLIP_ERROR_CANCELLED when this returns
 * TRUE; FALSE: the job is already being computed, or is done. */
gboolean clip_job_cancel (ClipJob *job);
/* [dim], valid after a successful callback until the next submit. */
const gfloat *clip_job_get_embedding (ClipJob *job);

/* ---------------------------------------------------------------- labels */

/* Labels, encoded: a bank of one unit row per label. Immutable. */
typedef struct _ClipLabels ClipLabels;

/* The built-in negative labels, which compete in a softmax and are never
 * reported; NULL-terminated. */
const gchar *const *clip_labels_get_builtin_negatives (void);

typedef struct {
  const gchar *const *labels;    /* UTF-8; NULL-terminated */
  const gchar *const *negatives; /* NULL: the built-in ones; empty: none */
  /* each with one "{}"; NULL: "a photo of a {}."; empty: the label alone */
  const gchar *const *templates;
} ClipLabelsParams;

/* Encodes what is not in the model's text cache; blocks. A label's row is the
 * unit mean of its unit embeddings over the templates (OpenCLIP's
 * build_zero_shot_classifier); a negative label goes through no template, and
 * is left out where it is also a label or one of a label's prompts.
 * White space around a label is cut off; empty labels and repetitions are
 * left out, each with a line in `warnings` (as are labels that are longer
 * than the context); labels that are not UTF-8, and templates without "{}",
 * are errors. `warnings`: NULL, or where to put a strv to free, NULL when
 * there is nothing to say. */
ClipLabels *clip_labels_new (ClipEncoder *encoder,
    const ClipLabelsParams *params, GCancellable *cancellable,
    gchar ***warnings, GError **error);
ClipLabels *clip_labels_ref (ClipLabels *labels);
void clip_labels_unref (ClipLabels *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipLabels, clip_labels_unref)

guint clip_labels_get_n_labels (ClipLabels *labels);
const gchar *clip_labels_get_label (ClipLabels *labels, guint i);

/* Reads a labels file: a label a line, UTF-8 with or without a byte order
 * mark, LF or CRLF; empty lines and lines that start with '#' do not count. */
gchar **clip_labels_read_file (const gchar *filename, GError **error);

/* Scores of one embedding [dim] against every label, into scores [n_labels].
 * softmax: over labels and negatives, logits are logit_scale * cosine.
 * sigmoid: of logit_scale * cosine + bias; the bias is the model's, or, for a
 * model trained without one, minus the log-sum-exp of the negatives' logits,
 * so that a label scores 0.5 where it matches as well as all of them together
 * (0 where there are no negatives).
 * cosine: the dot product.
 * logit_scale < 0: the model's. Allocates nothing. */
void clip_labels_score (ClipLabels *labels, const gfloat *embedding,
    ClipScoreMode mode, gfloat logit_scale, gfloat *scores);

/* Indices of the scores >= threshold, highest first (equal scores in label
 * order), at most top_k of them (0: all), into order [n]; returns how many. */
guint clip_scores_rank (const gfloat *scores, guint n, gfloat threshold,
    guint top_k, guint *order);

G_END_DECLS
