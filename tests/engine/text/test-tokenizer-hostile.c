/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Broken and malicious tokenizer files, and texts made to take long: each is
 * an error that says what is wrong, or a right answer in little time.
 */
#include "engine/clip.h"
#include "engine/text/bpe.h"
#include "engine/text/tokenizer.h"

#include <glib/gstdio.h>
#include <string.h>
#include <time.h>

#define LITERALS "<\\\\|startoftext\\\\|>|<\\\\|endoftext\\\\|>|"
#define WORDS                                                                  \
  "'s|'t|'re|'ve|'m|'ll|'d|[\\\\p{L}]+|[\\\\p{N}]|[^\\\\s\\\\p{L}\\\\p{N}]+"

static const gchar before_vocab[] =
    "{\"added_tokens\": ["
    "{\"id\": 516, \"content\": \"<|startoftext|>\", \"normalized\": true},"
    "{\"id\": 517, \"content\": \"<|endoftext|>\", \"normalized\": false}],"
    "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": ["
    "{\"type\": \"NFC\"},"
    "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"\\\\s+\"},"
    " \"content\": \" \"},"
    "{\"type\": \"Lowercase\"}]},"
    "\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": ["
    "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"" LITERALS WORDS "\"},"
    " \"behavior\": \"Removed\", \"invert\": true},"
    "{\"type\": \"ByteLevel\", \"add_prefix_space\": false}]},"
    "\"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null,"
    " \"continuing_subword_prefix\": \"\", \"end_of_word_suffix\": \"</w>\","
    " \"fuse_unk\": false, \"vocab\": {";
static const gchar after_vocab[] =
    "\"<|startoftext|>\": 516, \"<|endoftext|>\": 517},"
    "\"merges\": [\"a b\", \"ab ab\", \"c d</w>\", [\"a\", \"a\"]]}}";
static const gchar merged_tokens[] =
    "\"ab\": 512, \"abab\": 513, \"cd</w>\": 514, \"aa\": 515, ";

/* A whole tokenizer.json of 518 tokens and four merges. */
static gchar *
make_json (void)
{
  GString *json = g_string_new (before_vocab);

  for (guint last = 0; last < 2; last++) {
    for (guint byte = 0; byte < 256; byte++) {
      g_string_append_c (json, '"');
      if (byte == '"' || byte == '\\')
        g_string_append_c (json, '\\');
      g_string_append_unichar (json, clip_bpe_byte_char ((guint8) byte));
      g_string_append_printf (json, "%s\": %u, ", last ? "</w>" : "",
          last * 256 + byte);
    }
  }
  g_string_append (json, merged_tokens);
  g_string_append (json, after_vocab);
  return g_string_free (json, FALSE);
}

static gchar *folder;

static void
remove_file (const gchar *name)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);

  g_unlink (path);
}

static void
write_file (const gchar *name, const gchar *contents, gssize length)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  /* A new file, so that GLib does not wait for the disk hundreds of times. */
  g_unlink (path);
  g_file_set_contents (path, contents, length, &error);
  g_assert_no_error (error);
}

static gchar *
replace (const gchar *text, const gchar *from, const gchar *to)
{
  g_auto (GStrv) parts = g_strsplit (text, from, 2);

  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  return g_strjoinv (to, parts);
}

/* Loads what is in the folder; it must fail with this code, and say this. */
static void
check_refused (ClipErrorCode code, const gchar *file, const gchar *words)
{
  g_autoptr (GError) error = NULL;
  ClipTokenizer *tokenizer = clip_tokenizer_load (folder, &error);

  if (tokenizer != NULL)
    g_error ("loaded, where it should say: %s", words);
  if (!g_error_matches (error, CLIP_ERROR, code)
      || strstr (error->message, file) == NULL
      || strstr (error->message, words) == NULL)
    g_error ("code %d, \"%s\", expected %d, \"%s\" and \"%s\"", error->code,
        error->message, code, file, words);
}

static void
test_small (void)
{
  g_autofree gchar *json = make_json ();
  g_autoptr (ClipTokenizer) tokenizer = NULL;
  g_autoptr (GError) error = NULL;
  const gint32 expected[] = { 516, 512, 256 + 'b', 513, 256 + 'a', 514, 517 };
  gint32 ids[77];
  guint n;

  write_file ("tokenizer.json", json, -1);
  tokenizer = clip_tokenizer_load (folder, &error);
  g_assert_no_error (error);
  n = clip_tokenizer_encode (tokenizer, "ABB ababa cd", 77, ids, NULL, &error);
  g_assert_cmpmem (ids, n * 4, expected, sizeof expected);
}

static const struct {
  const gchar *from, *to;
  ClipErrorCode code;
  const gchar *words;
} edits[] = {
  /* Kinds that the engine does not know. */
  { "\"BPE\"", "\"Unigram\"", CLIP_ERROR_UNSUPPORTED, "model.type" },
  { "\"BPE\"", "\"WordPiece\"", CLIP_ERROR_UNSUPPORTED, "model.type" },
  { "\"dropout\": null", "\"dropout\": 0.1", CLIP_ERROR_UNSUPPORTED,
      "model.dropout" },
  { "prefix\": \"\"", "prefix\": \"##\"", CLIP_ERROR_UNSUPPORTED,
      "model.continuing_subword_prefix" },
  { "suffix\": \"</w>\"", "suffix\": null", CLIP_ERROR_UNSUPPORTED,
      "model.end_of_word_suffix" },
  { "\"fuse_unk\": false", "\"fuse_unk\": true", CLIP_ERROR_UNSUPPORTED,
      "model.fuse_unk" },
  { "\"fuse_unk\": false", "\"byte_fallback\": true", CLIP_ERROR_UNSUPPORTED,
      "model.byte_fallback" },
  { "\"fuse_unk\": false", "\"ignore_merges\": true", CLIP_ERROR_UNSUPPORTED,
      "model.ignore_merges" },
  { "\"NFC\"", "\"NFKC\"", CLIP_ERROR_UNSUPPORTED, "normalizers" },
  { "\"NFC\"", "\"Lowercase\"", CLIP_ERROR_UNSUPPORTED, "in the order" },
  { "\"content\": \" \"", "\"content\": \"_\"", CLIP_ERROR_UNSUPPORTED,
      "content" },
  { "'ll", "'lll", CLIP_ERROR_UNSUPPORTED, "pretokenizers[0].pattern" },
  { "\"Removed\"", "\"Isolated\"", CLIP_ERROR_UNSUPPORTED, "behavior" },
  { "\"invert\": true", "\"invert\": false", CLIP_ERROR_UNSUPPORTED, "invert" },
  { "\"ByteLevel\"", "\"Metaspace\"", CLIP_ERROR_UNSUPPORTED,
      "pretokenizers[1].type" },
  { "_space\": false", "_space\": true", CLIP_ERROR_UNSUPPORTED,
      "add_prefix_space" },
  { "\"normalized\": true", "\"single_word\": true", CLIP_ERROR_UNSUPPORTED,
      "added_tokens[0].single_word" },
  /* Files that contradict themselves. */
  { "\"!\": 33,", "\"!\": -1,", CLIP_ERROR_FORMAT, "\"!\" is -1" },
  { "\"!\": 33,", "\"!\": 33.5,", CLIP_ERROR_FORMAT, "\"!\" is 33.5" },
  { "\"!\": 33,", "\"!\": \"33\",", CLIP_ERROR_FORMAT, "\"!\" is" },
  { "\"!\": 33,", "\"!\": {},", CLIP_ERROR_FORMAT, "\"!\" is" },
  { "\"!\": 33,", "\"!\": 99999999999,", CLIP_ERROR_FORMAT, "99999999999" },
  { "\"!\": 33,", "\"!\": 518,", CLIP_ERROR_FORMAT, "without holes" },
  { "\"!\": 33,", "\"!\": 34,", CLIP_ERROR_FORMAT, "same id 34" },
  { "\"!\": 33,", "", CLIP_ERROR_FORMAT, "without holes" },
  { "\"!\": 33,", "\"other\": 33,", CLIP_ERROR_FORMAT, "byte 0x21" },
  { "\"!\": 33,", "\"!\": 33, \"!\": 33,", CLIP_ERROR_FORMAT, "twice" },
  { "unk_token\": null", "unk_token\": \"?!\"", CLIP_ERROR_FORMAT,
      "unk_token" },
  { "\"a b\"", "\"ab\"", CLIP_ERROR_FORMAT, "merges[0]" },
  { "\"a b\"", "\"a b c\"", CLIP_ERROR_FORMAT, "merges[0]" },
  { "\"a b\"", "[\"a\"]", CLIP_ERROR_FORMAT, "merges[0]" },
  { "\"a b\"", "[\"a\", 7]", CLIP_ERROR_FORMAT, "merges[0]" },
  { "\"a b\"", "[\"a\", null]", CLIP_ERROR_FORMAT, "merges[0]" },
  { "\"a b\"", "null", CLIP_ERROR_FORMAT, "merges[0]" },
  { "\"a b\"", "\"a c\"", CLIP_ERROR_FORMAT, "\"ac\" is not" },
  { "\"a b\"", "\"xyz c\"", CLIP_ERROR_FORMAT, "\"xyz\" is not" },
  { "\"merges\": [", "\"merges\": {}, \"other\": [", CLIP_ERROR_FORMAT,
      "model.merges" },
  { "\"vocab\": {", "\"vocab\": [], \"other\": {", CLIP_ERROR_FORMAT,
      "model.vocab" },
  { "\"id\": 517", "\"id\": 516", CLIP_ERROR_FORMAT, "has id 516, but 517" },
  { "\"id\": 517", "\"id\": -517", CLIP_ERROR_FORMAT, "added_tokens[1].id" },
  { "\"id\": 517,", "", CLIP_ERROR_FORMAT, "added_tokens[1].id" },
  { "\"content\": \"<|endoftext|>\"", "\"content\": \"\"", CLIP_ERROR_FORMAT,
      "added_tokens" },
  { "\"content\": \"<|endoftext|>\",", "", CLIP_ERROR_FORMAT,
      "added_tokens[1].content" },
  { "\"id\": 517, \"content\": \"<|endoftext|>\"",
      "\"id\": 518, \"content\": \"<|other|>\"", CLIP_ERROR_FORMAT,
      "no \"<|endoftext|>\"" },
  { "\"id\": 516, \"content\": \"<|startoftext|>\"",
      "\"id\": 518, \"content\": \"<|other|>\"", CLIP_ERROR_FORMAT,
      "no \"<|startoftext|>\"" },
  { "\"added_tokens\": [", "\"added_tokens\": [7, ", CLIP_ERROR_FORMAT,
      "added_tokens[0]" },
  { "{\"added", "[{\"added", CLIP_ERROR_FORMAT, "" },
  { "\"model\": {", "\"model\": [{", CLIP_ERROR_FORMAT, "" },
};

static void
test_edits (void)
{
  g_autofree gchar *json = make_json ();

  for (guint i = 0; i < G_N_ELEMENTS (edits); i++) {
    g_autofree gchar *edited = replace (json, edits[i].from, edits[i].to);

    write_file ("tokenizer.json", edited, -1);
    check_refused (edits[i].code, "tokenizer.json", edits[i].words);
  }
}

static void
test_files (void)
{
  g_autofree gchar *deep = g_strnfill (200000, '[');

  remove_file ("tokenizer.json");
  check_refused (CLIP_ERROR_NOT_FOUND, folder, "no tokenizer");
  write_file ("tokenizer.json", "", 0);
  check_refused (CLIP_ERROR_FORMAT, "tokenizer.json", "");
  write_file ("tokenizer.json", "{}", -1);
  check_refused (CLIP_ERROR_UNSUPPORTED, "tokenizer.json", "model.type");
  write_file ("tokenizer.json", "{\"model\": \"\xff\"}", -1);
  check_refused (CLIP_ERROR_FORMAT, "tokenizer.json", "UTF-8");
  write_file ("tokenizer.json", deep, -1);
  check_refused (CLIP_ERROR_FORMAT, "tokenizer.json", "");
  remove_file ("tokenizer.json");
}

static void
test_merges_file (void)
{
  g_autofree gchar *json = make_json ();
  const gchar *begin = strstr (json, "\"vocab\": ") + strlen ("\"vocab\": ");
  const gchar *end = strstr (begin, "\"merges\"");
  g_autofree gchar *vocab = g_strndup (begin, end - begin - 1);
  g_autofree gchar *no_end = replace (vocab, "<|endoftext|>", "other");
  g_autoptr (GError) error = NULL;
  ClipTokenizer *tokenizer;
  gint32 ids[77];

  remove_file ("tokenizer.json");
  write_file ("vocab.json", vocab, -1);
  check_refused (CLIP_ERROR_NOT_FOUND, "merges.txt", "");
  write_file ("merges.txt", "#version: 0.2\na b\nab\n", -1);
  check_refused (CLIP_ERROR_FORMAT, "merges.txt", "line 3");
  write_file ("merges.txt", "a b\na b c\n", -1);
  check_refused (CLIP_ERROR_FORMAT, "merges.txt", "line 2");
  write_file ("merges.txt", "a b\na c\n", -1);
  check_refused (CLIP_ERROR_FORMAT, "merges.txt", "\"ac\" is not");
  write_file ("merges.txt", "a \xff\n", -1);
  check_refused (CLIP_ERROR_FORMAT, "merges.txt", "UTF-8");

  /* What comes after a merge for every token is not looked at. */
  write_file ("merges.txt",
      "#version: 0.2\r\na b\r\nab ab\r\nc d</w>\r\na a\r\nmore than four\r\n",
      -1);
  tokenizer = clip_tokenizer_load (folder, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (clip_tokenizer_encode (tokenizer, "ABABcd", 77, ids, NULL,
                        NULL),
      ==, 4);
  clip_tokenizer_free (tokenizer);

  write_file ("vocab.json", no_end, -1);
  check_refused (CLIP_ERROR_FORMAT, "vocab.json", "<|endoftext|>");
  remove_file ("vocab.json");
  remove_file ("merges.txt");
}

/* Encodes texts with whatever a damaged file gave. */
static void
use (ClipTokenizer *tokenizer)
{
  static const gchar *const texts[] = { "", "a photo of a dog", "aaaaababab",
    "<|startoftext|><|endoftext|>", "caf\303\251 \360\237\220\225" };
  gint32 ids[16];

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    guint n = clip_tokenizer_encode (tokenizer, texts[i], 16, ids, NULL, NULL);

    g_assert_cmpuint (n, >=, 2);
    g_assert_cmpuint (n, <=, 16);
    for (guint k = 0; k < n; k++)
      g_assert_cmpuint ((guint) ids[k], <,
          clip_tokenizer_get_vocab_size (tokenizer));
  }
}

static void
test_mutations (void)
{
  g_autofree gchar *json = make_json ();
  gsize length = strlen (json);
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  guint refused = 0, loaded = 0;

  for (guint i = 0; i < 400; i++) {
    g_autofree gchar *damaged = g_memdup2 (json, length + 1);
    gsize damaged_length = length;
    g_autoptr (GError) error = NULL;
    ClipTokenizer *tokenizer;

    if (i % 10 == 0)
      damaged_length = (gsize) g_rand_int_range (rand, 0, (gint32) length);
    for (guint k = g_rand_int_range (rand, 1, 4); k > 0; k--) {
      gint32 at = g_rand_int_range (rand, 0, (gint32) length);

      /* Half of them where the structure is dense. */
      if (g_rand_boolean (rand))
        at = at < (gint32) length / 2
            ? at % (gint32) strlen (before_vocab)
            : (gint32) length - 1 - at % (gint32) strlen (after_vocab);
      damaged[at] = g_rand_boolean (rand)
          ? damaged[g_rand_int_range (rand, 0, (gint32) length)]
          : (gchar) g_rand_int_range (rand, 0, 256);
    }
    write_file ("tokenizer.json", damaged, (gssize) damaged_length);
    tokenizer = clip_tokenizer_load (folder, &error);
    if (tokenizer != NULL) {
      g_assert_no_error (error);
      use (tokenizer);
      clip_tokenizer_free (tokenizer);
      loaded++;
    } else {
      g_assert_cmpuint (error->domain, ==, CLIP_ERROR);
      g_assert_nonnull (strstr (error->message, "tokenizer.json"));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      refused++;
    }
  }
  g_test_message ("%u refused, %u loaded", refused, loaded);
  g_assert_cmpuint (refused, >, 200);
  g_assert_cmpuint (loaded, >, 0);
}

static ClipTokenizer *
load_small (void)
{
  g_autofree gchar *json = make_json ();
  ClipTokenizer *tokenizer;

  write_file ("tokenizer.json", json, -1);
  tokenizer = clip_tokenizer_load (folder, NULL);
  g_assert_nonnull (tokenizer);
  return tokenizer;
}

static void
test_arguments (void)
{
  g_autoptr (ClipTokenizer) tokenizer = load_small ();
  static const gchar *const texts[] = { "a\xff", "\xc3", "\xed\xa0\x80",
    "\xf4\x90\x80\x80", "\xc0\x80" };
  gint32 ids[77];

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_cmpuint (clip_tokenizer_encode (tokenizer, texts[i], 77, ids, NULL,
                          &error),
        ==, 0);
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
    g_assert_nonnull (strstr (error->message, "UTF-8"));
  }
  for (guint context = 0; context < 2; context++) {
    g_autoptr (GError) error = NULL;

    g_assert_cmpuint (clip_tokenizer_encode (tokenizer, "a", context, ids, NULL,
                          &error),
        ==, 0);
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT);
  }
}

/* A megabyte of each. Square time would be many minutes; the bound, in seconds
 * of the processor, is wide enough for valgrind on a slow machine. */
static void
test_long (void)
{
  g_autoptr (ClipTokenizer) tokenizer = load_small ();
  static const gchar *const units[] = { "a", "ab", "!", "1", "a ",
    "\314\201\314\243", "e\314\201", "'s", "<|endoftext|>", "<|startoftext|>",
    "<", "\360\237\220\225" };
  const clock_t start = clock ();

  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    GString *text = g_string_new (NULL);
    gboolean truncated;
    gint32 ids[77];
    guint n;

    while (text->len < 1000000)
      g_string_append (text, units[i]);
    n = clip_tokenizer_encode (tokenizer, text->str, 77, ids, &truncated, NULL);
    g_assert_cmpuint (n, ==, 77);
    g_assert_true (truncated);
    g_assert_cmpint (ids[76], ==, 517);
    g_string_free (text, TRUE);
  }
  g_assert_cmpint ((clock () - start) / CLOCKS_PER_SEC, <, 180);
}

int
main (int argc, char **argv)
{
  gint status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("clip-tokenizer-XXXXXX", NULL);
  g_assert_nonnull (folder);
  g_test_add_func ("/tokenizer/small", test_small);
  g_test_add_func ("/tokenizer/edits", test_edits);
  g_test_add_func ("/tokenizer/files", test_files);
  g_test_add_func ("/tokenizer/merges-file", test_merges_file);
  g_test_add_func ("/tokenizer/mutations", test_mutations);
  g_test_add_func ("/tokenizer/arguments", test_arguments);
  g_test_add_func ("/tokenizer/long", test_long);
  status = g_test_run ();
  remove_file ("tokenizer.json");
  g_rmdir (folder);
  g_free (folder);
  return status;
}
