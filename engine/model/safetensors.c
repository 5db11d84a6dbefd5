/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/model/safetensors.h"

#include "engine/clip.h"
#include "engine/model/json.h"

#include <string.h>

/* The format's own limit, more than any model needs. */
#define MAX_HEADER_BYTES 100000000
#define MAX_SHARDS 1000

static const struct {
  const gchar *name;
  guint bits;
  ClipFileDType dtype;
} dtypes[] = {
  { "F32", 32, CLIP_FILE_DTYPE_F32 },
  { "F16", 16, CLIP_FILE_DTYPE_F16 },
  { "BF16", 16, CLIP_FILE_DTYPE_BF16 },
  { "F64", 64, CLIP_FILE_DTYPE_OTHER },
  { "I64", 64, CLIP_FILE_DTYPE_OTHER },
  { "U64", 64, CLIP_FILE_DTYPE_OTHER },
  { "I32", 32, CLIP_FILE_DTYPE_OTHER },
  { "U32", 32, CLIP_FILE_DTYPE_OTHER },
  { "I16", 16, CLIP_FILE_DTYPE_OTHER },
  { "U16", 16, CLIP_FILE_DTYPE_OTHER },
  { "I8", 8, CLIP_FILE_DTYPE_OTHER },
  { "U8", 8, CLIP_FILE_DTYPE_OTHER },
  { "BOOL", 8, CLIP_FILE_DTYPE_OTHER },
  { "F8_E4M3", 8, CLIP_FILE_DTYPE_OTHER },
  { "F8_E5M2", 8, CLIP_FILE_DTYPE_OTHER },
};

static void
tensor_free (ClipFileTensor *tensor)
{
  g_free (tensor->name);
  g_free (tensor);
}

static ClipTensorSet *
tensor_set_new (void)
{
  ClipTensorSet *set = g_new0 (ClipTensorSet, 1);
  set->files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) clip_file_close);
  set->tensors = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
      (GDestroyNotify) tensor_free);
  return set;
}

void
clip_tensor_set_free (ClipTensorSet *set)
{
  g_hash_table_unref (set->tensors);
  g_ptr_array_unref (set->files);
  g_free (set);
}

const ClipFileTensor *
clip_tensor_set_find (const ClipTensorSet *set, const gchar *name)
{
  return g_hash_table_lookup (set->tensors, name);
}

gchar *
clip_shape_to_string (const guint64 *shape, guint n_dims)
{
  GString *text = g_string_new ("[");
  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : "",
        shape[i]);
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

static gboolean tensor_error (const ClipFileTensor *tensor, GError **error,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
tensor_error (const ClipFileTensor *tensor, GError **error, const gchar *format,
    ...)
{
  va_list args;
  va_start (args, format);
  g_autofree gchar *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT, "%s: tensor %s: %s",
      tensor->file->path, tensor->name, text);
  return FALSE;
}

/* The integers of an array, none of them negative. */
static gboolean
get_integers (JsonObject *entry, const gchar *key, guint max_n, guint64 *out,
    guint *n)
{
  JsonNode *node = json_object_get_member (entry, key);
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  JsonArray *array = json_node_get_array (node);
  *n = json_array_get_length (array);
  if (*n > max_n)
    return FALSE;
  for (guint i = 0; i < *n; i++) {
    JsonNode *element = json_array_get_element (array, i);
    if (!JSON_NODE_HOLDS_VALUE (element)
        || json_node_get_value_type (element) != G_TYPE_INT64
        || json_node_get_int (element) < 0)
      return FALSE;
    out[i] = (guint64) json_node_get_int (element);
  }
  return TRUE;
}

static gboolean
read_dtype (ClipFileTensor *tensor, JsonObject *entry, guint *bits,
    GError **error)
{
  JsonNode *node = json_object_get_member (entry, "dtype");
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return tensor_error (tensor, error, "dtype is not a string");
  const gchar *name = json_node_get_string (node);
  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++) {
    if (g_strcmp0 (dtypes[i].name, name) == 0) {
      tensor->dtype = dtypes[i].dtype;
      tensor->dtype_name = dtypes[i].name;
      *bits = dtypes[i].bits;
      return TRUE;
    }
  }
  return tensor_error (tensor, error,
      "dtype is %.40s, expected F32, F16, BF16 or another one of the format",
      name);
}

/* Fills in what the header says of a tensor; its offset stays relative to the
 * data, `data_size` bytes of them. */
static gboolean
read_entry (ClipFileTensor *tensor, JsonNode *node, guint64 data_size,
    GError **error)
{
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return tensor_error (tensor, error, "the header's entry is not an object");
  JsonObject *entry = json_node_get_object (node);
  guint bits = 0, n = 0;
  if (!read_dtype (tensor, entry, &bits, error))
    return FALSE;
  if (!get_integers (entry, "shape", CLIP_FILE_MAX_DIMS, tensor->shape,
          &tensor->n_dims))
    return tensor_error (tensor, error,
        "shape is not at most %d sizes, none negative", CLIP_FILE_MAX_DIMS);
  guint64 range[2];
  if (!get_integers (entry, "data_offsets", 2, range, &n) || n != 2
      || range[0] > range[1])
    return tensor_error (tensor, error,
        "data_offsets are not a begin and an end, in this order");
  if (range[1] > data_size)
    return tensor_error (tensor, error,
        "ends at byte %" G_GUINT64_FORMAT
        " of the data, the file has %" G_GUINT64_FORMAT
        "; it is truncated or broken",
        range[1], data_size);

  guint64 size = bits / 8;
  gboolean fits = TRUE;
  for (guint i = 0; i < tensor->n_dims; i++)
    fits = fits && g_uint64_checked_mul (&size, size, tensor->shape[i]);
  if (!fits || size != range[1] - range[0]) {
    g_autofree gchar *shape =
        clip_shape_to_string (tensor->shape, tensor->n_dims);
    return tensor_error (tensor, error,
        "takes %" G_GUINT64_FORMAT " bytes, which are not %s of %s",
        range[1] - range[0], shape, tensor->dtype_name);
  }
  tensor->offset = range[0];
  tensor->size = size;
  return TRUE;
}

static gint
compare_offsets (gconstpointer a, gconstpointer b)
{
  const ClipFileTensor *x = *(const ClipFileTensor *const *) a;
  const ClipFileTensor *y = *(const ClipFileTensor *const *) b;
  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  /* An empty tensor lies before the one that begins where it does. */
  return x->size < y->size ? -1 : x->size > y->size;
}

static gboolean
check_cover (const ClipFile *file, GPtrArray *tensors, guint64 data_size,
    GError **error)
{
  guint64 end = 0;
  g_ptr_array_sort (tensors, compare_offsets);
  for (guint i = 0; i < tensors->len; i++) {
    const ClipFileTensor *tensor = g_ptr_array_index (tensors, i);
    if (tensor->offset != end)
      return tensor_error (tensor, error,
          "begins at byte %" G_GUINT64_FORMAT
          " of the data, expected %" G_GUINT64_FORMAT
          " (tensors overlap, or leave a hole)",
          tensor->offset, end);
    end += tensor->size;
  }
  if (end != data_size) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: has %" G_GUINT64_FORMAT
        " bytes of data, its tensors take %" G_GUINT64_FORMAT,
        file->path, data_size, end);
    return FALSE;
  }
  return TRUE;
}

static JsonObject *
read_header (const ClipFile *file, guint64 *data_start, GError **error)
{
  guint64 length;
  if (file->size < sizeof length) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: %" G_GUINT64_FORMAT " bytes are too short for a safetensors file",
        file->path, file->size);
    return NULL;
  }
  if (!clip_file_read (file, 0, sizeof length, &length, error))
    return NULL;
  length = GUINT64_FROM_LE (length);
  if (length > MAX_HEADER_BYTES || length > file->size - sizeof length) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: the header is said to have %" G_GUINT64_FORMAT
        " bytes in a file of %" G_GUINT64_FORMAT
        "; not a safetensors file, or truncated",
        file->path, length, file->size);
    return NULL;
  }
  g_autofree gchar *text = g_malloc ((gsize) length + 1);
  if (!clip_file_read (file, sizeof length, (gsize) length, text, error))
    return NULL;
  text[length] = '\0';
  *data_start = sizeof length + length;
  return clip_json_parse (file->path, text, (gsize) length, error);
}

/* Adds the file's tensors to the set; those that are there already come from
 * another shard. */
static gboolean
add_file (ClipTensorSet *set, const gchar *path, GError **error)
{
  ClipFile *file = clip_file_open (path, error);
  if (file == NULL)
    return FALSE;
  g_ptr_array_add (set->files, file);

  guint64 data_start;
  g_autoptr (JsonObject) header = read_header (file, &data_start, error);
  if (header == NULL)
    return FALSE;
  guint64 data_size = file->size - data_start;

  g_autoptr (GPtrArray) tensors = g_ptr_array_new ();
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *node;
  json_object_iter_init (&iter, header);
  while (json_object_iter_next (&iter, &name, &node)) {
    if (g_str_equal (name, "__metadata__"))
      continue;
    ClipFileTensor *tensor = g_new0 (ClipFileTensor, 1);
    tensor->file = file;
    tensor->name = g_strdup (name);
    if (!read_entry (tensor, node, data_size, error)) {
      tensor_free (tensor);
      return FALSE;
    }
    if (g_hash_table_contains (set->tensors, name)) {
      tensor_error (tensor, error, "is in another file of the model too");
      tensor_free (tensor);
      return FALSE;
    }
    g_hash_table_insert (set->tensors, tensor->name, tensor);
    g_ptr_array_add (tensors, tensor);
  }
  if (!check_cover (file, tensors, data_size, error))
    return FALSE;
  for (guint i = 0; i < tensors->len; i++)
    ((ClipFileTensor *) g_ptr_array_index (tensors, i))->offset += data_start;
  return TRUE;
}

ClipTensorSet *
clip_tensor_set_open (const gchar *path, GError **error)
{
  g_autoptr (ClipTensorSet) set = tensor_set_new ();
  return add_file (set, path, error) ? g_steal_pointer (&set) : NULL;
}

/* The names of the files of an index, each once; they are plain names, so
 * that an index cannot point out of its folder. */
static GPtrArray *
list_shards (const gchar *path, JsonObject *map, GError **error)
{
  g_autoptr (GPtrArray) shards = g_ptr_array_new ();
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *node;
  json_object_iter_init (&iter, map);
  while (json_object_iter_next (&iter, &name, &node)) {
    const gchar *shard =
        JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
    if (shard == NULL || strchr (shard, '/') != NULL
        || !g_str_has_suffix (shard, ".safetensors")) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "%s: weight_map.%s is not the name of a .safetensors file beside it",
          path, name);
      return NULL;
    }
    if (!g_ptr_array_find_with_equal_func (shards, shard, g_str_equal, NULL))
      g_ptr_array_add (shards, (gpointer) shard);
    if (shards->len > MAX_SHARDS) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "%s: names more than %d files", path, MAX_SHARDS);
      return NULL;
    }
  }
  return g_steal_pointer (&shards);
}

static gboolean
check_map (const ClipTensorSet *set, const gchar *path, JsonObject *map,
    GError **error)
{
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *node;
  json_object_iter_init (&iter, map);
  while (json_object_iter_next (&iter, &name, &node)) {
    const gchar *shard = json_node_get_string (node);
    const ClipFileTensor *tensor = clip_tensor_set_find (set, name);
    g_autofree gchar *found =
        tensor != NULL ? g_path_get_basename (tensor->file->path) : NULL;
    if (g_strcmp0 (found, shard) != 0) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "%s: says that tensor %s is in %s, which is not so", path, name,
          shard);
      return FALSE;
    }
  }
  return TRUE;
}

ClipTensorSet *
clip_tensor_set_open_index (const gchar *path, GError **error)
{
  g_autoptr (JsonObject) root = clip_json_load (path, error);
  if (root == NULL)
    return NULL;
  ClipJson json = { path, root, "" };
  JsonObject *map = NULL;
  if (!clip_json_get_object (&json, "weight_map", &map, error))
    return NULL;
  if (map == NULL) {
    clip_json_refuse (&json, "weight_map", "an object", error);
    return NULL;
  }
  g_autoptr (GPtrArray) shards = list_shards (path, map, error);
  if (shards == NULL)
    return NULL;
  g_autoptr (ClipTensorSet) set = tensor_set_new ();
  g_autofree gchar *folder = g_path_get_dirname (path);
  for (guint i = 0; i < shards->len; i++) {
    g_autofree gchar *shard =
        g_build_filename (folder, g_ptr_array_index (shards, i), NULL);
    if (!add_file (set, shard, error))
      return NULL;
  }
  return check_map (set, path, map, error) ? g_steal_pointer (&set) : NULL;
}
