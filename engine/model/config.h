/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Configuration files -> ClipModelSpec. What a file asks for and the engine
 * cannot run is an UNSUPPORTED error that names the key; nothing is ignored
 * that would change a result.
 */
#pragma once

#include "engine/model/json.h"
#include "engine/model/model.h"

/* Bounds of what a configuration may say: beyond every model there is, and
 * small enough that no product of them overflows 63 bits. */
#define CLIP_MAX_WIDTH 16384
#define CLIP_MAX_LAYERS 512
#define CLIP_MAX_HEADS 512
#define CLIP_MAX_MLP (16 * CLIP_MAX_WIDTH)
#define CLIP_MAX_IMAGE 4096 /* pixels */
#define CLIP_MAX_CONTEXT 4096
#define CLIP_MAX_VOCAB (1 << 22)

/* OpenAI's preprocessing at `size` pixels. */
void clip_preprocess_spec_init (ClipPreprocessSpec *spec, guint size,
    ClipCropRounding rounding);

/* transformers' config.json; a missing key means its default. Fills everything
 * but logit_scale, logit_bias, sigmoid and preprocess. *end_token is the
 * token at which texts are pooled, -1 where the file leaves it to the
 * tokenizer. */
gboolean clip_config_read_hf (const gchar *file, ClipModelSpec *spec,
    gint *end_token, GError **error);
/* transformers' preprocessor_config.json or, newer, the image_processor of
 * processor_config.json, in `folder`; without either, CLIP's defaults.
 * Fills `preprocess`, which must give spec->image_size pixels. */
gboolean clip_config_read_hf_preprocessor (const gchar *folder,
    ClipModelSpec *spec, GError **error);

/* OpenCLIP's open_clip_config.json: the same, and `preprocess`.
 * *projection_bias: whether the image tower's last layer has a bias. */
gboolean clip_config_read_openclip (const gchar *file, ClipModelSpec *spec,
    gboolean *projection_bias, GError **error);

/* tf_efficientnet_lite0. */
void clip_efficientnet_spec_init_lite0 (ClipEfficientNetSpec *spec);

/* UNSUPPORTED where `whole` is no multiple of `part`; names the keys. */
gboolean clip_config_check_divides (const ClipJson *json,
    const gchar *whole_key, guint whole, const gchar *part_key, guint part,
    GError **error);

/* FORMAT where not even one patch fits into the picture. What is left over
 * beside the last whole patch is not looked at, as in the references. */
gboolean clip_config_check_patch (const ClipJson *json,
    const ClipModelSpec *spec, GError **error);
