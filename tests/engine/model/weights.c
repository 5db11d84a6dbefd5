/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every weight of the golden models and of the starter, by canonical name,
 * against what numpy reads from the same files (weights.tsv).
 */
#include "engine/model/config.h"
#include "engine/model/convert.h"
#include "engine/model/locate.h"
#include "tests/engine/model/tiny.h"

#include <math.h>
#include <string.h>

static gchar *
source_path (const gchar *name)
{
  return g_build_filename (g_getenv ("CLIP_SOURCE_ROOT"), name, NULL);
}

typedef struct {
  ClipModelSpec spec;
  ClipTensorSet *tensors;
  GHashTable *map;
} Weights;

static void
weights_open (Weights *self, const gchar *model)
{
  g_autoptr (GError) error = NULL;
  g_auto (ClipModelFiles) files = { NULL };
  g_autofree gchar *starter = source_path ("engine/starter");
  g_autofree gchar *goldens = source_path ("tests/goldens");
  g_autofree gchar *golden = g_build_filename (goldens, model, NULL);
  gboolean bias = FALSE;
  gint end_token;
  *self = (Weights){ .tensors = NULL };
  clip_model_files_find (g_str_equal (model, "starter") ? starter : golden,
      &files, &error);
  g_assert_no_error (error);
  if (files.layout == CLIP_FILES_HF)
    clip_config_read_hf (files.config, &self->spec, &end_token, &error);
  else
    clip_config_read_openclip (files.config, &self->spec, &bias, &error);
  g_assert_no_error (error);
  self->tensors = files.is_index
      ? clip_tensor_set_open_index (files.weights, &error)
      : clip_tensor_set_open (files.weights, &error);
  g_assert_no_error (error);
  self->map = clip_weight_map_new (files.weights, self->tensors, files.layout,
      &self->spec, bias, &error);
  g_assert_no_error (error);
}

static void
weights_close (Weights *self)
{
  g_hash_table_unref (self->map);
  clip_tensor_set_free (self->tensors);
}

/* The sum of value[i] * (1 + i % 1009), and of the terms' magnitudes. */
static gdouble
weighted_sum (const gfloat *values, gsize n, gdouble *magnitude)
{
  gdouble sum = 0;
  *magnitude = 0;
  for (gsize i = 0; i < n; i++) {
    gdouble term = values[i] * (gdouble) (1 + i % 1009);
    sum += term;
    *magnitude += fabs (term);
  }
  return sum;
}

static void
check_weight (Weights *self, gchar **fields)
{
  g_autoptr (GError) error = NULL;
  g_auto (ClipHostTensor) tensor = { 0 };
  const ClipWeightSource *source = g_hash_table_lookup (self->map, fields[1]);
  g_assert_nonnull (source);
  clip_weight_source_read (source, &tensor, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (tensor.rows, ==, g_ascii_strtoull (fields[2], NULL, 10));
  g_assert_cmpuint (tensor.columns, ==, g_ascii_strtoull (fields[3], NULL, 10));

  gsize n = tensor.rows * tensor.columns;
  g_autofree gfloat *values = g_new (gfloat, n);
  if (tensor.dtype == CLIP_DTYPE_F32)
    memcpy (values, tensor.data, n * sizeof *values);
  else if (tensor.dtype == CLIP_DTYPE_F16)
    clip_convert_f16 (tensor.data, n, values);
  else
    clip_convert_bf16 (tensor.data, n, values);
  g_assert_true (tensor.dtype == CLIP_DTYPE_F32
      || g_str_equal (fields[1], "text.token"));

  gdouble magnitude, expected = g_ascii_strtod (fields[4], NULL);
  gdouble sum = weighted_sum (values, n, &magnitude);
  g_assert_cmpfloat_with_epsilon (sum, expected,
      1e-7 * magnitude + 1e-8 * fabs (expected));
}

static void
test_goldens (void)
{
  g_autofree gchar *table = NULL;
  g_autofree gchar *path = source_path ("tests/engine/model/weights.tsv");
  g_assert_true (g_file_get_contents (path, &table, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);
  g_autofree gchar *model = NULL;
  Weights weights;
  guint seen = 0, models = 0;
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[i], "\t", -1);
    g_assert_cmpuint (g_strv_length (fields), ==, 5);
    if (g_strcmp0 (model, fields[0]) != 0) {
      if (model != NULL) {
        /* Nothing that the table does not know. */
        g_assert_cmpuint (seen, ==, g_hash_table_size (weights.map));
        weights_close (&weights);
      }
      g_free (model);
      model = g_strdup (fields[0]);
      weights_open (&weights, model);
      seen = 0;
      models++;
    }
    check_weight (&weights, fields);
    seen++;
  }
  g_assert_cmpuint (seen, ==, g_hash_table_size (weights.map));
  weights_close (&weights);
  g_assert_cmpuint (models, ==, 6);
}

/* ------------------------------------------------------- edited goldens */

/* A weight file taken apart, to be changed and written again. */
typedef struct {
  GString *header;
  GByteArray *data;
} Parts;

static void
parts_read (Parts *parts, const gchar *source)
{
  g_autofree gchar *path = source_path (source);
  g_autofree gchar *bytes = NULL;
  gsize size;
  guint64 length;
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  memcpy (&length, bytes, sizeof length);
  length = GUINT64_FROM_LE (length);
  parts->header = g_string_new_len (bytes + 8, (gssize) length);
  parts->data = g_byte_array_new ();
  g_byte_array_append (parts->data, (guint8 *) bytes + 8 + length,
      (guint) (size - 8 - length));
}

/* Where a tensor's data begin. */
static guint8 *
parts_find (Parts *parts, const gchar *name)
{
  g_autofree gchar *quoted = g_strdup_printf ("\"%s\"", name);
  const gchar *key = "\"data_offsets\":[";
  const gchar *entry = strstr (parts->header->str, quoted);
  g_assert_nonnull (entry);
  const gchar *offsets = strstr (entry, key);
  g_assert_nonnull (offsets);
  return parts->data->data
      + g_ascii_strtoull (offsets + strlen (key), NULL, 10);
}

static ClipTensorSet *
parts_open (Parts *parts, const gchar *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autofree gchar *path = g_build_filename (folder, "x.safetensors", NULL);
  guint64 length = GUINT64_TO_LE ((guint64) parts->header->len);
  g_byte_array_append (file, (guint8 *) &length, sizeof length);
  g_byte_array_append (file, (guint8 *) parts->header->str,
      (guint) parts->header->len);
  g_byte_array_append (file, parts->data->data, parts->data->len);
  tiny_write (folder, "x.safetensors", file->data, file->len);
  ClipTensorSet *set = clip_tensor_set_open (path, &error);
  g_assert_no_error (error);
  return set;
}

static void
parts_clear (Parts *parts)
{
  g_string_free (parts->header, TRUE);
  g_byte_array_unref (parts->data);
}

static void
assert_same_weight (GHashTable *a, GHashTable *b, const gchar *name)
{
  g_auto (ClipHostTensor) x = { 0 }, y = { 0 };
  ClipWeightSource *from_a = g_hash_table_lookup (a, name);
  ClipWeightSource *from_b = g_hash_table_lookup (b, name);
  g_assert_true (clip_weight_source_read (from_a, &x, NULL));
  g_assert_true (clip_weight_source_read (from_b, &y, NULL));
  gsize size = x.rows * x.columns * clip_dtype_size (x.dtype);
  g_assert_cmpmem (x.data, size, y.data, size);
}

/* OpenCLIP's models with a text tower of their own ("custom_text"). */
static void
test_custom_text (void)
{
  static const gchar *const names[] = { "\"ln_final.",
    "\"positional_embedding\"", "\"text_projection\"", "\"token_embedding.",
    "\"transformer." };
  g_autoptr (GError) error = NULL;
  gchar *folder = tiny_folder_new ();
  Weights original;
  Parts parts;
  weights_open (&original, "openclip-f32");
  parts_read (&parts, "tests/goldens/openclip-f32/open_clip_model.safetensors");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *renamed = g_strconcat ("\"text.", names[i] + 1, NULL);
    g_auto (GStrv) pieces = g_strsplit (parts.header->str, names[i], -1);
    g_autofree gchar *joined = g_strjoinv (renamed, pieces);
    g_assert_cmpuint (g_strv_length (pieces), >, 1);
    g_string_assign (parts.header, joined);
  }
  g_autoptr (ClipTensorSet) set = parts_open (&parts, folder);
  g_autoptr (GHashTable) map = clip_weight_map_new ("x", set,
      CLIP_FILES_OPENCLIP, &original.spec, FALSE, &error);
  g_assert_no_error (error);
  assert_same_weight (map, original.map, "text.token");
  assert_same_weight (map, original.map, "text.projection.weight");
  assert_same_weight (map, original.map, "text.blocks.1.fc2.weight");
  assert_same_weight (map, original.map, "image.blocks.1.fc2.weight");
  parts_clear (&parts);
  weights_close (&original);
  tiny_folder_remove (folder);
}

static void
test_projection_bias (void)
{
  g_autoptr (GError) error = NULL;
  gchar *folder = tiny_folder_new ();
  Weights original;
  Parts parts;
  weights_open (&original, "starter");
  g_assert_null (clip_weight_map_new ("x", original.tensors,
      CLIP_FILES_OPENCLIP, &original.spec, TRUE, &error));
  g_assert_nonnull (strstr (error->message,
      "visual.head.proj.bias is missing"));
  g_clear_error (&error);

  parts_read (&parts, "engine/starter/open_clip_model.safetensors");
  const guint begin = parts.data->len;
  g_autofree gchar *entry =
      g_strdup_printf ("{\"visual.head.proj.bias\":{\"dtype\":\"BF16\","
                       "\"shape\":[256],"
                       "\"data_offsets\":[%u,%u]},",
          begin, begin + 512);
  g_string_erase (parts.header, 0, 1);
  g_string_prepend (parts.header, entry);
  g_byte_array_set_size (parts.data, begin + 512);
  for (guint i = 0; i < 512; i++)
    parts.data->data[begin + i] = i % 2 ? 0x3f : 0x80; /* 1.0 */
  g_autoptr (ClipTensorSet) set = parts_open (&parts, folder);
  g_autoptr (GHashTable) map = clip_weight_map_new ("x", set,
      CLIP_FILES_OPENCLIP, &original.spec, TRUE, &error);
  g_assert_no_error (error);
  g_auto (ClipHostTensor) bias = { 0 };
  clip_weight_source_read (g_hash_table_lookup (map, "image.projection.bias"),
      &bias, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bias.columns, ==, 256);
  g_assert_cmpfloat (((gfloat *) bias.data)[255], ==, 1.0f);
  /* A bias that the configuration does not speak of. */
  g_assert_null (clip_weight_map_new ("x", set, CLIP_FILES_OPENCLIP,
      &original.spec, FALSE, &error));
  g_assert_nonnull (strstr (error->message, "has no place"));
  parts_clear (&parts);
  weights_close (&original);
  tiny_folder_remove (folder);
}

/* Batch norms that cannot be folded: a negative variance, NaN. */
static void
test_bad_batch_norm (void)
{
  static const struct {
    guint16 half;
    const gchar *complaint;
  } cases[] = { { 0xbc00, "negative variance" }, { 0x7e00, "NaN" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    gchar *folder = tiny_folder_new ();
    Weights original;
    Parts parts;
    weights_open (&original, "starter");
    parts_read (&parts, "engine/starter/open_clip_model.safetensors");
    guint8 *variance =
        parts_find (&parts, "visual.trunk.blocks.3.1.bn2.running_var");
    variance[2] = cases[i].half & 0xff;
    variance[3] = cases[i].half >> 8;
    g_autoptr (ClipTensorSet) set = parts_open (&parts, folder);
    g_autoptr (GHashTable) map = clip_weight_map_new ("x", set,
        CLIP_FILES_OPENCLIP, &original.spec, FALSE, &error);
    g_assert_no_error (error);
    g_auto (ClipHostTensor) tensor = { 0 };
    g_assert_false (clip_weight_source_read (
        g_hash_table_lookup (map, "image.blocks.3.1.depthwise.bias"), &tensor,
        &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
    g_assert_nonnull (strstr (error->message, cases[i].complaint));
    g_assert_nonnull (strstr (error->message, "blocks.3.1.bn2.running_var"));
    parts_clear (&parts);
    weights_close (&original);
    tiny_folder_remove (folder);
  }
}

/* ------------------------------------------------------------ conversion */

/* The value of a half-precision number by its definition. */
static gdouble
half_value (guint half)
{
  gdouble sign = half & 0x8000 ? -1 : 1;
  guint exponent = half >> 10 & 31, fraction = half & 1023;
  return sign
      * (exponent == 0 ? ldexp (fraction, -24)
                       : ldexp (1024 + fraction, (gint) exponent - 25));
}

static void
test_convert (void)
{
  for (guint half = 0; half < 0x10000; half++) {
    guint16 in = GUINT16_TO_LE ((guint16) half);
    gfloat out;
    gboolean finite = clip_convert_f16 (&in, 1, &out);
    g_assert_cmpint (finite, ==, (half & 0x7c00) != 0x7c00);
    if (finite) {
      g_assert_cmpfloat (out, ==, half_value (half));
      g_assert_cmpint (signbit (out) != 0, ==, half >> 15);
    }
    finite = clip_convert_bf16 (&in, 1, &out);
    g_assert_cmpint (finite, ==, (half & 0x7f80) != 0x7f80);
    guint32 bits = half << 16;
    g_assert_cmpmem (&out, sizeof out, &bits, sizeof bits);
  }
}

/* One bad value anywhere in a long run is noticed. */
static void
test_finite (void)
{
  gfloat values[77];
  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (values); j++)
      values[j] = (gfloat) j - 30.0f;
    g_assert_true (clip_all_finite (values, G_N_ELEMENTS (values)));
    values[i] = i % 2 ? -INFINITY : NAN;
    g_assert_false (clip_all_finite (values, G_N_ELEMENTS (values)));
    g_assert_false (clip_convert_in_place (CLIP_DTYPE_F32, values,
        G_N_ELEMENTS (values)));
  }
  guint16 halves[3] = { 0, 0, GUINT16_TO_LE (0xfc00) };
  g_assert_false (clip_convert_in_place (CLIP_DTYPE_F16, halves, 3));
  g_assert_true (clip_convert_in_place (CLIP_DTYPE_F16, halves, 2));
  halves[2] = GUINT16_TO_LE (0x7f80);
  g_assert_false (clip_convert_in_place (CLIP_DTYPE_BF16, halves, 3));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/weights/goldens", test_goldens);
  g_test_add_func ("/weights/custom-text", test_custom_text);
  g_test_add_func ("/weights/projection-bias", test_projection_bias);
  g_test_add_func ("/weights/bad-batch-norm", test_bad_batch_norm);
  g_test_add_func ("/weights/convert", test_convert);
  g_test_add_func ("/weights/finite", test_finite);
  return g_test_run ();
}
