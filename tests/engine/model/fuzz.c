/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Small files with a few bytes changed or the end cut off, the same ones in
 * every run: each is loaded or refused, with an error that names the file, and
 * what is loaded can be read to the end. A sanitizer sees the rest.
 */
#include "engine/model/config.h"
#include "engine/model/weights.h"

#include "tests/engine/model/tiny.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ITERATIONS 4000

static gchar *folder;

/* Changes up to four bytes, to others that headers are made of as often as to
 * any; one time in four the end is cut off. */
static gsize
mutate (GRand *rand, guint8 *data, gsize size)
{
  static const gchar alphabet[] = "{}[]\",:0123456789-.eFBI\\/u \xff";
  guint n = (guint) g_rand_int_range (rand, 1, 5);
  for (guint i = 0; i < n; i++) {
    gsize at = (gsize) g_rand_int_range (rand, 0, (gint32) size);
    data[at] = g_rand_boolean (rand)
        ? (guint8) g_rand_int_range (rand, 0, 256)
        : (guint8) alphabet[g_rand_int_range (rand, 0, sizeof alphabet - 1)];
  }
  return g_rand_int_range (rand, 0, 4) == 0
      ? (gsize) g_rand_int_range (rand, 0, (gint32) size)
      : size;
}

static void
assert_clean_error (const GError *error, const gchar *name)
{
  g_assert_nonnull (error);
  g_assert_true (error->domain == CLIP_ERROR);
  g_assert_cmpint (error->code, !=, CLIP_ERROR_MEMORY);
  g_assert_nonnull (strstr (error->message, name));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_cmpuint (strlen (error->message), <, 3000);
}

/* Into the same file again, and cut to size after that: file systems flush new
 * files, and those that were cut to nothing first, to the disk. */
static void
overwrite (const gchar *path, const guint8 *data, gsize size)
{
  gint fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, data, size), ==, (gssize) size);
  g_assert_cmpint (ftruncate (fd, (off_t) size), ==, 0);
  close (fd);
}

/* Reads everything that a model made of these tensors has. */
static void
read_everything (const ClipTensorSet *set, const ClipModelSpec *spec)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) map = clip_weight_map_new ("x.safetensors", set,
      CLIP_FILES_HF, spec, FALSE, &error);
  if (map == NULL) {
    assert_clean_error (error, "x.safetensors");
    return;
  }
  GHashTableIter iter;
  gpointer source;
  g_hash_table_iter_init (&iter, map);
  while (g_hash_table_iter_next (&iter, NULL, &source)) {
    g_auto (ClipHostTensor) tensor = { 0 };
    g_autoptr (GError) read_error = NULL;
    if (!clip_weight_source_read (source, &tensor, &read_error))
      assert_clean_error (read_error, "x.safetensors");
  }
}

static guint
fuzz_weights (const gchar *original, gsize size, gsize fuzzed,
    const ClipModelSpec *spec)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20240229);
  g_autofree gchar *path = g_build_filename (folder, "x.safetensors", NULL);
  guint loaded = 0;
  for (guint i = 0; i < ITERATIONS; i++) {
    g_autoptr (GError) error = NULL;
    g_autofree guint8 *data = g_memdup2 (original, size);
    gsize left = mutate (rand, data, fuzzed);
    overwrite (path, data, left < fuzzed ? left : size);
    g_autoptr (ClipTensorSet) set = clip_tensor_set_open (path, &error);
    if (set == NULL) {
      assert_clean_error (error, "x.safetensors");
      continue;
    }
    loaded++;
    read_everything (set, spec);
  }
  return loaded;
}

static void
test_weights (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tensors = tiny_hf_tensors ();
  g_autofree gchar *path = g_build_filename (folder, "x.safetensors", NULL);
  g_autofree gchar *config = g_build_filename (folder, "config.json", NULL);
  ClipModelSpec spec = { 0 };
  gint end_token;
  /* A table of few rows keeps the file small. */
  tiny_write_text (folder, "config.json", tiny_hf_config);
  clip_config_read_hf (config, &spec, &end_token, &error);
  g_assert_no_error (error);
  spec.vocab = 16;
  tiny_reshape (tiny_find (tensors,
                    "text_model.embeddings.token_embedding.weight"),
      "F16", "[16, 8]");
  tiny_write_safetensors (folder, "x.safetensors", tensors);

  g_autofree gchar *original = NULL;
  gsize size;
  guint64 header;
  g_assert_true (g_file_get_contents (path, &original, &size, NULL));
  memcpy (&header, original, sizeof header);
  guint whole = fuzz_weights (original, size, size, &spec);
  guint headers = fuzz_weights (original, size,
      8 + (gsize) GUINT64_FROM_LE (header), &spec);
  g_test_message ("of %d each, %u and %u were loaded", ITERATIONS, whole,
      headers);
  /* Both ways must have been taken often. */
  g_assert_cmpuint (whole, >, ITERATIONS / 50);
  g_assert_cmpuint (whole, <, ITERATIONS * 49 / 50);
  g_assert_cmpuint (headers, >, ITERATIONS / 50);
  g_assert_cmpuint (headers, <, ITERATIONS * 49 / 50);
}

static gboolean
read_openclip (const gchar *path, GError **error)
{
  ClipModelSpec spec = { 0 };
  gboolean bias;
  return clip_config_read_openclip (path, &spec, &bias, error);
}

static gboolean
read_hf (const gchar *path, GError **error)
{
  ClipModelSpec spec = { 0 };
  gint end_token;
  return clip_config_read_hf (path, &spec, &end_token, error);
}

static gboolean
read_preprocessor (const gchar *path, GError **error)
{
  ClipModelSpec spec = { .image_size = 64 };
  return clip_config_read_hf_preprocessor (folder, &spec, error);
}

static gboolean
read_index (const gchar *path, GError **error)
{
  g_autoptr (ClipTensorSet) set = clip_tensor_set_open_index (path, error);
  return set != NULL;
}

static void
fuzz_text (const gchar *source, const gchar *name,
    gboolean (*read) (const gchar *path, GError **error))
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20240229);
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_autofree gchar *from =
      g_build_filename (g_getenv ("CLIP_SOURCE_ROOT"), source, NULL);
  g_autofree gchar *original = NULL;
  gsize size;
  guint good = 0;
  g_assert_true (g_file_get_contents (from, &original, &size, NULL));
  tiny_write (folder, name, original, size);
  g_autoptr (GError) first_error = NULL;
  gboolean ok = read (path, &first_error);
  g_assert_no_error (first_error);
  g_assert_true (ok);
  for (guint i = 0; i < ITERATIONS; i++) {
    g_autoptr (GError) error = NULL;
    g_autofree guint8 *data = g_memdup2 (original, size);
    overwrite (path, data, mutate (rand, data, size));
    if (read (path, &error))
      good++;
    else
      assert_clean_error (error, folder);
  }
  g_test_message ("%s: %u of %d were fine", source, good, ITERATIONS);
  g_assert_cmpuint (good, >, 0);
  g_assert_cmpuint (good, <, ITERATIONS * 49 / 50);
  tiny_delete (folder, name);
}

static void
test_configurations (void)
{
  fuzz_text ("tests/goldens/hf-gelu-f16-legacy-eos/config.json", "config.json",
      read_hf);
  fuzz_text ("tests/goldens/hf-quickgelu-f32/preprocessor_config.json",
      "preprocessor_config.json", read_preprocessor);
  fuzz_text ("engine/starter/open_clip_config.json", "open_clip_config.json",
      read_openclip);
  for (guint i = 1; i <= 4; i++) {
    g_autofree gchar *shard =
        g_strdup_printf ("model-0000%u-of-00004.safetensors", i);
    g_autofree gchar *source =
        g_strconcat ("tests/goldens/hf-bf16-sharded/", shard, NULL);
    tiny_link_source (folder, shard, source);
  }
  fuzz_text ("tests/goldens/hf-bf16-sharded/model.safetensors.index.json",
      "model.safetensors.index.json", read_index);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = tiny_folder_new ();
  g_test_add_func ("/fuzz/weights", test_weights);
  g_test_add_func ("/fuzz/configurations", test_configurations);
  int result = g_test_run ();
  tiny_folder_remove (folder);
  return result;
}
