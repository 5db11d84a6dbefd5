/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/model/json.h"

#include "engine/clip.h"
#include "engine/model/file.h"

#include <string.h>

#define MAX_CONFIG_BYTES (16 * 1024 * 1024)
/* Deeper than any configuration, far from the end of a thread's stack. */
#define MAX_DEPTH 64
/* Every integer of so many digits fits 63 bits. */
#define MAX_DIGITS 18
/* Names stand in error messages. */
#define MAX_NAME_BYTES 1000

/* ---------------------------------------------------------------- lexing */

static const gchar *
skip_digits (const gchar *p)
{
  while (g_ascii_isdigit (*p))
    p++;
  return p;
}

/* The end of the number at p, NULL where it is none that JSON knows. */
static const gchar *
skip_number (const gchar *p)
{
  if (*p == '-')
    p++;
  const gchar *digits = p;
  p = skip_digits (p);
  if (p == digits || (*digits == '0' && p != digits + 1))
    return NULL;
  gboolean integer = TRUE;
  if (*p == '.') {
    integer = FALSE;
    const gchar *fraction = p + 1;
    p = skip_digits (fraction);
    if (p == fraction)
      return NULL;
  }
  if (*p == 'e' || *p == 'E') {
    integer = FALSE;
    p++;
    if (*p == '+' || *p == '-')
      p++;
    const gchar *exponent = p;
    p = skip_digits (exponent);
    if (p == exponent)
      return NULL;
  }
  if (integer && p - digits > MAX_DIGITS)
    return NULL;
  return p;
}

/* The value of the four hexadecimal digits of the escape "\\uXXXX" at p, 0
 * where it is no such escape (and for U+0000, which no C string can hold). */
static guint
read_unicode_escape (const gchar *p, const gchar *end)
{
  guint value = 0;
  if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
    return 0;
  for (guint i = 2; i < 6; i++) {
    if (!g_ascii_isxdigit (p[i]))
      return 0;
    value = value * 16 + (guint) g_ascii_xdigit_value (p[i]);
  }
  return value;
}

/* The end of the escape at p, NULL where it is none. Surrogates must come in
 * pairs: json-glib asserts that they do. */
static const gchar *
skip_escape (const gchar *p, const gchar *end)
{
  if (end - p >= 2 && p[1] != '\0' && strchr ("\"\\/bfnrt", p[1]) != NULL)
    return p + 2;
  guint unit = read_unicode_escape (p, end);
  if (unit == 0 || (unit >= 0xdc00 && unit <= 0xdfff))
    return NULL;
  if (unit < 0xd800 || unit > 0xdbff)
    return p + 6;
  unit = read_unicode_escape (p + 6, end);
  return unit >= 0xdc00 && unit <= 0xdfff ? p + 12 : NULL;
}

/* The end of the string whose opening quote is at p, NULL where there is none
 * before `end`. */
static const gchar *
skip_string (const gchar *p, const gchar *end)
{
  p++;
  while (p != NULL && p < end) {
    if (*p == '"')
      return p + 1;
    if ((guchar) *p < 0x20)
      return NULL;
    p = *p == '\\' ? skip_escape (p, end) : p + 1;
  }
  return NULL;
}

static const gchar *
skip_token (const gchar *p, const gchar *end)
{
  static const gchar *const words[] = { "true", "false", "null" };
  if (*p == '"')
    return skip_string (p, end);
  if (*p == '-' || g_ascii_isdigit (*p))
    return skip_number (p);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (p, words[i]))
      return p + strlen (words[i]);
  return *p != '\0' && strchr (":, \t\r\n", *p) != NULL ? p + 1 : NULL;
}

/* Whether the text is one value, made of JSON's tokens and nested no deeper
 * than MAX_DEPTH; the rest of the grammar is the parser's business. Counts the
 * colons. `text` is valid UTF-8 and ends with NUL. */
static gboolean
check_tokens (const gchar *file, const gchar *text, gsize length,
    gsize *n_colons, GError **error)
{
  const gchar *end = text + length, *p = text;
  guint depth = 0;
  gboolean complete = FALSE;
  *n_colons = 0;
  while (p < end) {
    const gchar *next = p + 1;
    *n_colons += *p == ':';
    if (complete && !g_ascii_isspace (*p)) {
      next = NULL;
    } else if (*p == '{' || *p == '[') {
      if (++depth > MAX_DEPTH) {
        g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
            "%s: nested deeper than %d at byte %" G_GSIZE_FORMAT, file,
            MAX_DEPTH, (gsize) (p - text));
        return FALSE;
      }
    } else if (*p == '}' || *p == ']') {
      depth -= depth > 0;
      complete = depth == 0;
    } else {
      next = skip_token (p, end);
    }
    if (next == NULL) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "%s: not JSON at byte %" G_GSIZE_FORMAT, file, (gsize) (p - text));
      return FALSE;
    }
    p = next;
  }
  return TRUE;
}

/* --------------------------------------------------------------- parsing */

/* How many members all objects under the node have. */
static gsize
count_members (JsonNode *node, gboolean *too_long)
{
  gsize n = 0;
  if (JSON_NODE_HOLDS_ARRAY (node)) {
    JsonArray *array = json_node_get_array (node);
    for (guint i = 0; i < json_array_get_length (array); i++)
      n += count_members (json_array_get_element (array, i), too_long);
  } else if (JSON_NODE_HOLDS_OBJECT (node)) {
    JsonObjectIter iter;
    const gchar *name;
    JsonNode *value;
    json_object_iter_init (&iter, json_node_get_object (node));
    while (json_object_iter_next (&iter, &name, &value)) {
      *too_long |= strlen (name) > MAX_NAME_BYTES;
      n += 1 + count_members (value, too_long);
    }
  }
  return n;
}

static void
on_member (JsonParser *parser, JsonObject *object, const gchar *name,
    GHashTable *seen)
{
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (seen, object)) + 1;
  g_hash_table_insert (seen, object, GUINT_TO_POINTER (n));
  if (n != json_object_get_size (object))
    g_object_set_data_full (G_OBJECT (parser), "repeated", g_strdup (name),
        g_free);
}

static void
on_object_end (JsonParser *parser, JsonObject *object, GHashTable *seen)
{
  g_hash_table_remove (seen, object);
}

/* The parser keeps the last of several members of one name. Listening to it
 * is slow, so the name is looked for only once it is known that there is one. */
static void
set_repeated_error (const gchar *file, const gchar *text, gsize length,
    GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_signal_connect (parser, "object-member", G_CALLBACK (on_member), seen);
  g_signal_connect (parser, "object-end", G_CALLBACK (on_object_end), seen);
  json_parser_load_from_data (parser, text, (gssize) length, NULL);
  const gchar *name = g_object_get_data (G_OBJECT (parser), "repeated");
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "%s: the name %s occurs twice in one object", file, name);
}

JsonObject *
clip_json_parse (const gchar *file, const gchar *text, gsize length,
    GError **error)
{
  const gchar *valid;
  if (!g_utf8_validate_len (text, length, &valid)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: not UTF-8 at byte %" G_GSIZE_FORMAT, file, (gsize) (valid - text));
    return NULL;
  }
  gsize n_colons;
  if (!check_tokens (file, text, length, &n_colons, error))
    return NULL;

  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) json_error = NULL;
  if (!json_parser_load_from_data (parser, text, (gssize) length,
          &json_error)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT, "%s: %s", file,
        json_error->message);
    return NULL;
  }
  JsonNode *root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: expected a JSON object", file);
    return NULL;
  }
  gboolean too_long = FALSE;
  gsize n_members = count_members (root, &too_long);
  if (too_long)
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: has a name of more than %d bytes", file, MAX_NAME_BYTES);
  else if (n_members != n_colons)
    set_repeated_error (file, text, length, error);
  else
    return json_object_ref (json_node_get_object (root));
  return NULL;
}

JsonObject *
clip_json_load (const gchar *file, GError **error)
{
  gsize length;
  g_autofree gchar *text =
      clip_file_read_all (file, MAX_CONFIG_BYTES, &length, error);
  if (text == NULL)
    return NULL;
  return clip_json_parse (file, text, length, error);
}

/* ---------------------------------------------------------------- values */

JsonNode *
clip_json_find (const ClipJson *json, const gchar *key)
{
  if (json->object == NULL)
    return NULL;
  JsonNode *node = json_object_get_member (json->object, key);
  return node == NULL || JSON_NODE_HOLDS_NULL (node) ? NULL : node;
}

static void
refuse (const ClipJson *json, const gchar *key, const gchar *expected,
    ClipErrorCode code, GError **error)
{
  JsonNode *node = clip_json_find (json, key);
  g_autofree gchar *found =
      node != NULL ? json_to_string (node, FALSE) : g_strdup ("missing");
  /* A hostile value must not become a hostile message. */
  if (strlen (found) > 200) {
    gchar *cut = g_utf8_find_prev_char (found, found + 200);
    strcpy (cut, "...");
  }
  g_set_error (error, CLIP_ERROR, code, "%s: %s%s is %s, expected %s",
      json->file, json->prefix, key, found, expected);
}

gboolean
clip_json_refuse (const ClipJson *json, const gchar *key, const gchar *expected,
    GError **error)
{
  refuse (json, key, expected, CLIP_ERROR_FORMAT, error);
  return FALSE;
}

gboolean
clip_json_unsupported (const ClipJson *json, const gchar *key,
    const gchar *expected, GError **error)
{
  refuse (json, key, expected, CLIP_ERROR_UNSUPPORTED, error);
  return FALSE;
}

static gboolean
node_get_uint (JsonNode *node, guint min, guint max, guint *out)
{
  if (!JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_INT64)
    return FALSE;
  gint64 value = json_node_get_int (node);
  if (value < (gint64) min || value > (gint64) max)
    return FALSE;
  *out = (guint) value;
  return TRUE;
}

static gboolean
node_get_double (JsonNode *node, gdouble min, gdouble max, gdouble *out)
{
  GType type =
      JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : 0;
  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
    return FALSE;
  gdouble value = json_node_get_double (node);
  /* Written so that what is not a number fails too. */
  if (!(value >= min && value <= max))
    return FALSE;
  *out = value;
  return TRUE;
}

gboolean
clip_json_get_uint (const ClipJson *json, const gchar *key, guint min,
    guint max, guint *out, GError **error)
{
  JsonNode *node = clip_json_find (json, key);
  if (node == NULL || node_get_uint (node, min, max, out))
    return TRUE;
  g_autofree gchar *expected =
      g_strdup_printf ("an integer from %u to %u", min, max);
  return clip_json_refuse (json, key, expected, error);
}

gboolean
clip_json_get_double (const ClipJson *json, const gchar *key, gdouble min,
    gdouble max, gdouble *out, GError **error)
{
  JsonNode *node = clip_json_find (json, key);
  if (node == NULL || node_get_double (node, min, max, out))
    return TRUE;
  g_autofree gchar *expected =
      g_strdup_printf ("a number from %g to %g", min, max);
  return clip_json_refuse (json, key, expected, error);
}

gboolean
clip_json_get_boolean (const ClipJson *json, const gchar *key, gboolean *out,
    GError **error)
{
  JsonNode *node = clip_json_find (json, key);
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return clip_json_refuse (json, key, "true or false", error);
  *out = json_node_get_boolean (node);
  return TRUE;
}

gboolean
clip_json_get_string (const ClipJson *json, const gchar *key, const gchar **out,
    GError **error)
{
  JsonNode *node = clip_json_find (json, key);
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return clip_json_refuse (json, key, "a string", error);
  *out = json_node_get_string (node);
  return TRUE;
}

gboolean
clip_json_get_object (const ClipJson *json, const gchar *key, JsonObject **out,
    GError **error)
{
  JsonNode *node = clip_json_find (json, key);
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return clip_json_refuse (json, key, "an object", error);
  *out = json_node_get_object (node);
  return TRUE;
}

static gboolean
node_get_triple (JsonNode *node, gdouble min, gdouble max, gdouble out[3])
{
  if (!JSON_NODE_HOLDS_ARRAY (node)) {
    if (!node_get_double (node, min, max, &out[0]))
      return FALSE;
    out[1] = out[2] = out[0];
    return TRUE;
  }
  JsonArray *array = json_node_get_array (node);
  if (json_array_get_length (array) != 3)
    return FALSE;
  for (guint i = 0; i < 3; i++)
    if (!node_get_double (json_array_get_element (array, i), min, max, &out[i]))
      return FALSE;
  return TRUE;
}

gboolean
clip_json_get_triple (const ClipJson *json, const gchar *key, gdouble min,
    gdouble max, gfloat out[3], GError **error)
{
  JsonNode *node = clip_json_find (json, key);
  if (node == NULL)
    return TRUE;
  gdouble values[3];
  if (!node_get_triple (node, min, max, values)) {
    g_autofree gchar *expected =
        g_strdup_printf ("three numbers from %g to %g", min, max);
    return clip_json_refuse (json, key, expected, error);
  }
  for (guint i = 0; i < 3; i++)
    out[i] = (gfloat) values[i];
  return TRUE;
}

gboolean
clip_json_get_side (const ClipJson *json, const gchar *key, guint min,
    guint max, guint *out, GError **error)
{
  JsonNode *node = clip_json_find (json, key);
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return clip_json_get_uint (json, key, min, max, out, error);
  JsonArray *array = json_node_get_array (node);
  guint side[2];
  if (json_array_get_length (array) != 2
      || !node_get_uint (json_array_get_element (array, 0), min, max, &side[0])
      || !node_get_uint (json_array_get_element (array, 1), min, max, &side[1]))
    return clip_json_refuse (json, key, "one or two integers in bounds", error);
  if (side[0] != side[1])
    return clip_json_unsupported (json, key, "a square", error);
  *out = side[0];
  return TRUE;
}
