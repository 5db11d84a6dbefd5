/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every allocation, submission, wait and compilation fails once.
 */
#include "tests/engine/vulkan/tests.h"

typedef struct {
  const gchar *name;
  ShimCall call;
  VkResult result;
} Fault;

static ClipEncoder *
open_encoder (const Golden *golden, const gchar *backend, GError **error)
{
  return clip_encoder_new (golden->model,
      &(ClipEncoderParams){
          .backend = backend, .n_threads = 1, .device = test_device () },
      error);
}

/* Under "auto" the answers are right whatever fails, and the warning says what
 * did. TRUE: the fault came to pass. */
static gboolean
run_auto (const Fault *fault, guint n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Golden) golden = golden_load (GOLDEN);
  g_autoptr (ClipEncoder) encoder = NULL;
  gboolean failed;

  shim_install ();
  shim.fail_at[fault->call] = n;
  shim.result = fault->result;
  encoder = open_encoder (golden, "auto", &error);
  g_assert_no_error (error);
  g_assert_true (test_encode (golden, encoder, &error));
  g_assert_no_error (error);
  failed = shim.calls[fault->call] >= n;
  g_assert_cmpstr (clip_encoder_get_backend (encoder), ==,
      failed ? "cpu" : "vulkan");
  g_assert_true ((clip_encoder_get_warning (encoder) != NULL) == failed);
  g_clear_pointer (&encoder, clip_encoder_unref);
  g_clear_pointer (&golden, golden_free);
  shim_remove ();
  return failed;
}

static void
test_auto (gconstpointer data)
{
  guint n = 1;

  while (run_auto (data, n))
    n++;
  g_test_message ("%u calls failed in turn", n - 1);
  g_assert_cmpuint (n, >, 3);
}

/* Under "vulkan" the failure is an error, and the next one too. */
static void
test_strict (gconstpointer data)
{
  const Fault *fault = data;
  const gint expected = fault->result == VK_ERROR_OUT_OF_DEVICE_MEMORY
      ? CLIP_ERROR_MEMORY
      : CLIP_ERROR_DEVICE;
  g_autoptr (Golden) golden = golden_load (GOLDEN);
  g_autoptr (ClipEncoder) encoder = NULL;
  g_autoptr (GError) error = NULL;

  shim_install ();
  encoder = open_encoder (golden, "vulkan", &error);
  g_assert_no_error (error);
  shim.fail_at[fault->call] = shim.calls[fault->call] + 1;
  shim.result = fault->result;
  g_assert_false (test_encode (golden, encoder, &error));
  g_assert_error (error, CLIP_ERROR, expected);
  g_clear_error (&error);
  if (fault->call != SHIM_ALLOCATE) {
    g_assert_false (test_encode (golden, encoder, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE);
    g_clear_error (&error);
  }
  g_clear_pointer (&encoder, clip_encoder_unref);

  /* A device opened afresh works again. */
  encoder = open_encoder (golden, "vulkan", &error);
  g_assert_no_error (error);
  g_assert_true (test_encode (golden, encoder, &error));
  g_clear_pointer (&encoder, clip_encoder_unref);
  g_clear_pointer (&golden, golden_free);
  shim_remove ();
}

static void
test_cycles (void)
{
  for (guint i = 0; i < 100; i++) {
    g_autoptr (GError) error = NULL;
    ClipBackend *backend;

    shim_install ();
    backend =
        clip_vulkan_backend_new (&(ClipVulkanParams){ .device =
                                                          test_device () },
            &error);
    g_assert_no_error (error);
    backend->ops->free (backend);
    shim_remove ();
  }
}

void
faults_add_tests (void)
{
  static const Fault faults[] = {
    { "allocate/memory", SHIM_ALLOCATE, VK_ERROR_OUT_OF_DEVICE_MEMORY },
    { "submit/lost", SHIM_SUBMIT, VK_ERROR_DEVICE_LOST },
    { "submit/memory", SHIM_SUBMIT, VK_ERROR_OUT_OF_DEVICE_MEMORY },
    { "wait/lost", SHIM_WAIT, VK_ERROR_DEVICE_LOST },
    { "wait/timeout", SHIM_WAIT, VK_TIMEOUT },
    { "pipeline/memory", SHIM_PIPELINE, VK_ERROR_OUT_OF_HOST_MEMORY },
  };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/vulkan/fault/auto/%s", faults[i].name);
    g_autofree gchar *strict =
        g_strdup_printf ("/vulkan/fault/vulkan/%s", faults[i].name);

    g_test_add_data_func (path, &faults[i], test_auto);
    if (faults[i].call == SHIM_SUBMIT || faults[i].call == SHIM_WAIT)
      g_test_add_data_func (strict, &faults[i], test_strict);
  }
  g_test_add_func ("/vulkan/cycles", test_cycles);
}
