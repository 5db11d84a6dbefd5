/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the rest of the engine may know of a loaded model: its specification
 * and its weights under canonical names, whatever layout the files have.
 *
 * A model keeps its weight files open and reads a tensor when a backend
 * prepares it; it holds no weights itself and maps nothing, so a file that is
 * truncated later is an error and not a SIGBUS.
 */
#pragma once

#include "engine/clip.h"
#include "engine/types.h"
#include "engine/image/preprocess.h"
#include "engine/text/tokenizer.h"

typedef enum {
  CLIP_TOWER_TRANSFORMER,
  CLIP_TOWER_EFFICIENTNET,
} ClipTowerKind;

typedef struct {
  guint width, layers, heads, mlp;
  ClipActivation act;
  gfloat epsilon; /* of every layer norm */
} ClipTransformerSpec;

#define CLIP_EFFICIENTNET_STAGES 7

/* EfficientNet (timm tf_efficientnet_lite*): stage s has repeats[s] inverted
 * residual blocks; kernels, strides and skips follow from the stage number. */
typedef struct {
  guint stem;     /* channels after the stem */
  guint features; /* channels after the head convolution */
  guint repeats[CLIP_EFFICIENTNET_STAGES];
  guint channels[CLIP_EFFICIENTNET_STAGES];  /* out of each stage */
  guint expansion[CLIP_EFFICIENTNET_STAGES]; /* hidden = expansion * in */
} ClipEfficientNetSpec;

typedef struct {
  guint embed_dim;
  guint image_size; /* pixels, square */
  ClipTowerKind image_kind;
  guint patch;                       /* pixels, transformer only */
  ClipTransformerSpec image;         /* transformer only */
  ClipEfficientNetSpec efficientnet; /* efficientnet only */
  ClipTransformerSpec text;
  guint context, vocab; /* tokens */
  gfloat logit_scale;   /* exp()ed */
  gfloat logit_bias;
  gboolean sigmoid; /* trained with a sigmoid loss */
  ClipPreprocessSpec preprocess;
} ClipModelSpec;

const ClipModelSpec *clip_model_get_spec (ClipModel *model);
/* NULL for a model with random weights. */
ClipTokenizer *clip_model_get_tokenizer (ClipModel *model);

/* Reads one weight by canonical name. Linear weights are [out x in] and come
 * with the layout the tower wants; non-finite values are a FORMAT error that
 * names file and tensor. Any thread.
 *
 * Transformer towers, T = image | text, N = 0 .. layers-1:
 *   image.patch.weight [width x 3*patch*patch], columns in (c, y, x) order
 *   image.class [1 x width]          image.position [1+patches x width]
 *   image.pre_norm.{weight,bias} [1 x width]
 *   text.token [vocab x width], in the file's type
 *   text.position [context x width]
 *   T.blocks.N.norm1.{weight,bias}   T.blocks.N.norm2.{weight,bias}
 *   T.blocks.N.qkv.{weight,bias}     [3*width x width], q then k then v
 *   T.blocks.N.out.{weight,bias}     [width x width]
 *   T.blocks.N.fc1.{weight,bias}     [mlp x width]
 *   T.blocks.N.fc2.{weight,bias}     [width x mlp]
 *   T.post_norm.{weight,bias}        T.projection.weight [embed_dim x width]
 * Biases and norms are [1 x n]. (No bias where the tower has none:
 * image.patch, T.projection of transformers.)
 *
 * EfficientNet, batch norms folded in double precision, stage S, block B:
 *   image.stem.{weight,bias}           [stem x 27], columns in (y, x, c) order
 *   image.blocks.S.B.expand.{weight,bias}    [hidden x in]; absent in stage 0
 *   image.blocks.S.B.depthwise.{weight,bias} [hidden x k*k]
 *   image.blocks.S.B.project.{weight,bias}   [out x hidden]
 *   image.head.{weight,bias}           [features x channels[6]]
 *   image.projection.weight            [embed_dim x features]
 *   image.projection.bias, where the file has one */
gboolean clip_model_read_weight (ClipModel *model, const gchar *name,
    ClipHostTensor *out, GError **error);
gboolean clip_model_has_weight (ClipModel *model, const gchar *name);

/* Objects that belong to the model and live as long as it does, keyed by a
 * string: prepared weights, the text cache. Returns what is there, or what
 * `create` makes (called with no other create of this model running; NULL
 * with an error is passed on and not kept). The model frees it. */
typedef gpointer (*ClipCreateFunc) (ClipModel *model, gpointer user_data,
    GError **error);
gpointer clip_model_get_attached (ClipModel *model, const gchar *key,
    ClipCreateFunc create, gpointer user_data, GDestroyNotify destroy,
    GError **error);
