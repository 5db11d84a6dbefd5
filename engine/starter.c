/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where the starter model lies: named by the environment, or beside what is
 * running, or where it was configured to be installed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "engine/clip.h"

#define STARTER_BELOW_DATADIR "gst-clip" G_DIR_SEPARATOR_S "starter"

/* From the file up to the prefix: lib/x86_64-linux-gnu/gstreamer-1.0 is the
 * deepest place of a plugin. */
#define FOLDERS_ABOVE 4

static gboolean
is_model (const gchar *folder)
{
  static const gchar *const configs[] = { "open_clip_config.json",
    "config.json" };

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++) {
    g_autofree gchar *file = g_build_filename (folder, configs[i], NULL);

    if (g_file_test (file, G_FILE_TEST_IS_REGULAR))
      return TRUE;
  }
  return FALSE;
}

static gchar *
find_in_environment (const gchar *folder, GError **error)
{
  g_autofree gchar *below = g_build_filename (folder, "starter", NULL);

  if (is_model (below))
    return g_steal_pointer (&below);
  if (is_model (folder))
    return g_strdup (folder);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
      "GST_CLIP_MODEL_PATH is \"%s\", where neither a model nor a folder "
      "\"starter\" with one was found",
      folder);
  return NULL;
}

/* The plugin or program that this code is a part of. */
static gchar *
find_own_file (void)
{
  Dl_info info;

  if (dladdr ((gpointer) (guintptr) clip_model_find_starter, &info) == 0
      || info.dli_fname == NULL)
    return NULL;
  /* A program is known to the linker by the name it was called by. */
  if (!g_path_is_absolute (info.dli_fname)
      && !g_file_test (info.dli_fname, G_FILE_TEST_EXISTS))
    return g_file_read_link ("/proc/self/exe", NULL);
  return g_canonicalize_filename (info.dli_fname, NULL);
}

static gchar *
find_beside_own_file (void)
{
  g_autofree gchar *folder = find_own_file ();

  for (guint i = 0; folder != NULL && i < FOLDERS_ABOVE; i++) {
    g_autofree gchar *above = g_path_get_dirname (folder);
    g_autofree gchar *starter =
        g_build_filename (above, "share", STARTER_BELOW_DATADIR, NULL);

    if (is_model (starter))
      return g_steal_pointer (&starter);
    g_free (folder);
    folder = g_steal_pointer (&above);
  }
  return NULL;
}

gchar *
clip_model_find_starter (GError **error)
{
  const gchar *configured =
      CLIP_DATADIR G_DIR_SEPARATOR_S STARTER_BELOW_DATADIR;
  const gchar *path = g_getenv ("GST_CLIP_MODEL_PATH");
  gchar *starter;

  if (path != NULL && *path != '\0')
    return find_in_environment (path, error);
  starter = find_beside_own_file ();
  if (starter != NULL)
    return starter;
  if (is_model (configured))
    return g_strdup (configured);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
      "the starter model is not at \"%s\"; install it, name its folder in "
      "GST_CLIP_MODEL_PATH, or name another model",
      configured);
  return NULL;
}
