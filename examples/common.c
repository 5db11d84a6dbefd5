/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples/common.h"

#include <json-glib/json-glib.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>

gboolean
program_parse (int *argc, char ***argv, const GOptionEntry *entries,
    const gchar *parameters, const gchar *description)
{
  g_autoptr (GOptionContext) context = g_option_context_new (parameters);
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, description);
  if (!g_option_context_parse (context, argc, argv, &error)) {
    program_usage ("%s", error->message);
    return FALSE;
  }
  if (*argc > 1 && g_str_equal ((*argv)[1], "--")) {
    for (int i = 1; i < *argc; i++)
      (*argv)[i] = (*argv)[i + 1];
    --*argc;
  }
  return TRUE;
}

int
program_fail (const GError *error)
{
  g_printerr ("%s: %s\n", g_get_prgname (), error->message);
  return PROGRAM_FAILED;
}

int
program_usage (const gchar *format, ...)
{
  g_autofree gchar *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("%s: %s\nTry \"%s --help\".\n", g_get_prgname (), message,
      g_get_prgname ());
  return PROGRAM_USAGE;
}

gboolean
program_check_utf8 (const gchar *const *texts, GError **error)
{
  for (; texts && *texts; texts++)
    if (!g_utf8_validate (*texts, -1, NULL)) {
      g_autofree gchar *quoted = g_strescape (*texts, NULL);

      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
          "\"%s\" is not UTF-8", quoted);
      return FALSE;
    }
  return TRUE;
}

ClipModel *
program_load_model (const gchar *where, GError **error)
{
  g_autofree gchar *starter = NULL;

  if (!where) {
    starter = clip_model_find_starter (error);
    if (!starter)
      return NULL;
    where = starter;
  }
  return clip_model_load (where, error);
}

gboolean
program_parse_precision (const gchar *text, ClipPrecision *precision)
{
  static const gchar *const names[] = {
    [CLIP_PRECISION_AUTO] = "auto",
    [CLIP_PRECISION_F32] = "f32",
    [CLIP_PRECISION_F16] = "f16",
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (text ? text : "auto", names[i])) {
      *precision = (ClipPrecision) i;
      return TRUE;
    }
  return FALSE;
}

gchar *
program_json_string (const gchar *text)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_VALUE);

  json_node_set_string (node, text);
  return json_to_string (node, FALSE);
}

gboolean
program_finish_output (GError **error)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
      "writing to the standard output failed: %s", g_strerror (errno));
  return FALSE;
}
