/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Smaller devices than the one that is there.
 */
#include "tests/engine/vulkan/tests.h"

static void
check_golden (const gchar *name, ClipPrecision precision)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Golden) golden = golden_load (name);
  g_autoptr (ClipEncoder) encoder = clip_encoder_new (golden->model,
      &(ClipEncoderParams){ .backend = "vulkan",
          .device = test_device (),
          .precision = precision },
      &error);

  g_assert_no_error (error);
  g_assert_true (test_encode (golden, encoder, &error));
  g_assert_no_error (error);
}

/* What Vulkan 1.1 guarantees, and not more. */
static void
test_floor (void)
{
  shim_install ();
  shim.bindings = 4;
  shim.threads = 128;
  shim.shared = 16384;
  check_golden (GOLDEN, CLIP_PRECISION_AUTO);
  check_golden ("starter", CLIP_PRECISION_F32);
  shim_remove ();
}

static void
test_four_bindings_hold_no_halves (void)
{
  g_autoptr (GError) error = NULL;

  shim_install ();
  shim.bindings = 4;
  g_assert_null (
      clip_vulkan_backend_new (&(ClipVulkanParams){ .device = test_device (),
                                   .precision = CLIP_PRECISION_F16 },
          &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED);
  shim_remove ();
}

static void
test_staging (void)
{
  shim_install ();
  shim.staging = TRUE;
  check_golden (GOLDEN, CLIP_PRECISION_F32);
  check_golden ("starter", CLIP_PRECISION_F32);
  shim_remove ();
}

static void
test_non_coherent (void)
{
  shim_install ();
  shim.non_coherent = TRUE;
  check_golden (GOLDEN, CLIP_PRECISION_F32);
  /* The self-check's product, its two pictures, a picture, a text; and the
   * weights. */
  g_assert_cmpuint (shim.invalidates, >=, 5);
  g_assert_cmpuint (shim.flushes, >, shim.invalidates);
  shim_remove ();
}

/* The starter's token table and its MLP's matrices come in parts; its image
 * tower's maps do not fit. */
static void
test_short_bindings (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Golden) golden = golden_load ("starter");
  const ClipModelSpec *spec = clip_model_get_spec (golden->model);
  gsize n, n_ids;
  g_autofree gfloat *expected = golden_expected (golden, &n, "text_embeds");
  g_autofree gint32 *ids = golden_expected (golden, &n_ids, "tokens.0");
  const gint32 end = (gint32) n_ids - 1;
  g_autofree gfloat *out = g_new (gfloat, spec->embed_dim);
  ClipTower tower = { 0 };
  ClipBackend *backend;

  shim_install ();
  shim.range = 512 << 10;
  backend =
      clip_vulkan_backend_new (&(ClipVulkanParams){ .device = test_device (),
                                   .precision = CLIP_PRECISION_F32 },
          &error);
  g_assert_no_error (error);
  clip_tower_init (&tower, golden->model, backend,
      clip_tower_text (spec, 1, (guint) n_ids, TRUE), &error);
  g_assert_no_error (error);
  backend->ops->run (tower.program, 1, (gconstpointer[]){ ids, &end },
      (gpointer[]){ out }, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (golden_distance (out, expected, spec->embed_dim), <=,
      BOUND);
  g_assert_cmpuint (shim.largest_range, >, shim.range / 2);
  clip_tower_clear (&tower, backend);

  g_assert_false (clip_tower_init (&tower, golden->model, backend,
      clip_tower_image (spec, 1, FALSE, FALSE), &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_UNSUPPORTED);
  backend->ops->free (backend);
  g_clear_pointer (&golden, golden_free);
  shim_remove ();
}

void
masks_add_tests (void)
{
  g_test_add_func ("/vulkan/mask/floor", test_floor);
  g_test_add_func ("/vulkan/mask/four-bindings-hold-no-halves",
      test_four_bindings_hold_no_halves);
  g_test_add_func ("/vulkan/mask/staging", test_staging);
  g_test_add_func ("/vulkan/mask/non-coherent", test_non_coherent);
  g_test_add_func ("/vulkan/mask/short-bindings", test_short_bindings);
}
