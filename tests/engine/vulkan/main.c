/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The Vulkan backend where things are not as they should be: other devices,
 * smaller ones, failing ones.
 */
#include "tests/engine/vulkan/tests.h"

const gchar *
test_device (void)
{
  const gchar *device = g_getenv ("CLIP_TEST_DEVICE");

  return device ? device : "llvmpipe";
}

static void
check_distance (const Golden *golden, const gfloat *found, const gchar *name)
{
  gsize n;
  g_autofree gfloat *expected = golden_expected (golden, &n, "%s", name);

  g_assert_cmpfloat (golden_distance (found, expected,
                         clip_model_get_embed_dim (golden->model)),
      <=, BOUND);
}

gboolean
test_encode (const Golden *golden, ClipEncoder *encoder, GError **error)
{
  const gchar *const texts[] = { golden->texts[0] };
  g_autofree gfloat *out =
      g_new (gfloat, clip_model_get_embed_dim (golden->model));
  g_autoptr (GBytes) pixels = NULL;
  const ClipImage image = golden_image (golden, 0, &pixels);

  if (!clip_encoder_encode_images (encoder, &image, 1, CLIP_RESIZE_AUTO, out,
          error))
    return FALSE;
  check_distance (golden, out, "image_embeds");
  if (!clip_encoder_encode_texts (encoder, texts, 1, out, NULL, error))
    return FALSE;
  check_distance (golden, out, "text_embeds");
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  ClipBackend *backend =
      clip_vulkan_backend_new (&(ClipVulkanParams){ .device = test_device () },
          &error);

  if (!backend) {
    g_print ("skipped: %s\n", error->message);
    return 77;
  }
  backend->ops->free (backend);
  g_test_init (&argc, &argv, NULL);
  choice_add_tests ();
  faults_add_tests ();
  masks_add_tests ();
  overflow_add_tests ();
  planted_add_tests ();
  return g_test_run ();
}
