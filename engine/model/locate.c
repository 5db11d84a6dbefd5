/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/model/locate.h"

#include <string.h>

#define HF_CONFIG "config.json"
#define OPENCLIP_CONFIG "open_clip_config.json"

/* What a folder may hold, in the order in which it is looked for. */
static const struct {
  ClipFileLayout layout;
  const gchar *config, *weights;
  gboolean is_index;
} kinds[] = {
  { CLIP_FILES_HF, HF_CONFIG, "model.safetensors", FALSE },
  { CLIP_FILES_HF, HF_CONFIG, "model.safetensors.index.json", TRUE },
  { CLIP_FILES_OPENCLIP, OPENCLIP_CONFIG, "open_clip_model.safetensors",
      FALSE },
};

void
clip_model_files_clear (ClipModelFiles *files)
{
  g_clear_pointer (&files->name, g_free);
  g_clear_pointer (&files->folder, g_free);
  g_clear_pointer (&files->config, g_free);
  g_clear_pointer (&files->weights, g_free);
}

static gboolean
exists (const gchar *folder, const gchar *name)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* There are no files that can be read: says what there is instead. */
static gboolean
explain_missing (const gchar *folder, GError **error)
{
  static const gchar *const others[] = { "pytorch_model.bin",
    "open_clip_pytorch_model.bin", "pytorch_model.bin.index.json",
    "flax_model.msgpack", "tf_model.h5" };
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    if (exists (folder, others[i])) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED,
          "%s: the weights are in %s, expected safetensors (of many models "
          "another revision or repository has them)",
          folder, others[i]);
      return FALSE;
    }
  }
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
      "%s: no model: looked for " HF_CONFIG " with model.safetensors or "
      "model.safetensors.index.json, and for " OPENCLIP_CONFIG " with "
      "open_clip_model.safetensors",
      folder);
  return FALSE;
}

static gboolean
find_in_folder (ClipModelFiles *files, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (exists (files->folder, kinds[i].config)
        && exists (files->folder, kinds[i].weights)) {
      files->layout = kinds[i].layout;
      files->is_index = kinds[i].is_index;
      files->config = g_build_filename (files->folder, kinds[i].config, NULL);
      files->weights = g_build_filename (files->folder, kinds[i].weights, NULL);
      return TRUE;
    }
  }
  return explain_missing (files->folder, error);
}

/* A weight file of any name, described by the configuration beside it; where
 * there are both, its name decides. */
static gboolean
find_beside (const gchar *weights, ClipModelFiles *files, GError **error)
{
  g_autofree gchar *name = g_path_get_basename (weights);
  gboolean hf = exists (files->folder, HF_CONFIG);
  gboolean openclip = exists (files->folder, OPENCLIP_CONFIG);
  if (!hf && !openclip) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
        "%s: no " HF_CONFIG " and no " OPENCLIP_CONFIG " beside it in %s",
        weights, files->folder);
    return FALSE;
  }
  if (hf && openclip)
    hf = !g_str_has_prefix (name, "open_clip");
  files->layout = hf ? CLIP_FILES_HF : CLIP_FILES_OPENCLIP;
  files->config =
      g_build_filename (files->folder, hf ? HF_CONFIG : OPENCLIP_CONFIG, NULL);
  files->weights = g_strdup (weights);
  return TRUE;
}

gboolean
clip_model_files_find (const gchar *where, ClipModelFiles *files,
    GError **error)
{
  *files = (ClipModelFiles){ NULL };
  if (where == NULL || *where == '\0') {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
        "no model was named: expected a folder, a file or a Hugging Face id");
    return FALSE;
  }
  gboolean ok;
  if (g_file_test (where, G_FILE_TEST_IS_DIR)) {
    files->folder = g_canonicalize_filename (where, NULL);
    files->name = g_path_get_basename (files->folder);
    ok = find_in_folder (files, error);
  } else if (g_file_test (where, G_FILE_TEST_EXISTS)) {
    g_autofree gchar *path = g_canonicalize_filename (where, NULL);
    files->folder = g_path_get_dirname (path);
    files->name = g_path_get_basename (files->folder);
    ok = find_beside (path, files, error);
  } else if (clip_hub_is_id (where)) {
    files->folder = clip_hub_find (where, error);
    files->name = g_strdup (where);
    ok = files->folder != NULL && find_in_folder (files, error);
  } else {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
        "%s: no such file or folder, nor a Hugging Face id "
        "(\"organisation/name\")",
        where);
    ok = FALSE;
  }
  if (!ok)
    clip_model_files_clear (files);
  return ok;
}

/* Which of them the index names is known only once it is read. */
static void
append_shards (GString *key, const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    if (g_str_has_suffix (name, ".safetensors"))
      clip_file_append_identity (key, path);
  }
}

gchar *
clip_model_files_identity (const ClipModelFiles *files)
{
  static const gchar *const others[] = { "preprocessor_config.json",
    "processor_config.json", "tokenizer.json", "tokenizer_config.json",
    "vocab.json", "merges.txt", "labels.txt" };
  GString *key = g_string_new (NULL);
  clip_file_append_identity (key, files->weights);
  clip_file_append_identity (key, files->config);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree gchar *path = g_build_filename (files->folder, others[i], NULL);
    clip_file_append_identity (key, path);
  }
  if (files->is_index)
    append_shards (key, files->folder);
  return g_string_free (key, FALSE);
}
