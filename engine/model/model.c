/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/model/model.h"

#include "engine/model/config.h"
#include "engine/model/locate.h"
#include "engine/model/random.h"
#include "engine/thread.h"

#include <math.h>

struct _ClipModel {
  gint references;
  gchar *identity; /* key in the table of models, NULL: not in it */
  gchar *name;
  gchar *directory;
  ClipModelSpec spec;
  ClipTokenizer *tokenizer;
  gchar **labels;

  ClipTensorSet *tensors; /* NULL: random weights */
  GHashTable *weights;    /* canonical name -> ClipWeightSource */
  guint32 seed;

  ClipMutex mutex;     /* of what follows */
  GPtrArray *attached; /* Attached, in the order of creation */
};

typedef struct {
  gchar *key;
  gpointer object;
  GDestroyNotify destroy;
} Attached;

/* Every loaded model by identity, without a reference: so that two loads give
 * one object, and the last user's unref still frees it. */
static ClipMutex models_mutex = CLIP_MUTEX_INIT;
static GHashTable *models;

/* -------------------------------------------------------------- lifetime */

static void
attached_free (Attached *attached)
{
  attached->destroy (attached->object);
  g_free (attached->key);
  g_free (attached);
}

static ClipModel *
model_new (void)
{
  ClipModel *model = g_new0 (ClipModel, 1);
  model->references = 1;
  clip_mutex_init (&model->mutex);
  model->attached =
      g_ptr_array_new_with_free_func ((GDestroyNotify) attached_free);
  return model;
}

static void
model_free (ClipModel *model)
{
  /* Youngest first: an object may have been made from an older one. */
  while (model->attached->len > 0)
    g_ptr_array_remove_index (model->attached, model->attached->len - 1);
  g_ptr_array_unref (model->attached);
  clip_mutex_clear (&model->mutex);
  g_clear_pointer (&model->weights, g_hash_table_unref);
  g_clear_pointer (&model->tensors, clip_tensor_set_free);
  g_clear_pointer (&model->tokenizer, clip_tokenizer_free);
  g_strfreev (model->labels);
  g_free (model->identity);
  g_free (model->name);
  g_free (model->directory);
  g_free (model);
}

ClipModel *
clip_model_ref (ClipModel *model)
{
  g_atomic_int_inc (&model->references);
  return model;
}

void
clip_model_unref (ClipModel *model)
{
  /* The count goes to 0 only under the table's lock, so that a load that finds
   * the model there can still take a reference. */
  clip_mutex_lock (&models_mutex);
  gboolean last = g_atomic_int_dec_and_test (&model->references);
  if (last && model->identity != NULL)
    g_hash_table_remove (models, model->identity);
  clip_mutex_unlock (&models_mutex);
  if (last)
    model_free (model);
}

/* A new reference to the model of that identity, NULL where there is none. */
static ClipModel *
find_loaded (const gchar *identity)
{
  clip_mutex_lock (&models_mutex);
  ClipModel *model =
      models != NULL ? g_hash_table_lookup (models, identity) : NULL;
  if (model != NULL)
    clip_model_ref (model);
  clip_mutex_unlock (&models_mutex);
  return model;
}

/* Enters a model that was just loaded; gives the one that another thread has
 * entered meanwhile where there is one. */
static ClipModel *
share (ClipModel *model, gchar *identity)
{
  clip_mutex_lock (&models_mutex);
  if (models == NULL)
    models = g_hash_table_new (g_str_hash, g_str_equal);
  ClipModel *other = g_hash_table_lookup (models, identity);
  if (other != NULL) {
    clip_model_ref (other);
  } else {
    model->identity = identity;
    g_hash_table_insert (models, identity, model);
  }
  clip_mutex_unlock (&models_mutex);
  if (other == NULL)
    return model;
  g_free (identity);
  model_free (model);
  return other;
}

/* --------------------------------------------------------------- loading */

/* The files hold the logarithm of the scale. */
static gboolean
read_logits (ClipModel *model, const gchar *weights, GError **error)
{
  const ClipFileTensor *scale =
      clip_tensor_set_find (model->tensors, "logit_scale");
  const ClipFileTensor *bias =
      clip_tensor_set_find (model->tensors, "logit_bias");
  if (scale == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: tensor logit_scale is missing", weights);
    return FALSE;
  }
  gfloat log_scale;
  if (!clip_weight_read_scalar (scale, &log_scale, error))
    return FALSE;
  model->spec.logit_scale = (gfloat) exp (log_scale);
  if (!(fabsf (log_scale) <= 20.0f)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: tensor logit_scale: is %g, expected a logarithm within 20 of 0",
        scale->file->path, log_scale);
    return FALSE;
  }
  model->spec.sigmoid = bias != NULL;
  return bias == NULL
      || clip_weight_read_scalar (bias, &model->spec.logit_bias, error);
}

static gboolean
load_tokenizer (ClipModel *model, gint end_token, GError **error)
{
  const gchar *folder = model->directory;
  g_autofree gchar *json = g_build_filename (folder, "tokenizer.json", NULL);
  g_autofree gchar *vocab = g_build_filename (folder, "vocab.json", NULL);
  g_autofree gchar *merges = g_build_filename (folder, "merges.txt", NULL);
  if (!g_file_test (json, G_FILE_TEST_EXISTS)
      && !(g_file_test (vocab, G_FILE_TEST_EXISTS)
          && g_file_test (merges, G_FILE_TEST_EXISTS))) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
        "%s: no tokenizer: looked for tokenizer.json, and for vocab.json with "
        "merges.txt",
        folder);
    return FALSE;
  }
  model->tokenizer = clip_tokenizer_load (folder, error);
  if (model->tokenizer == NULL)
    return FALSE;
  guint size = clip_tokenizer_get_vocab_size (model->tokenizer);
  if (size > model->spec.vocab) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: the tokenizer has %u tokens, expected at most %u, the rows of "
        "the text tower's table",
        folder, size, model->spec.vocab);
    return FALSE;
  }
  gint32 end = clip_tokenizer_get_end (model->tokenizer);
  if (end_token >= 0 && end != end_token) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: the tokenizer ends texts with token %d, expected %d, the "
        "eos_token_id of config.json",
        folder, end, end_token);
    return FALSE;
  }
  return TRUE;
}

static gboolean
load_labels (ClipModel *model, GError **error)
{
  g_autofree gchar *path =
      g_build_filename (model->directory, "labels.txt", NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  model->labels = clip_labels_read_file (path, error);
  return model->labels != NULL;
}

static ClipModel *
load_files (const ClipModelFiles *files, GError **error)
{
  g_autoptr (ClipModel) model = model_new ();
  ClipModelSpec *spec = &model->spec;
  gint end_token = -1;
  gboolean projection_bias = FALSE;
  model->name = g_utf8_make_valid (files->name, -1);
  model->directory = g_strdup (files->folder);
  if (files->layout == CLIP_FILES_HF) {
    if (!clip_config_read_hf (files->config, spec, &end_token, error)
        || !clip_config_read_hf_preprocessor (files->folder, spec, error))
      return NULL;
  } else if (!clip_config_read_openclip (files->config, spec, &projection_bias,
                 error)) {
    return NULL;
  }
  model->tensors = files->is_index
      ? clip_tensor_set_open_index (files->weights, error)
      : clip_tensor_set_open (files->weights, error);
  if (model->tensors == NULL)
    return NULL;
  model->weights = clip_weight_map_new (files->weights, model->tensors,
      files->layout, spec, projection_bias, error);
  if (model->weights == NULL || !read_logits (model, files->weights, error)
      || !load_tokenizer (model, end_token, error)
      || !load_labels (model, error))
    return NULL;
  return g_steal_pointer (&model);
}

ClipModel *
clip_model_load (const gchar *where, GError **error)
{
  g_auto (ClipModelFiles) files = { NULL };
  if (!clip_model_files_find (where, &files, error))
    return NULL;
  g_autofree gchar *identity = clip_model_files_identity (&files);
  ClipModel *model = find_loaded (identity);
  if (model != NULL)
    return model;
  model = load_files (&files, error);
  return model != NULL ? share (model, g_steal_pointer (&identity)) : NULL;
}

ClipModel *
clip_model_new_random (const gchar *arch, guint32 seed, GError **error)
{
  g_autoptr (ClipModel) model = model_new ();
  if (!clip_random_spec_init (&model->spec, arch, error))
    return NULL;
  model->name = g_strdup (arch);
  model->seed = seed;
  model->weights = clip_weight_map_new (arch, NULL, CLIP_FILES_NONE,
      &model->spec, FALSE, error);
  return model->weights != NULL ? g_steal_pointer (&model) : NULL;
}

/* --------------------------------------------------------------- reading */

const gchar *
clip_model_get_name (ClipModel *model)
{
  return model->name;
}

const gchar *
clip_model_get_directory (ClipModel *model)
{
  return model->directory;
}

guint
clip_model_get_embed_dim (ClipModel *model)
{
  return model->spec.embed_dim;
}

guint
clip_model_get_context (ClipModel *model)
{
  return model->spec.context;
}

gfloat
clip_model_get_logit_scale (ClipModel *model)
{
  return model->spec.logit_scale;
}

gfloat
clip_model_get_logit_bias (ClipModel *model)
{
  return model->spec.logit_bias;
}

ClipScoreMode
clip_model_get_score_mode (ClipModel *model)
{
  return model->spec.sigmoid ? CLIP_SCORE_SIGMOID : CLIP_SCORE_SOFTMAX;
}

const gchar *const *
clip_model_get_default_labels (ClipModel *model)
{
  return (const gchar *const *) model->labels;
}

const ClipModelSpec *
clip_model_get_spec (ClipModel *model)
{
  return &model->spec;
}

ClipTokenizer *
clip_model_get_tokenizer (ClipModel *model)
{
  return model->tokenizer;
}

gint32 *
clip_model_tokenize (ClipModel *model, const gchar *text, guint *n,
    gboolean *truncated, GError **error)
{
  if (model->tokenizer == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
        "model %s has random weights and no tokenizer", model->name);
    return NULL;
  }
  g_autofree gint32 *ids = g_new (gint32, model->spec.context);
  *n = clip_tokenizer_encode (model->tokenizer, text, model->spec.context, ids,
      truncated, error);
  return *n > 0 ? g_steal_pointer (&ids) : NULL;
}

gboolean
clip_model_has_weight (ClipModel *model, const gchar *name)
{
  return g_hash_table_contains (model->weights, name);
}

gboolean
clip_model_read_weight (ClipModel *model, const gchar *name,
    ClipHostTensor *out, GError **error)
{
  const ClipWeightSource *source = g_hash_table_lookup (model->weights, name);
  if (source == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "model %s has no weight %s", model->name, name);
    return FALSE;
  }
  if (model->tensors != NULL)
    return clip_weight_source_read (source, out, error);
  *out = (ClipHostTensor){ .rows = source->rows, .columns = source->columns };
  return clip_random_read (model->seed, name, out, error);
}

gpointer
clip_model_get_attached (ClipModel *model, const gchar *key,
    ClipCreateFunc create, gpointer user_data, GDestroyNotify destroy,
    GError **error)
{
  gpointer object = NULL;
  clip_mutex_lock (&model->mutex);
  for (guint i = 0; i < model->attached->len && object == NULL; i++) {
    Attached *attached = g_ptr_array_index (model->attached, i);
    if (g_str_equal (attached->key, key))
      object = attached->object;
  }
  if (object == NULL) {
    object = create (model, user_data, error);
    if (object != NULL) {
      Attached *attached = g_new (Attached, 1);
      *attached = (Attached){ g_strdup (key), object, destroy };
      g_ptr_array_add (model->attached, attached);
    }
  }
  clip_mutex_unlock (&model->mutex);
  return object;
}
