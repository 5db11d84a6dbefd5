/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/model/random.h"

#include "engine/model/config.h"
#include "engine/model/weights.h"

gboolean
clip_random_spec_init (ClipModelSpec *spec, const gchar *arch, GError **error)
{
  static const struct {
    const gchar *name;
    guint width, layers, patch, text_width, embed_dim;
  } archs[] = {
    { "ViT-B-32", 768, 12, 32, 512, 512 },
    { "ViT-B-16", 768, 12, 16, 512, 512 },
    { "ViT-L-14", 1024, 24, 14, 768, 768 },
  };
  guint i = 0;
  while (i < G_N_ELEMENTS (archs) && g_strcmp0 (archs[i].name, arch) != 0)
    i++;
  if (i == G_N_ELEMENTS (archs)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
        "architecture %s is not known, expected ViT-B-32, ViT-B-16 or "
        "ViT-L-14",
        arch != NULL ? arch : "(null)");
    return FALSE;
  }
  const guint width = archs[i].width, text_width = archs[i].text_width;
  *spec = (ClipModelSpec){
    .embed_dim = archs[i].embed_dim,
    .image_size = 224,
    .image_kind = CLIP_TOWER_TRANSFORMER,
    .patch = archs[i].patch,
    .image = { width, archs[i].layers, width / 64, 4 * width,
        CLIP_ACT_QUICK_GELU, 1e-5f },
    .text = { text_width, 12, text_width / 64, 4 * text_width,
        CLIP_ACT_QUICK_GELU, 1e-5f },
    .context = 77,
    .vocab = 49408,
    .logit_scale = 100.0f,
  };
  clip_preprocess_spec_init (&spec->preprocess, 224, CLIP_CROP_FLOOR);
  return TRUE;
}

/* The finaliser of splitmix64: a counter in, 64 mixed bits out. */
static inline guint64
mix (guint64 z)
{
  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

gboolean
clip_random_read (guint32 seed, const gchar *name, ClipHostTensor *out,
    GError **error)
{
  out->dtype = CLIP_DTYPE_F32;
  if (!clip_host_tensor_alloc (out, name, error))
    return FALSE;
  guint64 state = mix (seed + G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));
  for (const gchar *c = name; *c != '\0'; c++)
    state = mix (state ^ (guchar) *c);
  const gboolean gain = g_str_has_suffix (name, "norm.weight")
      || g_str_has_suffix (name, "norm1.weight")
      || g_str_has_suffix (name, "norm2.weight");
  const gfloat mean = gain ? 1.0f : 0.0f;
  /* Four uniform 16-bit numbers: their sum has the variance 4 * 65536^2 / 12.
   */
  const gfloat scale = 0.02f / 37837.23f;
  gfloat *values = out->data;
  for (gsize i = 0; i < out->rows * out->columns; i++) {
    guint64 bits = mix (state + i * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));
    gint32 sum = (gint32) (bits & 0xffff) + (gint32) (bits >> 16 & 0xffff)
        + (gint32) (bits >> 32 & 0xffff) + (gint32) (bits >> 48);
    values[i] = mean + (gfloat) (sum - 131070) * scale;
  }
  return TRUE;
}
