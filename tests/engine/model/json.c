/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is JSON and what is not, and that nothing hostile gets to the parser.
 */
#include "engine/model/json.h"

#include "engine/clip.h"

#include <string.h>

static const struct {
  const gchar *text, *complaint; /* NULL: it is fine */
} cases[] = {
  { "{}", NULL },
  { " {\"a\": [1, -2.5e3, true, false, null, \"\\u00e9\\n\"]}\n", NULL },
  { "{\"a\": {\"b\": 1}, \"b\": {\"a\": 1, \"b\": 2}}", NULL },
  { "{\"pair\": \"\\ud83d\\ude00\"}", NULL },
  { "{\"n\": 999999999999999999}", NULL },
  { "{\"n\": 0.00392156862745098039215686274509803921568}", NULL },
  { "", "expected a JSON object" },
  { "[]", "expected a JSON object" },
  { "1", "expected a JSON object" },
  { "null", "expected a JSON object" },
  { "{", "" },
  { "{\"a\"}", "" },
  { "{\"a\": 1,}", "" },
  { "{\"a\":: 1}", "" },
  { "{\"a\": 1: 2}", "" },
  { "{\"a\": [1: 2]}", "" },
  { "{\"a\": 1 \"b\": 2}", "" },
  { "{\"a\": :}", "" },
  { "{:}", "" },
  { "{\"a\": [1, 2}", "" },
  { "{\"a\": 1} {\"b\": 2}", "" },
  { "{\"a\": 1, \"a\": 2}", "name a occurs twice" },
  { "{\"x\": {\"a\": 1, \"b\": {}, \"a\": {}}}", "name a occurs twice" },
  { "{/* a */}", "not JSON at byte 1" },
  { "{// a\n}", "not JSON at byte 1" },
  { "{'a': 1}", "not JSON" },
  { "{\"a\": 0x10}", "not JSON" },
  { "{\"a\": 010}", "not JSON" },
  { "{\"a\": 1.}", "not JSON" },
  { "{\"a\": .5}", "not JSON" },
  { "{\"a\": 1e}", "not JSON" },
  { "{\"a\": +1}", "not JSON" },
  { "{\"a\": -}", "not JSON" },
  { "{\"a\": NaN}", "not JSON" },
  { "{\"a\": Infinity}", "not JSON" },
  { "{\"a\": 9223372036854775808}", "not JSON" },
  { "{\"a\": -18446744073709551615}", "not JSON" },
  { "{\"a\": \"\\ud800\"}", "not JSON" },
  { "{\"a\": \"\\ud800\\u0041\"}", "not JSON" },
  { "{\"a\": \"\\udc00\"}", "not JSON" },
  { "{\"a\": \"\\u0000\"}", "not JSON" },
  { "{\"a\": \"\\u12\"}", "not JSON" },
  { "{\"a\": \"\\x41\"}", "not JSON" },
  { "{\"a\": \"line\nbreak\"}", "not JSON" },
  { "{\"a\": \"open", "not JSON" },
  { "{\"a\": \"\\", "not JSON" },
  { "{\"a\": \"\xff\"}", "not UTF-8 at byte 7" },
  { "{\"a\": \"\xed\xa0\x80\"}", "not UTF-8" },
};

static void
test_parse (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonObject) object =
        clip_json_parse ("FILE", cases[i].text, strlen (cases[i].text), &error);
    if (cases[i].complaint == NULL) {
      g_assert_no_error (error);
      g_assert_nonnull (object);
      continue;
    }
    g_test_message ("case %u", i);
    g_assert_null (object);
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
    g_assert_true (g_str_has_prefix (error->message, "FILE: "));
    g_assert_nonnull (strstr (error->message, cases[i].complaint));
  }
}

static void
test_embedded_nul (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (clip_json_parse ("FILE", "{}\0{}", 5, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
}

static JsonObject *
parse_nested (guint depth, GError **error)
{
  g_autoptr (GString) text = g_string_new ("{\"a\":");
  for (guint i = 1; i < depth; i++)
    g_string_append_c (text, '[');
  for (guint i = 1; i < depth; i++)
    g_string_append_c (text, ']');
  g_string_append_c (text, '}');
  return clip_json_parse ("FILE", text->str, text->len, error);
}

static void
test_depth (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = parse_nested (64, &error);
  g_assert_no_error (error);
  g_assert_nonnull (object);
  for (guint depth = 65; depth < 10000000; depth *= 8) {
    g_clear_error (&error);
    g_assert_null (parse_nested (depth, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
    g_assert_nonnull (strstr (error->message, "nested deeper than 64"));
  }
}

static void
test_long_name (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *name = g_strnfill (1001, 'n');
  g_autofree gchar *text = g_strdup_printf ("{\"%s\": 1}", name);
  g_assert_null (clip_json_parse ("FILE", text, strlen (text), &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  g_assert_cmpuint (strlen (error->message), <, 200);
}

/* A value that is refused is quoted, shortened, and in valid UTF-8. */
static void
test_values (void)
{
  g_autoptr (GString) text = g_string_new ("{\"text\": \"");
  for (guint i = 0; i < 1000; i++)
    g_string_append (text, "\xc3\xa9");
  g_string_append (text,
      "\", \"big\": 4294967296, \"real\": 1.5, "
      "\"huge\": 1e999, \"two\": [3, 3], "
      "\"unequal\": [3, 4], \"none\": null}");
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object =
      clip_json_parse ("FILE", text->str, text->len, &error);
  g_assert_no_error (error);
  ClipJson json = { "FILE", object, "section." };
  guint value = 7;
  gdouble real = 0;
  gfloat triple[3];

  g_assert_false (clip_json_get_uint (&json, "text", 0, 9, &value, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_cmpuint (strlen (error->message), <, 300);
  g_assert_true (g_str_has_prefix (error->message,
      "FILE: section.text is \"\xc3\xa9"));
  g_clear_error (&error);

  g_assert_false (clip_json_get_uint (&json, "big", 0, 9, &value, &error));
  g_assert_cmpstr (error->message, ==,
      "FILE: section.big is 4294967296, expected an integer from 0 to 9");
  g_clear_error (&error);
  g_assert_false (clip_json_get_uint (&json, "real", 0, 9, &value, NULL));
  g_assert_false (clip_json_get_double (&json, "huge", 0, 1e6, &real, NULL));
  g_assert_false (clip_json_get_triple (&json, "two", 0, 9, triple, NULL));
  g_assert_false (clip_json_get_boolean (&json, "real", &(gboolean){ 0 },
      NULL));
  g_assert_true (clip_json_get_side (&json, "two", 0, 9, &value, NULL));
  g_assert_cmpuint (value, ==, 3);
  g_assert_false (clip_json_get_side (&json, "unequal", 0, 9, &value, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED);
  value = 7;
  g_assert_true (clip_json_get_uint (&json, "none", 0, 9, &value, NULL));
  g_assert_true (clip_json_get_uint (&json, "missing", 0, 9, &value, NULL));
  g_assert_cmpuint (value, ==, 7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/parse", test_parse);
  g_test_add_func ("/json/embedded-nul", test_embedded_nul);
  g_test_add_func ("/json/depth", test_depth);
  g_test_add_func ("/json/long-name", test_long_name);
  g_test_add_func ("/json/values", test_values);
  return g_test_run ();
}
