/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which device is taken, what is kept of it on disk, and 16-bit floats.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "engine/backends.h"
#include "engine/vulkan/half.h"
#include "engine/vulkan/program.h"
#include "tests/engine/vulkan/tests.h"

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
no_function (VkInstance instance, const char *name)
{
  return NULL;
}

static ClipBackend *
open_device (const gchar *device, GError **error)
{
  return clip_vulkan_backend_new (&(ClipVulkanParams){ .device = device },
      error);
}

static void
test_names (void)
{
  g_autoptr (GError) error = NULL;
  ClipBackend *by_name = open_device (test_device (), &error);
  ClipVulkanBackend *vulkan = (ClipVulkanBackend *) by_name;
  GString *uuid = g_string_new (NULL);
  ClipBackend *by_uuid;

  g_assert_no_error (error);
  for (guint i = 0; i < 4; i++)
    g_string_append_printf (uuid, "%02X", vulkan->device->caps.device_uuid[i]);
  by_uuid = open_device (uuid->str, &error);
  g_assert_no_error (error);
  /* One device, opened once. */
  g_assert_true (((ClipVulkanBackend *) by_uuid)->device == vulkan->device);
  by_uuid->ops->free (by_uuid);
  by_name->ops->free (by_name);
  g_string_free (uuid, TRUE);

  g_assert_null (open_device ("abacus", &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE);
  g_assert_nonnull (strstr (error->message, "abacus"));
  g_clear_error (&error);
  g_assert_null (open_device ("4711", &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE);
}

static void
test_software_is_not_taken_unasked (void)
{
  g_autoptr (GError) error = NULL;
  ClipBackend *backend = open_device (NULL, &error);

  if (!backend) {
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE);
    return;
  }
  g_assert_false (((ClipVulkanBackend *) backend)->device->caps.software);
  backend->ops->free (backend);
}

static void
test_no_loader (void)
{
  g_autoptr (GError) error = NULL;
  ClipBackend *backend;

  clip_vk_override_loader (no_function);
  g_assert_null (clip_backend_new (&(ClipEncoderParams){ "vulkan" }, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE);
  g_clear_error (&error);

  backend = clip_backend_new (&(ClipEncoderParams){ "auto" }, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (backend->name, ==, "cpu");
  g_assert_null (backend->warning);
  g_assert_nonnull (strstr (backend->description, "not Vulkan"));
  backend->ops->free (backend);

  backend = clip_backend_new (&(ClipEncoderParams){ .backend = "auto",
                                  .device = "radeon" },
      &error);
  g_assert_no_error (error);
  g_assert_cmpstr (backend->name, ==, "cpu");
  g_assert_nonnull (backend->warning);
  backend->ops->free (backend);
  clip_vk_override_loader (NULL);
}

static void
flip (const gchar *file, gsize at, gsize length)
{
  g_autofree gchar *content = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  g_file_get_contents (file, &content, &size, &error);
  g_assert_no_error (error);
  content[MIN (at, size - 1)] ^= 1;
  g_file_set_contents (file, content, (gssize) MIN (size, length), &error);
  g_assert_no_error (error);
}

static void
test_cache (void)
{
  static const gchar data[] = "what a driver compiled";
  ClipVulkanCaps caps = { .vendor = 1, .device = 2, .driver_version = 3 };
  g_autoptr (GError) error = NULL;
  g_autofree gchar *folder = g_dir_make_tmp ("clip-XXXXXX", &error);
  g_autofree gchar *file = g_build_filename (folder, "cache", NULL);
  g_autoptr (GBytes) read = NULL;

  g_assert_no_error (error);
  g_assert_null (clip_vulkan_cache_read (&caps, file));
  clip_vulkan_cache_write (&caps, file, data, sizeof data);
  read = clip_vulkan_cache_read (&caps, file);
  g_assert_nonnull (read);
  g_assert_cmpmem (g_bytes_get_data (read, NULL), g_bytes_get_size (read), data,
      sizeof data);

  caps.driver_version++;
  g_assert_null (clip_vulkan_cache_read (&caps, file));
  caps.driver_version--;
  for (gsize at = 0; at < 21 + 64 + sizeof data; at++) {
    flip (file, at, G_MAXSIZE);
    g_assert_null (clip_vulkan_cache_read (&caps, file));
    flip (file, at, G_MAXSIZE);
  }
  g_clear_pointer (&read, g_bytes_unref);
  read = clip_vulkan_cache_read (&caps, file);
  g_assert_nonnull (read);
  for (gsize length = 21 + 64 + sizeof data - 1; length > 0; length--) {
    flip (file, G_MAXSIZE, length);
    g_assert_null (clip_vulkan_cache_read (&caps, file));
  }
  g_unlink (file);
  g_rmdir (folder);
}

/* Every half there and back, and what lies between two of them. */
static void
test_halves (void)
{
  for (guint h = 0; h < 0x7c00; h++) {
    const gfloat x = clip_half_to_float ((guint16) h);
    const gfloat next = clip_half_to_float ((guint16) (h + 1));
    const gfloat middle = h == 0x7bff ? 65520.f : (x + next) / 2;

    g_assert_cmphex (clip_half_from_float (x), ==, h);
    g_assert_cmphex (clip_half_from_float (-x), ==, h | 0x8000);
    g_assert_cmphex (clip_half_from_float (middle), ==, h + (h & 1));
  }
  g_assert_cmphex (clip_half_from_float (1e30f), ==, 0x7c00);
}

void
choice_add_tests (void)
{
  g_test_add_func ("/vulkan/device/names", test_names);
  g_test_add_func ("/vulkan/device/software-is-not-taken-unasked",
      test_software_is_not_taken_unasked);
  g_test_add_func ("/vulkan/device/no-loader", test_no_loader);
  g_test_add_func ("/vulkan/cache", test_cache);
  g_test_add_func ("/vulkan/halves", test_halves);
}
