/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/clip.h"

#include <glib/gstdio.h>
#include <string.h>

static gchar *path;

static void
write_file (const gchar *contents, gssize length)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, contents, length, &error);
  g_assert_no_error (error);
}

/* `expected`: the labels, each followed by "|". */
static void
check_read (const gchar *contents, const gchar *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) found = g_string_new (NULL);
  g_auto (GStrv) labels = NULL;

  write_file (contents, -1);
  labels = clip_labels_read_file (path, &error);
  g_assert_no_error (error);
  for (guint i = 0; labels[i] != NULL; i++)
    g_string_append_printf (found, "%s|", labels[i]);
  g_assert_cmpstr (found->str, ==, expected);
}

static void
test_read (void)
{
  check_read ("", "");
  check_read ("dog", "dog|");
  check_read ("dog\ncat\n", "dog|cat|");
  check_read ("dog\r\n\r\ncat\r\n", "dog|cat|");
  check_read ("\357\273\277dog\n", "dog|");
  check_read ("\357\273\277# dog\ncat", "cat|");
  check_read ("# a comment\n\n  \t\n dog, running \n#\n", "dog, running|");
  check_read ("a # b\n", "a # b|");
  check_read ("caf\303\251\n", "caf\303\251|");
  check_read ("dog\ndog\n", "dog|dog|");
}

static void
check_refused (const gchar *where, ClipErrorCode code, const gchar *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (clip_labels_read_file (where, &error));
  g_assert_error (error, CLIP_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, where));
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_refused (void)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  const gsize huge = 17 * 1024 * 1024;
  g_autofree gchar *text = g_strnfill (huge, 'a');

  write_file ("dog\ncat\n\xff\n", -1);
  check_refused (path, CLIP_ERROR_FORMAT, "line 3");
  write_file ("dog\ncat\0mouse", 13);
  check_refused (path, CLIP_ERROR_FORMAT, "line 2");
  write_file (text, (gssize) huge);
  check_refused (path, CLIP_ERROR_FORMAT, "");
  check_refused (folder, CLIP_ERROR_FORMAT, "");
  g_unlink (path);
  check_refused (path, CLIP_ERROR_NOT_FOUND, "");
}

int
main (int argc, char **argv)
{
  g_autofree gchar *folder = NULL;
  gint status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("clip-labels-XXXXXX", NULL);
  g_assert_nonnull (folder);
  path = g_build_filename (folder, "labels.txt", NULL);
  g_test_add_func ("/labels-file/read", test_read);
  g_test_add_func ("/labels-file/refused", test_refused);
  status = g_test_run ();
  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  return status;
}
