/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The cache that Hugging Face's tools keep: models--ORG--NAME/refs/main holds
 * a revision, snapshots/REVISION the files.
 */
#include "engine/model/file.h"
#include "engine/model/locate.h"

#include <string.h>

#define MAX_REF_BYTES 256

/* A component of an id or a revision: no way out of a folder. */
static gboolean
is_plain_name (const gchar *name)
{
  if (*name == '\0' || *name == '.' || strlen (name) > MAX_REF_BYTES)
    return FALSE;
  for (; *name != '\0'; name++)
    if (!g_ascii_isalnum (*name) && strchr ("-_.", *name) == NULL)
      return FALSE;
  return TRUE;
}

gboolean
clip_hub_is_id (const gchar *where)
{
  g_auto (GStrv) parts = g_strsplit (where, "/", 3);
  return g_strv_length (parts) == 2 && is_plain_name (parts[0])
      && is_plain_name (parts[1]);
}

static gchar *
cache_folder (void)
{
  static const gchar *const variables[] = { "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE" };
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++) {
    const gchar *folder = g_getenv (variables[i]);
    if (folder != NULL && *folder != '\0')
      return g_strdup (folder);
  }
  const gchar *home = g_getenv ("HF_HOME");
  if (home != NULL && *home != '\0')
    return g_build_filename (home, "hub", NULL);
  return g_build_filename (g_get_user_cache_dir (), "huggingface", "hub", NULL);
}

gchar *
clip_hub_find (const gchar *id, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (id, "/", 2);
  g_autofree gchar *cache = cache_folder ();
  g_autofree gchar *entry =
      g_strconcat ("models--", parts[0], "--", parts[1], NULL);
  g_autofree gchar *folder = g_build_filename (cache, entry, NULL);
  g_autofree gchar *ref = g_build_filename (folder, "refs", "main", NULL);
  if (!g_file_test (ref, G_FILE_TEST_EXISTS)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
        "%s is neither a file or folder nor in the Hugging Face cache %s; "
        "\"huggingface-cli download %s\" puts it there",
        id, cache, id);
    return NULL;
  }
  gsize length;
  g_autofree gchar *revision =
      clip_file_read_all (ref, MAX_REF_BYTES, &length, error);
  if (revision == NULL)
    return NULL;
  g_strstrip (revision);
  if (!is_plain_name (revision)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: does not hold the name of a revision", ref);
    return NULL;
  }
  g_autofree gchar *snapshot =
      g_build_filename (folder, "snapshots", revision, NULL);
  if (!g_file_test (snapshot, G_FILE_TEST_IS_DIR)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
        "%s: no such folder, though %s names it; "
        "\"huggingface-cli download %s\" repairs it",
        snapshot, ref, id);
    return NULL;
  }
  return g_steal_pointer (&snapshot);
}
