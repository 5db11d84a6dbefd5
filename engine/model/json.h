/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Configuration files as strict JSON, and their values with bounds. json-glib
 * builds the tree; what it lets pass is refused before and while it does:
 * comments, hexadecimal numbers, integers that do not fit, nesting deep enough
 * to exhaust the stack, names that occur twice in one object.
 */
#pragma once

#include <json-glib/json-glib.h>

/* The object at the top of `text` [length]; `file` names it in errors, all of
 * which are FORMAT. Free with json_object_unref (). */
JsonObject *clip_json_parse (const gchar *file, const gchar *text, gsize length,
    GError **error);
/* Reads and parses; NOT_FOUND where there is no file. */
JsonObject *clip_json_load (const gchar *file, GError **error);

/* A place in a file: an object and how people would name it. */
typedef struct {
  const gchar *file;
  JsonObject *object;  /* NULL: every key is missing */
  const gchar *prefix; /* "" or "text_config." */
} ClipJson;

/* NULL where the key is missing or null. */
JsonNode *clip_json_find (const ClipJson *json, const gchar *key);
/* FORMAT: "FILE: PREFIXkey is FOUND, expected EXPECTED". Returns FALSE. */
gboolean clip_json_refuse (const ClipJson *json, const gchar *key,
    const gchar *expected, GError **error);
/* The same as UNSUPPORTED. */
gboolean clip_json_unsupported (const ClipJson *json, const gchar *key,
    const gchar *expected, GError **error);

/* A missing or null key leaves *out as the caller has set it: the default. A
 * value of another type or outside [min, max] is a FORMAT error. */
gboolean clip_json_get_uint (const ClipJson *json, const gchar *key, guint min,
    guint max, guint *out, GError **error);
gboolean clip_json_get_double (const ClipJson *json, const gchar *key,
    gdouble min, gdouble max, gdouble *out, GError **error);
gboolean clip_json_get_boolean (const ClipJson *json, const gchar *key,
    gboolean *out, GError **error);
/* Borrowed from the tree. */
gboolean clip_json_get_string (const ClipJson *json, const gchar *key,
    const gchar **out, GError **error);
gboolean clip_json_get_object (const ClipJson *json, const gchar *key,
    JsonObject **out, GError **error);
/* Three numbers, or one that stands for three. */
gboolean clip_json_get_triple (const ClipJson *json, const gchar *key,
    gdouble min, gdouble max, gfloat out[3], GError **error);
/* An integer, or two equal ones in an array: the side of a square. */
gboolean clip_json_get_side (const ClipJson *json, const gchar *key, guint min,
    guint max, guint *out, GError **error);
