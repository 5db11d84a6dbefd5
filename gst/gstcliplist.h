/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lists of texts in one string, as people type them on a command line, where
 * gst-launch ends the value of an array at its first space.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "a dog, a cat": texts between commas; "a dog, running; a cat": where there
 * is a semicolon or line break, those separate and commas do not. Double
 * quotes keep what is between them as it is, a backslash the character behind
 * it, or, before three octal digits, the byte of that value. White space around a text is cut off, and texts without quotes of which
 * nothing is left do not count. The serialised form of a GstValueArray of
 * strings, <"a dog", "a cat">, is understood too. NULL gives NULL; free with
 * g_strfreev (). */
gchar **gst_clip_list_parse (const gchar *list);

/* A string that gst_clip_list_parse () makes `texts` of; NULL gives NULL. */
gchar *gst_clip_list_format (const gchar *const *texts);

G_END_DECLS
