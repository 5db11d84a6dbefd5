/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a value that does not fit into 16 bits does: to a program, and to an
 * encoder, which goes on in 32 bits.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "tests/engine/vulkan/tests.h"

/* 300 * 300 is no half, 200 * 300 is: two products, of which the first lies in
 * the arena. */
static void
test_program (void)
{
  const ClipVulkanParams params = { .device = test_device (),
    .precision = CLIP_PRECISION_F16 };
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipPlan) plan = clip_plan_new (1);
  ClipBackend *backend = clip_vulkan_backend_new (&params, &error);
  g_auto (ClipHostTensor) w = { CLIP_DTYPE_F32, 2, 2, g_new0 (gfloat, 4) };
  ClipOp op = CLIP_OP (CLIP_OP_GEMM);
  gfloat x[] = { 200, 1 }, out[2];
  ClipWeight *weight;
  ClipProgram *program;

  g_assert_no_error (error);
  ((gfloat *) w.data)[0] = 300;
  ((gfloat *) w.data)[3] = 1;
  weight = backend->ops->prepare_weight (backend, CLIP_ROLE_MATRIX, &w, &error);
  g_assert_no_error (error);
  op.a = clip_plan_input (plan, "x", CLIP_DTYPE_F32, 1, 2);
  op.weight = clip_plan_weight (plan, CLIP_ROLE_MATRIX, 2, 2, "w");
  op.out = clip_plan_tensor (plan, 1, 2, "large");
  clip_plan_add (plan, &op);
  op.a = op.out;
  op.out = clip_plan_tensor (plan, 1, 2, "larger");
  clip_plan_output (plan, op.out);
  clip_plan_add (plan, &op);
  clip_plan_finish (plan, FALSE);
  program = backend->ops->prepare (backend, plan, &weight, &error);
  g_assert_no_error (error);

  g_assert_true (backend->ops->run (program, 1, (gconstpointer[]){ x },
      (gpointer[]){ out }, NULL, NULL, &error));
  g_assert_false (backend->overflowed);
  g_assert_cmpfloat (out[0], ==, 200.f * 300 * 300);
  x[0] = 300;
  g_assert_false (backend->ops->run (program, 1, (gconstpointer[]){ x },
      (gpointer[]){ out }, NULL, NULL, &error));
  g_assert_true (backend->overflowed);
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE);
  backend->ops->free_program (program);
  backend->ops->free_weight (weight);
  backend->ops->free (backend);
}

/* The first element of a tensor of a safetensors file becomes `x`. */
static void
edit_weight (const gchar *file, const gchar *name, gfloat x)
{
  g_autofree gchar *quoted = g_strdup_printf ("\"%s\"", name);
  g_autofree gchar *content = NULL;
  g_autoptr (GError) error = NULL;
  guint64 header, begin;
  const gchar *at;
  gsize size;

  g_file_get_contents (file, &content, &size, &error);
  g_assert_no_error (error);
  memcpy (&header, content, sizeof header);
  header = GUINT64_FROM_LE (header);
  at = g_strstr_len (content + 8, (gssize) header, quoted);
  g_assert_nonnull (at);
  at = strchr (strstr (at, "data_offsets"), '[');
  begin = g_ascii_strtoull (at + 1, NULL, 10);
  memcpy (content + 8 + header + begin, &x, sizeof x);
  g_file_set_contents (file, content, (gssize) size, &error);
  g_assert_no_error (error);
}

static gchar *
copy_golden (const Golden *golden)
{
  g_autoptr (GError) error = NULL;
  gchar *folder = g_dir_make_tmp ("clip-XXXXXX", &error);
  g_autoptr (GDir) dir = g_dir_open (golden->folder, 0, &error);
  const gchar *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *from = g_build_filename (golden->folder, name, NULL);
    g_autofree gchar *to = g_build_filename (folder, name, NULL);
    g_autofree gchar *content = NULL;
    gsize size;

    if (g_file_test (from, G_FILE_TEST_IS_DIR))
      continue;
    g_file_get_contents (from, &content, &size, &error);
    g_assert_no_error (error);
    g_file_set_contents (to, content, (gssize) size, &error);
    g_assert_no_error (error);
  }
  return folder;
}

static void
remove_folder (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *file = g_build_filename (folder, name, NULL);

    g_unlink (file);
  }
  g_rmdir (folder);
}

static void
encode_image (const Golden *golden, ClipEncoder *encoder, gfloat *out)
{
  g_autoptr (GBytes) pixels = NULL;
  const ClipImage image = golden_image (golden, 0, &pixels);
  g_autoptr (GError) error = NULL;

  clip_encoder_encode_images (encoder, &image, 1, CLIP_RESIZE_AUTO, out,
      &error);
  g_assert_no_error (error);
}

static ClipEncoder *
open_encoder (ClipModel *model, const gchar *backend, const gchar *device,
    ClipPrecision precision)
{
  g_autoptr (GError) error = NULL;
  ClipEncoder *encoder = clip_encoder_new (model,
      &(ClipEncoderParams){ .backend = backend,
          .n_threads = 1,
          .device = device,
          .precision = precision },
      &error);

  g_assert_no_error (error);
  return encoder;
}

/* A model that has been trained long has such values in its MLPs. */
static void
test_encoder (void)
{
  g_autoptr (Golden) golden = golden_load (GOLDEN);
  const guint dim = clip_model_get_embed_dim (golden->model);
  g_autofree gchar *folder = copy_golden (golden);
  g_autofree gchar *file = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gfloat *expected = g_new (gfloat, dim);
  g_autofree gfloat *found = g_new (gfloat, dim);
  g_autoptr (ClipModel) model = NULL;
  g_autoptr (ClipEncoder) cpu = NULL, vulkan = NULL;
  g_autoptr (GError) error = NULL;

  edit_weight (file, "vision_model.encoder.layers.0.mlp.fc1.bias", 7e4f);
  model = clip_model_load (folder, &error);
  g_assert_no_error (error);
  cpu = open_encoder (model, "cpu", NULL, CLIP_PRECISION_AUTO);
  vulkan = open_encoder (model, "vulkan", test_device (), CLIP_PRECISION_F16);
  encode_image (golden, cpu, expected);
  encode_image (golden, vulkan, found);
  g_assert_cmpfloat (golden_distance (found, expected, dim), <=, 10 * BOUND);
  g_assert_cmpstr (clip_encoder_get_backend (vulkan), ==, "vulkan");
  g_assert_nonnull (strstr (clip_encoder_get_description (vulkan), "f32"));
  g_assert_nonnull (strstr (clip_encoder_get_warning (vulkan), "16 bits"));
  remove_folder (folder);
}

void
overflow_add_tests (void)
{
  g_test_add_func ("/vulkan/overflow/program", test_program);
  g_test_add_func ("/vulkan/overflow/encoder", test_encoder);
}
