/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * That the validation layer is silent means something: a barrier that is left
 * out on purpose is reported, by the same option that other tests run with.
 */
#include "tests/engine/vulkan/tests.h"

/* In a process of its own: a finding is a warning, and ends a test. */
static void
open_validated (gboolean no_barriers)
{
  g_autoptr (GError) error = NULL;
  ClipBackend *backend;

  g_setenv ("GST_CLIP_VULKAN_VALIDATE", "sync", TRUE);
  shim_install ();
  shim.no_barriers = no_barriers;
  backend =
      clip_vulkan_backend_new (&(ClipVulkanParams){ .device = test_device (),
                                   .precision = CLIP_PRECISION_F32 },
          &error);
  if (backend)
    backend->ops->free (backend);
}

static void
test_barrier (void)
{
  if (g_test_subprocess ()) {
    open_validated (TRUE);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*SYNC-HAZARD*");
}

/* The same without a mistake. */
static void
test_silence (void)
{
  if (g_test_subprocess ()) {
    open_validated (FALSE);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

void
planted_add_tests (void)
{
  g_test_add_func ("/vulkan/planted/barrier", test_barrier);
  g_test_add_func ("/vulkan/planted/silence", test_silence);
}
