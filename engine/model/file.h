/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Regular files, read by position: no map (a file that shrinks would be
 * SIGBUS), no stream state (any thread reads), and nothing that blocks or has
 * no end (pipes, devices) is ever opened as one.
 */
#pragma once

#include <glib.h>

typedef struct {
  gchar *path;
  gint fd;
  guint64 size; /* bytes, when it was opened */
} ClipFile;

/* NOT_FOUND where there is no such file, FORMAT where it is not a regular
 * one. */
ClipFile *clip_file_open (const gchar *path, GError **error);
void clip_file_close (ClipFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipFile, clip_file_close)

/* Exactly `n` bytes from `offset`; fewer is a FORMAT error (truncated since it
 * was opened). Any thread. */
gboolean clip_file_read (const ClipFile *file, guint64 offset, gsize n,
    gpointer out, GError **error);

/* The whole of a small file, with a NUL after its last byte; a file of more
 * than `limit` bytes is a FORMAT error. */
gchar *clip_file_read_all (const gchar *path, gsize limit, gsize *length,
    GError **error);

/* Appends device, inode, size and time of change, so that two different states
 * of a file give two different strings; "-" where there is no file. */
void clip_file_append_identity (GString *key, const gchar *path);
