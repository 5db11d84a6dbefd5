/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Opens @path for writing lines, making it where it is missing; what it holds
 * is kept if @append (and a last line that was left unfinished is ended),
 * else thrown away. Returns a file descriptor, or -1 with errno set. */
gint gst_clip_json_file_open (const gchar *path, gboolean append);

/* Writes all of @data, unbuffered. Returns 0, or the errno of the write that
 * failed; what was written before stays. */
gint gst_clip_json_file_write (gint fd, const gchar *data, gsize size);

G_END_DECLS
