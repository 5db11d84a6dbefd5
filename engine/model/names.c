/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The names that transformers, OpenCLIP and timm give to the weights of
 * model.h.
 */
#include "engine/model/weights.h"

#include <string.h>

/* ---------------------------------------------------- transformer towers */

typedef enum {
  DIM_ONE, /* a vector: one dimension in the file */
  DIM_WIDTH,
  DIM_QKV, /* three widths */
  DIM_MLP,
  DIM_EMBED,
  DIM_PATCH,  /* three colours of a patch; three dimensions in the file */
  DIM_TOKENS, /* the class token and the patches */
  DIM_CONTEXT,
  DIM_VOCAB,
} Dim;

/* A canonical weight and its names in the two layouts. A '?' stands for q, k
 * and v in turn. TRANSPOSED holds for OpenCLIP only. */
typedef struct {
  const gchar *canonical, *hf, *openclip;
  Dim rows, columns;
  ClipWeightForm form;
} Row;

static const Row block_rows[] = {
  { "norm1.weight", "layer_norm1.weight", "ln_1.weight", DIM_ONE, DIM_WIDTH },
  { "norm1.bias", "layer_norm1.bias", "ln_1.bias", DIM_ONE, DIM_WIDTH },
  { "qkv.weight", "self_attn.?_proj.weight", "attn.in_proj_weight", DIM_QKV,
      DIM_WIDTH },
  { "qkv.bias", "self_attn.?_proj.bias", "attn.in_proj_bias", DIM_ONE,
      DIM_QKV },
  { "out.weight", "self_attn.out_proj.weight", "attn.out_proj.weight",
      DIM_WIDTH, DIM_WIDTH },
  { "out.bias", "self_attn.out_proj.bias", "attn.out_proj.bias", DIM_ONE,
      DIM_WIDTH },
  { "norm2.weight", "layer_norm2.weight", "ln_2.weight", DIM_ONE, DIM_WIDTH },
  { "norm2.bias", "layer_norm2.bias", "ln_2.bias", DIM_ONE, DIM_WIDTH },
  { "fc1.weight", "mlp.fc1.weight", "mlp.c_fc.weight", DIM_MLP, DIM_WIDTH },
  { "fc1.bias", "mlp.fc1.bias", "mlp.c_fc.bias", DIM_ONE, DIM_MLP },
  { "fc2.weight", "mlp.fc2.weight", "mlp.c_proj.weight", DIM_WIDTH, DIM_MLP },
  { "fc2.bias", "mlp.fc2.bias", "mlp.c_proj.bias", DIM_ONE, DIM_WIDTH },
};

static const Row image_rows[] = {
  { "image.patch.weight", "vision_model.embeddings.patch_embedding.weight",
      "visual.conv1.weight", DIM_WIDTH, DIM_PATCH },
  { "image.class", "vision_model.embeddings.class_embedding",
      "visual.class_embedding", DIM_ONE, DIM_WIDTH },
  { "image.position", "vision_model.embeddings.position_embedding.weight",
      "visual.positional_embedding", DIM_TOKENS, DIM_WIDTH },
  { "image.pre_norm.weight", "vision_model.pre_layrnorm.weight",
      "visual.ln_pre.weight", DIM_ONE, DIM_WIDTH },
  { "image.pre_norm.bias", "vision_model.pre_layrnorm.bias",
      "visual.ln_pre.bias", DIM_ONE, DIM_WIDTH },
  { "image.post_norm.weight", "vision_model.post_layernorm.weight",
      "visual.ln_post.weight", DIM_ONE, DIM_WIDTH },
  { "image.post_norm.bias", "vision_model.post_layernorm.bias",
      "visual.ln_post.bias", DIM_ONE, DIM_WIDTH },
  { "image.projection.weight", "visual_projection.weight", "visual.proj",
      DIM_EMBED, DIM_WIDTH, CLIP_WEIGHT_TRANSPOSED },
};

static const Row text_rows[] = {
  { "text.token", "text_model.embeddings.token_embedding.weight",
      "token_embedding.weight", DIM_VOCAB, DIM_WIDTH, CLIP_WEIGHT_TABLE },
  { "text.position", "text_model.embeddings.position_embedding.weight",
      "positional_embedding", DIM_CONTEXT, DIM_WIDTH },
  { "text.post_norm.weight", "text_model.final_layer_norm.weight",
      "ln_final.weight", DIM_ONE, DIM_WIDTH },
  { "text.post_norm.bias", "text_model.final_layer_norm.bias", "ln_final.bias",
      DIM_ONE, DIM_WIDTH },
  { "text.projection.weight", "text_projection.weight", "text_projection",
      DIM_EMBED, DIM_WIDTH, CLIP_WEIGHT_TRANSPOSED },
};

typedef struct {
  const gchar *where;
  const ClipTensorSet *set;
  ClipFileLayout layout;
  const ClipModelSpec *spec;
  GHashTable *map;
  GHashTable *used; /* ClipFileTensor */
} Mapper;

/* ---------------------------------------------------------------- lookup */

/* The tensor of that name, checked. */
static const ClipFileTensor *
find (Mapper *self, const gchar *name, const guint64 *shape, guint n_dims,
    GError **error)
{
  const ClipFileTensor *tensor = clip_tensor_set_find (self->set, name);
  if (tensor == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: tensor %s is missing", self->where, name);
    return NULL;
  }
  g_autofree gchar *found =
      clip_shape_to_string (tensor->shape, tensor->n_dims);
  g_autofree gchar *expected = clip_shape_to_string (shape, n_dims);
  if (!g_str_equal (found, expected)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: tensor %s: shape is %s, expected %s from the configuration",
        tensor->file->path, name, found, expected);
    return NULL;
  }
  if (tensor->dtype == CLIP_FILE_DTYPE_OTHER) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
        "%s: tensor %s: dtype is %s, expected F32, F16 or BF16",
        tensor->file->path, name, tensor->dtype_name);
    return NULL;
  }
  g_hash_table_add (self->used, (gpointer) tensor);
  return tensor;
}

static ClipWeightSource *
add (Mapper *self, ClipWeightForm form, guint64 rows, guint64 columns,
    gchar *canonical)
{
  ClipWeightSource *source = g_new0 (ClipWeightSource, 1);
  source->form = form;
  source->rows = (gsize) rows;
  source->columns = (gsize) columns;
  g_hash_table_insert (self->map, canonical, source);
  return source;
}

static guint64
dim_size (const ClipModelSpec *spec, const ClipTransformerSpec *tower, Dim dim)
{
  const guint64 side =
      tower == &spec->image ? spec->image_size / spec->patch : 0;
  switch (dim) {
    case DIM_WIDTH:
      return tower->width;
    case DIM_QKV:
      return 3 * (guint64) tower->width;
    case DIM_MLP:
      return tower->mlp;
    case DIM_EMBED:
      return spec->embed_dim;
    case DIM_PATCH:
      return 3 * (guint64) spec->patch * spec->patch;
    case DIM_TOKENS:
      return 1 + side * side;
    case DIM_CONTEXT:
      return spec->context;
    case DIM_VOCAB:
      return spec->vocab;
    case DIM_ONE:
      break;
  }
  return 1;
}

/* The shape that a row's tensor must have in the file. */
static guint
file_shape (const Row *row, guint patch, guint64 rows, guint64 columns,
    gboolean transposed, guint64 shape[4])
{
  if (row->rows == DIM_ONE) {
    shape[0] = columns;
    return 1;
  }
  if (row->columns == DIM_PATCH) {
    memcpy (shape, (guint64[4]){ rows, 3, patch, patch }, 4 * sizeof *shape);
    return 4;
  }
  shape[0] = transposed ? columns : rows;
  shape[1] = transposed ? rows : columns;
  return 2;
}

/* Adds one row of a table; `canonical` is taken. */
static gboolean
add_row (Mapper *self, const ClipTransformerSpec *tower, const Row *row,
    gchar *canonical, const gchar *prefix, GError **error)
{
  const guint64 rows = dim_size (self->spec, tower, row->rows);
  const guint64 columns = dim_size (self->spec, tower, row->columns);
  const gboolean hf = self->layout == CLIP_FILES_HF;
  ClipWeightForm form = row->form;
  if (form == CLIP_WEIGHT_TRANSPOSED && hf)
    form = CLIP_WEIGHT_PLAIN;
  ClipWeightSource *source = add (self, form, rows, columns, canonical);
  if (self->layout == CLIP_FILES_NONE)
    return TRUE;

  g_autofree gchar *name =
      g_strconcat (prefix, hf ? row->hf : row->openclip, NULL);
  gchar *mark = strchr (name, '?');
  guint64 shape[4];
  guint n_dims = file_shape (row, self->spec->patch, rows, columns,
      form == CLIP_WEIGHT_TRANSPOSED, shape);
  source->n_tensors = mark != NULL ? 3 : 1;
  shape[0] /= source->n_tensors;
  for (guint i = 0; i < source->n_tensors; i++) {
    if (mark != NULL)
      *mark = "qkv"[i];
    source->tensors[i] = find (self, name, shape, n_dims, error);
    if (source->tensors[i] == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
add_tower (Mapper *self, const ClipTransformerSpec *tower, const gchar *name,
    const Row *rows, guint n_rows, const gchar *prefix,
    const gchar *blocks_prefix, GError **error)
{
  for (guint i = 0; i < n_rows; i++)
    if (!add_row (self, tower, &rows[i], g_strdup (rows[i].canonical), prefix,
            error))
      return FALSE;
  for (guint n = 0; n < tower->layers; n++) {
    g_autofree gchar *block = g_strdup_printf ("%s%u.", blocks_prefix, n);
    for (guint i = 0; i < G_N_ELEMENTS (block_rows); i++) {
      gchar *canonical =
          g_strdup_printf ("%s.blocks.%u.%s", name, n, block_rows[i].canonical);
      if (!add_row (self, tower, &block_rows[i], canonical, block, error))
        return FALSE;
    }
  }
  return TRUE;
}

/* ---------------------------------------------------------- EfficientNet */

/* A convolution and the batch norm behind it. */
static gboolean
add_folded (Mapper *self, const gchar *canonical, const gchar *prefix,
    const gchar *conv, const gchar *norm, const guint64 shape[4],
    GError **error)
{
  static const gchar *const parts[] = { "weight", "bias", "running_mean",
    "running_var" };
  const guint64 columns = shape[1] * shape[2] * shape[3];
  ClipWeightSource *weight = add (self, CLIP_WEIGHT_FOLDED, shape[0], columns,
      g_strconcat (canonical, ".weight", NULL));
  ClipWeightSource *bias = add (self, CLIP_WEIGHT_FOLDED_BIAS, 1, shape[0],
      g_strconcat (canonical, ".bias", NULL));
  if (self->layout == CLIP_FILES_NONE)
    return TRUE;
  g_autofree gchar *name =
      g_strconcat ("visual.trunk.", prefix, conv, ".weight", NULL);
  weight->n_tensors = bias->n_tensors = 5;
  weight->tensors[0] = find (self, name, shape, 4, error);
  if (weight->tensors[0] == NULL)
    return FALSE;
  for (guint i = 0; i < 4; i++) {
    g_autofree gchar *part =
        g_strconcat ("visual.trunk.", prefix, norm, ".", parts[i], NULL);
    weight->tensors[1 + i] = find (self, part, shape, 1, error);
    if (weight->tensors[1 + i] == NULL)
      return FALSE;
  }
  memcpy (bias->tensors, weight->tensors, sizeof bias->tensors);
  return TRUE;
}

/* Stage 0 has no expansion, and timm numbers its convolutions differently. */
static gboolean
add_residual (Mapper *self, guint stage, guint block, guint64 in, guint64 out,
    GError **error)
{
  static const guint64 kernels[CLIP_EFFICIENTNET_STAGES] = { 3, 3, 5, 3, 5, 5,
    3 };
  const guint64 k = kernels[stage];
  const guint64 hidden = in * self->spec->efficientnet.expansion[stage];
  const gboolean expands = stage > 0;
  g_autofree gchar *base =
      g_strdup_printf ("image.blocks.%u.%u.", stage, block);
  g_autofree gchar *prefix = g_strdup_printf ("blocks.%u.%u.", stage, block);
  g_autofree gchar *expand = g_strconcat (base, "expand", NULL);
  g_autofree gchar *depthwise = g_strconcat (base, "depthwise", NULL);
  g_autofree gchar *project = g_strconcat (base, "project", NULL);
  return (!expands
             || add_folded (self, expand, prefix, "conv_pw", "bn1",
                 (guint64[4]){ hidden, in, 1, 1 }, error))
      && add_folded (self, depthwise, prefix, "conv_dw",
          expands ? "bn2" : "bn1", (guint64[4]){ hidden, 1, k, k }, error)
      && add_folded (self, project, prefix, expands ? "conv_pwl" : "conv_pw",
          expands ? "bn3" : "bn2", (guint64[4]){ out, hidden, 1, 1 }, error);
}

static gboolean
add_efficientnet (Mapper *self, gboolean projection_bias, GError **error)
{
  const ClipEfficientNetSpec *net = &self->spec->efficientnet;
  const guint64 embed = self->spec->embed_dim;
  const guint64 last = net->channels[CLIP_EFFICIENTNET_STAGES - 1];
  if (!add_folded (self, "image.stem", "", "conv_stem", "bn1",
          (guint64[4]){ net->stem, 3, 3, 3 }, error)
      || !add_folded (self, "image.head", "", "conv_head", "bn2",
          (guint64[4]){ net->features, last, 1, 1 }, error))
    return FALSE;
  guint64 in = net->stem;
  for (guint stage = 0; stage < CLIP_EFFICIENTNET_STAGES; stage++) {
    for (guint block = 0; block < net->repeats[stage]; block++) {
      if (!add_residual (self, stage, block, in, net->channels[stage], error))
        return FALSE;
      in = net->channels[stage];
    }
  }
  ClipWeightSource *projection = add (self, CLIP_WEIGHT_PLAIN, embed,
      net->features, g_strdup ("image.projection.weight"));
  projection->n_tensors = 1;
  projection->tensors[0] = find (self, "visual.head.proj.weight",
      (guint64[2]){ embed, net->features }, 2, error);
  if (projection->tensors[0] == NULL)
    return FALSE;
  if (!projection_bias)
    return TRUE;
  ClipWeightSource *bias = add (self, CLIP_WEIGHT_PLAIN, 1, embed,
      g_strdup ("image.projection.bias"));
  bias->n_tensors = 1;
  bias->tensors[0] = find (self, "visual.head.proj.bias", &embed, 1, error);
  return bias->tensors[0] != NULL;
}

/* ------------------------------------------------------------- the whole */

/* A tensor in a tower that nothing reads means that the configuration
 * describes another model: more layers, a scale, a pooling head. */
static gboolean
check_used (Mapper *self, GError **error)
{
  static const gchar *const towers[] = { "vision_model.", "text_model.",
    "visual.", "visual_projection.", "text_projection.", "transformer.",
    "text.", "ln_final." };
  static const gchar *const buffers[] = { "position_ids", "attn_mask",
    "num_batches_tracked" };
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, self->set->tensors);
  while (g_hash_table_iter_next (&iter, &key, &value)) {
    const gchar *name = key;
    gboolean expected = g_hash_table_contains (self->used, value);
    for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
      expected |= g_str_has_suffix (name, buffers[i]);
    for (guint i = 0; i < G_N_ELEMENTS (towers) && !expected; i++) {
      if (g_str_has_prefix (name, towers[i])) {
        g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
            "%s: tensor %s: the model that the configuration describes has "
            "no place for it",
            ((const ClipFileTensor *) value)->file->path, name);
        return FALSE;
      }
    }
  }
  return TRUE;
}

static gboolean
add_towers (Mapper *self, gboolean projection_bias, GError **error)
{
  const gboolean hf = self->layout == CLIP_FILES_HF;
  /* OpenCLIP's models with a text tower of their own keep it apart. */
  const gchar *text = "";
  if (self->layout == CLIP_FILES_OPENCLIP
      && clip_tensor_set_find (self->set, "text.token_embedding.weight")
          != NULL)
    text = "text.";
  g_autofree gchar *blocks =
      g_strconcat (hf ? "text_model.encoder.layers." : text,
          hf ? "" : "transformer.resblocks.", NULL);
  if (!add_tower (self, &self->spec->text, "text", text_rows,
          G_N_ELEMENTS (text_rows), text, blocks, error))
    return FALSE;
  if (self->spec->image_kind == CLIP_TOWER_EFFICIENTNET)
    return add_efficientnet (self, projection_bias, error);
  return add_tower (self, &self->spec->image, "image", image_rows,
      G_N_ELEMENTS (image_rows), "",
      hf ? "vision_model.encoder.layers." : "visual.transformer.resblocks.",
      error);
}

GHashTable *
clip_weight_map_new (const gchar *where, const ClipTensorSet *set,
    ClipFileLayout layout, const ClipModelSpec *spec, gboolean projection_bias,
    GError **error)
{
  g_autoptr (GHashTable) map =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GHashTable) used = g_hash_table_new (NULL, NULL);
  Mapper self = { where, set, layout, spec, map, used };
  if (!add_towers (&self, projection_bias, error)
      || (set != NULL && !check_used (&self, error)))
    return NULL;
  return g_steal_pointer (&map);
}
