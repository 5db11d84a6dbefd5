/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * OpenAI's vocabulary, which is not part of the project: CLIP_BPE_DIR names a
 * folder that has it as tokenizer.json, or as vocab.json and merges.txt.
 * Without one the test is skipped.
 */
#include "golden.h"

/* What meson and Automake take for "skipped". */
#define SKIPPED 77

static void
test_tokens (void)
{
  g_autofree gchar *path = golden_path ("tests/goldens/tokens.json");
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipTokenizer) tokenizer =
      clip_tokenizer_load (g_getenv ("CLIP_BPE_DIR"), &error);

  g_assert_no_error (error);
  g_assert_cmpint (clip_tokenizer_get_end (tokenizer), ==, 49407);
  g_assert_cmpuint (golden_check_file (tokenizer, path, 77), >, 300);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (g_getenv ("CLIP_BPE_DIR") == NULL) {
    g_print ("skipped: CLIP_BPE_DIR is not set\n");
    return SKIPPED;
  }
  g_test_add_func ("/tokenizer/openai", test_tokens);
  return g_test_run ();
}
