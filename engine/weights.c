/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/weights.h"

#include "engine/thread.h"

typedef struct {
  ClipMutex lock;
  GHashTable *weights; /* canonical name -> ClipWeight */
} WeightStore;

static void
weight_store_free (gpointer data)
{
  WeightStore *store = data;

  g_hash_table_unref (store->weights);
  clip_mutex_clear (&store->lock);
  g_free (store);
}

static gpointer
weight_store_new (ClipModel *model, gpointer backend, GError **error)
{
  WeightStore *store = g_new0 (WeightStore, 1);

  clip_mutex_init (&store->lock);
  store->weights = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) ((ClipBackend *) backend)->ops->free_weight);
  return store;
}

static gboolean
check_shape (ClipModel *model, const ClipWeightRef *ref,
    const ClipHostTensor *tensor, GError **error)
{
  if (tensor->rows == ref->rows && tensor->columns == ref->columns)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "model %s: weight %s is [%zu x %zu], expected [%zu x %zu]",
      clip_model_get_name (model), ref->name, tensor->rows, tensor->columns,
      ref->rows, ref->columns);
  return FALSE;
}

static ClipWeight *
prepare_one (ClipModel *model, ClipBackend *backend, WeightStore *store,
    const ClipWeightRef *ref, GError **error)
{
  g_auto (ClipHostTensor) tensor = { 0 };
  ClipWeight *weight = g_hash_table_lookup (store->weights, ref->name);

  if (weight)
    return weight;
  if (!clip_model_read_weight (model, ref->name, &tensor, error)
      || !check_shape (model, ref, &tensor, error))
    return NULL;
  weight = backend->ops->prepare_weight (backend, ref->role, &tensor, error);
  if (weight)
    g_hash_table_insert (store->weights, g_strdup (ref->name), weight);
  return weight;
}

ClipWeight **
clip_weights_prepare (ClipModel *model, ClipBackend *backend,
    const ClipPlan *plan, GError **error)
{
  g_autofree gchar *key =
      g_strconcat ("weights:", backend->ops->weight_layout (backend), NULL);
  g_autofree ClipWeight **weights = g_new0 (ClipWeight *, plan->weights->len);
  WeightStore *store = clip_model_get_attached (model, key, weight_store_new,
      backend, weight_store_free, error);
  gboolean ok = TRUE;

  if (!store)
    return NULL;
  clip_mutex_lock (&store->lock);
  for (guint i = 0; ok && i < plan->weights->len; i++) {
    weights[i] = prepare_one (model, backend, store,
        &g_array_index (plan->weights, ClipWeightRef, i), error);
    ok = weights[i] != NULL;
  }
  clip_mutex_unlock (&store->lock);
  return ok ? g_steal_pointer (&weights) : NULL;
}
