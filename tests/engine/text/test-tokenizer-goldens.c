/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same ids as transformers, OpenCLIP and Hugging Face's tokenizers.
 */
#include "golden.h"

static ClipTokenizer *
load (const gchar *folder)
{
  g_autofree gchar *path = golden_path (folder);
  g_autoptr (GError) error = NULL;
  ClipTokenizer *tokenizer = clip_tokenizer_load (path, &error);

  g_assert_no_error (error);
  return tokenizer;
}

typedef struct {
  const gchar *name, *folder, *tokenizer;
  guint context;
} Golden;

static const Golden goldens[] = {
  { "starter", "tests/goldens/starter", "engine/starter", 32 },
  { "hf-quickgelu-f32", "tests/goldens/hf-quickgelu-f32", NULL, 77 },
  { "hf-gelu-f16-legacy-eos", "tests/goldens/hf-gelu-f16-legacy-eos", NULL,
      77 },
  { "hf-bf16-sharded", "tests/goldens/hf-bf16-sharded", NULL, 32 },
  { "openclip-f32", "tests/goldens/openclip-f32", NULL, 77 },
  { "openclip-f16-quickgelu-squash",
      "tests/goldens/openclip-f16-quickgelu-squash", NULL, 77 },
};

static void
test_golden (gconstpointer data)
{
  const Golden *golden = data;
  g_autoptr (ClipTokenizer) tokenizer =
      load (golden->tokenizer != NULL ? golden->tokenizer : golden->folder);
  g_autofree gchar *folder = golden_path (golden->folder);
  g_autofree gchar *texts_path = g_build_filename (folder, "texts.json", NULL);
  g_autofree gchar *expected_path =
      g_build_filename (folder, "expected.safetensors", NULL);
  g_autoptr (JsonNode) root = golden_read_json (texts_path);
  JsonArray *texts = json_node_get_array (root);

  g_assert_cmpuint (json_array_get_length (texts), >=, 7);
  for (guint i = 0; i < json_array_get_length (texts); i++) {
    g_autofree gchar *name = g_strdup_printf ("tokens.%u", i);
    guint n, n_found;
    g_autofree gint32 *ids = golden_read_tensor (expected_path, name, &n);
    g_autofree gint32 *found = g_new (gint32, golden->context);

    n_found = clip_tokenizer_encode (tokenizer,
        json_array_get_string_element (texts, i), golden->context, found, NULL,
        NULL);
    g_assert_cmpmem (found, n_found * 4, ids, n * 4);
  }
}

static void
test_awkward (void)
{
  g_autoptr (ClipTokenizer) tokenizer = load ("engine/starter");
  g_autofree gchar *path =
      golden_path ("tests/goldens/starter/awkward-tokens.json");
  static const guint contexts[] = { 2, 3, 4, 5, 7, 12, 31, 32, 33, 77 };

  /* Whole, and cut in many places. */
  g_assert_cmpuint (golden_check_file (tokenizer, path, 1024), >, 300);
  for (guint i = 0; i < G_N_ELEMENTS (contexts); i++)
    golden_check_file (tokenizer, path, contexts[i]);
}

static void
test_special_ids (void)
{
  g_autoptr (ClipTokenizer) tokenizer = load ("engine/starter");

  g_assert_cmpint (clip_tokenizer_get_start (tokenizer), ==, 8115);
  g_assert_cmpint (clip_tokenizer_get_end (tokenizer), ==, 8116);
  g_assert_cmpuint (clip_tokenizer_get_vocab_size (tokenizer), ==, 8117);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (goldens); i++) {
    g_autofree gchar *path =
        g_strconcat ("/tokenizer/golden/", goldens[i].name, NULL);

    g_test_add_data_func (path, &goldens[i], test_golden);
  }
  g_test_add_func ("/tokenizer/awkward", test_awkward);
  g_test_add_func ("/tokenizer/special-ids", test_special_ids);
  return g_test_run ();
}
