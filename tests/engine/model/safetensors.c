/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hostile safetensors files: each says why it is refused, none does harm.
 */
#include "engine/model/safetensors.h"

#include "engine/clip.h"
#include "tests/engine/model/tiny.h"

#include <string.h>
#include <sys/stat.h>

/* A header entry. */
#define E(name, dtype, shape, begin, end)                                      \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape                     \
  ",\"data_offsets\":[" begin "," end "]}"

static const struct {
  const gchar *header;
  gsize data_size;
  const gchar *complaint; /* NULL: it is fine */
} cases[] = {
  { "{}", 0, NULL },
  { "{" E ("a", "F32", "[2, 3]", "0", "24") "}", 24, NULL },
  { "{\"__metadata__\":{\"format\":\"pt\"}," E ("a", "F16", "[]", "0", "2") "}",
      2, NULL },
  { "{" E ("b", "F32", "[1]", "4", "8") "," E ("a", "F32", "[1]", "0", "4") "}",
      8, NULL },
  { "{" E ("z", "F32", "[0, 5]", "0", "0") "," E ("a", "I64", "[1]", "0",
        "8") "}",
      8, NULL },
  { "{" E ("a", "F32", "[2, 3]", "0", "24") "}", 23, "truncated or broken" },
  { "{" E ("a", "F32", "[2, 3]", "0", "24") "}", 25, "has 25 bytes of data" },
  { "{}", 1, "has 1 bytes of data, its tensors take 0" },
  { "{" E ("a", "F32", "[2, 3]", "0", "20") "}", 20,
      "takes 20 bytes, which are not [2, 3] of F32" },
  { "{" E ("a", "F16", "[2, 3]", "0", "24") "}", 24, "not [2, 3] of F16" },
  { "{" E ("a", "F32", "[2]", "8", "0") "}", 8, "data_offsets are not" },
  { "{" E ("a", "F32", "[2]", "-8", "0") "}", 8, "data_offsets are not" },
  { "{" E ("a", "F32", "[2]", "0.0", "8") "}", 8, "data_offsets are not" },
  { "{" E ("a", "F32", "[2]", "\"0\"", "8") "}", 8, "data_offsets are not" },
  { "{" E ("a", "F32", "[2]", "0", "999999999999999999") "}", 8, "truncated" },
  { "{" E ("a", "F32", "[2]", "999999999999999990", "999999999999999998") "}",
      8, "truncated" },
  { "{" E ("a", "F32", "[2]", "0", "99999999999999999999") "}", 8, "not JSON" },
  { "{" E ("a", "F32", "[-2]", "0", "8") "}", 8, "shape is not" },
  { "{" E ("a", "F32", "[2.0]", "0", "8") "}", 8, "shape is not" },
  { "{" E ("a", "F32", "2", "0", "8") "}", 8, "shape is not" },
  { "{" E ("a", "F32", "[1,1,1,1,1,1,1,1,2]", "0", "8") "}", 8,
      "shape is not" },
  { "{" E ("a", "F32", "[4294967296, 4294967296]", "0", "8") "}", 8,
      "which are not [4294967296, 4294967296]" },
  { "{" E ("a", "F32", "[9223372036854775, 2048, 2]", "0", "8") "}", 8,
      "which are not" },
  /* 4 * 2^62 wraps to 0. */
  { "{" E ("a", "F32", "[2147483648, 2147483648]", "0", "0") "}", 0,
      "which are not" },
  { "{" E ("a", "F32", "[2]", "0", "8") "," E ("b", "F32", "[2]", "4",
        "12") "}",
      12, "tensor b: begins at byte 4 of the data, expected 8" },
  { "{" E ("a", "F32", "[2]", "0", "8") "," E ("b", "F32", "[2]", "0", "8") "}",
      8, "begins at byte 0 of the data, expected 8" },
  { "{" E ("a", "F32", "[2]", "0", "8") "," E ("b", "F32", "[1]", "12",
        "16") "}",
      16, "tensor b: begins at byte 12 of the data, expected 8" },
  { "{" E ("a", "F32", "[2]", "0", "8") "," E ("a", "F32", "[2]", "8",
        "16") "}",
      16, "name a occurs twice" },
  { "{" E ("a", "Q4_K", "[2]", "0", "8") "}", 8, "dtype is Q4_K" },
  { "{\"a\":{\"dtype\":3,\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
      "dtype is not a string" },
  { "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
      "dtype is not a string" },
  { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "shape is not" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "data_offsets are not" },
  { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8,
      "data_offsets are not" },
  { "{\"a\":[]}", 8, "entry is not an object" },
  { "{\"a\":null}", 8, "entry is not an object" },
  { "{\"\xff\":{}}", 8, "not UTF-8" },
  { "[]", 8, "expected a JSON object" },
  { "", 8, "expected a JSON object" },
};

static gchar *folder;

static ClipTensorSet *
open_file (const gchar *name, GError **error)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  return clip_tensor_set_open (path, error);
}

static ClipTensorSet *
open_bytes (guint64 length, const gchar *header, gsize header_size,
    gsize data_size, GError **error)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autofree guint8 *data = g_malloc0 (data_size);
  length = GUINT64_TO_LE (length);
  g_byte_array_append (file, (guint8 *) &length, sizeof length);
  g_byte_array_append (file, (const guint8 *) header, (guint) header_size);
  g_byte_array_append (file, data, (guint) data_size);
  tiny_write (folder, "x.safetensors", file->data, file->len);
  return open_file ("x.safetensors", error);
}

static void
assert_refused (ClipTensorSet *set, GError *error, const gchar *complaint)
{
  g_assert_null (set);
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "x.safetensors: "));
  if (strstr (error->message, complaint) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, complaint);
}

static void
test_headers (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    gsize length = strlen (cases[i].header);
    g_test_message ("case %u", i);
    g_autoptr (ClipTensorSet) set = open_bytes (length, cases[i].header, length,
        cases[i].data_size, &error);
    if (cases[i].complaint != NULL) {
      assert_refused (set, error, cases[i].complaint);
    } else {
      g_assert_no_error (error);
      g_assert_nonnull (set);
    }
  }
}

static void
test_lengths (void)
{
  static const guint64 lengths[] = { 3, 8, 9, 100000001, G_MAXINT64,
    G_MAXUINT64, G_MAXUINT64 - 7, G_MAXUINT64 - 8 };
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (ClipTensorSet) set = open_bytes (lengths[i], "{}", 2, 0, &error);
    assert_refused (set, error, "header is said to have");
  }
  for (gsize size = 0; size < 8; size++) {
    g_autoptr (GError) error = NULL;
    tiny_write (folder, "x.safetensors", "\0\0\0\0\0\0\0\0", size);
    g_autoptr (ClipTensorSet) set = open_file ("x.safetensors", &error);
    assert_refused (set, error, "too short");
  }
}

static void
test_contents (void)
{
  g_autoptr (GError) error = NULL;
  const gchar *header = "{" E ("b", "BF16", "[2, 1]", "4", "8") "," E ("a",
      "F32", "[1]", "0", "4") "}";
  g_autoptr (ClipTensorSet) set =
      open_bytes (strlen (header), header, strlen (header), 8, &error);
  g_assert_no_error (error);
  const ClipFileTensor *b = clip_tensor_set_find (set, "b");
  g_assert_cmpint (b->dtype, ==, CLIP_FILE_DTYPE_BF16);
  g_assert_cmpstr (b->dtype_name, ==, "BF16");
  g_assert_cmpuint (b->n_dims, ==, 2);
  g_assert_cmpuint (b->shape[0], ==, 2);
  g_assert_cmpuint (b->shape[1], ==, 1);
  g_assert_cmpuint (b->offset, ==, 8 + strlen (header) + 4);
  g_assert_cmpuint (b->size, ==, 4);
  g_assert_null (clip_tensor_set_find (set, "__metadata__"));
}

/* What is not a regular file is not read: a pipe would wait for ever. */
static void
test_not_regular (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *pipe = g_build_filename (folder, "x.safetensors", NULL);
  tiny_delete (folder, "x.safetensors");
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  g_assert_null (open_file ("x.safetensors", &error));
  assert_refused (NULL, error, "not a regular file");
  tiny_delete (folder, "x.safetensors");
  g_clear_error (&error);
  g_assert_null (clip_tensor_set_open ("/dev/zero", &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  g_clear_error (&error);
  g_assert_null (open_file ("x.safetensors", &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND);
}

/* --------------------------------------------------------------- indices */

static void
write_shards (void)
{
  g_autoptr (GPtrArray) one = tiny_tensors_new (), two = tiny_tensors_new ();
  tiny_add (one, "a", "F32", "[2]");
  tiny_add (two, "b", "F16", "[3]");
  tiny_write_safetensors (folder, "1.safetensors", one);
  tiny_write_safetensors (folder, "2.safetensors", two);
}

static const struct {
  const gchar *index, *complaint;
} indices[] = {
  { "{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"2.safetensors\"}}",
      NULL },
  { "{\"weight_map\": {}}", NULL },
  { "{}", "weight_map is missing" },
  { "{\"weight_map\": []}", "weight_map is []" },
  { "{\"weight_map\": {\"a\": 1}}", "weight_map.a is not the name" },
  { "{\"weight_map\": {\"a\": \"/etc/x.safetensors\"}}", "is not the name" },
  { "{\"weight_map\": {\"a\": \"../1.safetensors\"}}", "is not the name" },
  { "{\"weight_map\": {\"a\": \"passwd\"}}", "is not the name" },
  { "{\"weight_map\": {\"a\": \"3.safetensors\"}}", "3.safetensors: No such" },
  { "{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"1.safetensors\"}}",
      "says that tensor b is in 1.safetensors" },
  { "{\"weight_map\": {\"a\": \"2.safetensors\", \"b\": \"1.safetensors\"}}",
      "says that tensor" },
  { "{\"weight_map\": {\"a\": \"1.safetensors\", \"x\": \"2.safetensors\"}}",
      "says that tensor x is in 2.safetensors" },
};

static void
test_indices (void)
{
  g_autofree gchar *path = g_build_filename (folder, "index.json", NULL);
  write_shards ();
  for (guint i = 0; i < G_N_ELEMENTS (indices); i++) {
    g_autoptr (GError) error = NULL;
    tiny_write_text (folder, "index.json", indices[i].index);
    g_autoptr (ClipTensorSet) set = clip_tensor_set_open_index (path, &error);
    if (indices[i].complaint == NULL) {
      g_assert_no_error (error);
      g_assert_nonnull (set);
      continue;
    }
    g_assert_null (set);
    g_assert_nonnull (strstr (error->message, indices[i].complaint));
  }
  /* A tensor that two shards have. */
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) twice = tiny_tensors_new ();
  tiny_add (twice, "b", "F16", "[3]");
  tiny_add (twice, "a", "F16", "[3]");
  tiny_write_safetensors (folder, "2.safetensors", twice);
  tiny_write_text (folder, "index.json", indices[0].index);
  g_assert_null (clip_tensor_set_open_index (path, &error));
  g_assert_nonnull (strstr (error->message, "is in another file"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = tiny_folder_new ();
  g_test_add_func ("/safetensors/headers", test_headers);
  g_test_add_func ("/safetensors/lengths", test_lengths);
  g_test_add_func ("/safetensors/contents", test_contents);
  g_test_add_func ("/safetensors/not-regular", test_not_regular);
  g_test_add_func ("/safetensors/indices", test_indices);
  int result = g_test_run ();
  tiny_folder_remove (folder);
  return result;
}
