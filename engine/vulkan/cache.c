/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Compiled pipelines on disk. Drivers differ in how well they check what they
 * are handed, so nothing reaches them that is not what they gave: the file
 * begins with a checksum over everything behind it, and the key of the device,
 * its driver and our kernels.
 */
#include <string.h>

#include "engine/vulkan/pipeline.h"

#define MAGIC "gst-clip pipelines 1\n"
#define MAGIC_SIZE (sizeof MAGIC - 1)
#define DIGEST_SIZE 32
#define HEADER_SIZE (MAGIC_SIZE + 2 * DIGEST_SIZE)
/* Beyond this, a cache is not worth reading. */
#define MAX_SIZE (64u << 20)

static void
digest (GChecksum *checksum, guint8 *out)
{
  gsize size = DIGEST_SIZE;

  g_checksum_get_digest (checksum, out, &size);
  g_checksum_free (checksum);
}

static void
add (GChecksum *checksum, gconstpointer data, gsize size)
{
  g_checksum_update (checksum, data, (gssize) size);
}

/* Of the device, the driver and the kernels. */
static void
make_key (const ClipVulkanCaps *caps, guint8 *out)
{
  static const gboolean halves[CLIP_VULKAN_N_KERNELS] = {
    [CLIP_VULKAN_ATTENTION] = TRUE,
    [CLIP_VULKAN_CONV_DEPTHWISE] = TRUE,
    [CLIP_VULKAN_CONV_FULL] = TRUE,
    [CLIP_VULKAN_GATHER] = TRUE,
    [CLIP_VULKAN_GEMM] = TRUE,
    [CLIP_VULKAN_LAYER_NORM] = TRUE,
  };
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  const guint32 numbers[] = { caps->vendor, caps->device,
    caps->driver_version };

  add (checksum, numbers, sizeof numbers);
  add (checksum, caps->device_uuid, VK_UUID_SIZE);
  add (checksum, caps->cache_uuid, VK_UUID_SIZE);
  for (guint kernel = 0; kernel < CLIP_VULKAN_N_KERNELS; kernel++)
    for (guint half = 0; half <= (guint) halves[kernel]; half++) {
      gsize n;
      const guint32 *code =
          clip_vulkan_kernel_code ((ClipVulkanKernel) kernel, half != 0, &n);

      add (checksum, code, n * sizeof *code);
    }
  digest (checksum, out);
}

static void
sum_content (const guint8 *key, gconstpointer data, gsize size, guint8 *out)
{
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);

  add (checksum, key, DIGEST_SIZE);
  add (checksum, data, size);
  digest (checksum, out);
}

gchar *
clip_vulkan_cache_file (const ClipVulkanCaps *caps)
{
  const gchar *folder = g_getenv ("GST_CLIP_CACHE_DIR");
  GString *name = g_string_new ("pipelines-");
  gchar *path;

  for (guint i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf (name, "%02x", caps->device_uuid[i]);
  path = folder && *folder
      ? g_build_filename (folder, name->str, NULL)
      : g_build_filename (g_get_user_cache_dir (), "gst-clip", name->str, NULL);
  g_string_free (name, TRUE);
  return path;
}

GBytes *
clip_vulkan_cache_read (const ClipVulkanCaps *caps, const gchar *file)
{
  g_autofree gchar *content = NULL;
  guint8 key[DIGEST_SIZE], sum[DIGEST_SIZE];
  const gchar *data;
  gsize size;

  if (!g_file_get_contents (file, &content, &size, NULL) || size < HEADER_SIZE
      || size > MAX_SIZE || memcmp (content, MAGIC, MAGIC_SIZE) != 0)
    return NULL;
  make_key (caps, key);
  data = content + HEADER_SIZE;
  sum_content (key, data, size - HEADER_SIZE, sum);
  if (memcmp (content + MAGIC_SIZE, key, DIGEST_SIZE) != 0
      || memcmp (content + MAGIC_SIZE + DIGEST_SIZE, sum, DIGEST_SIZE) != 0)
    return NULL;
  return g_bytes_new (data, size - HEADER_SIZE);
}

void
clip_vulkan_cache_write (const ClipVulkanCaps *caps, const gchar *file,
    gconstpointer data, gsize size)
{
  g_autofree gchar *folder = g_path_get_dirname (file);
  g_autofree gchar *content = g_malloc (HEADER_SIZE + size);
  guint8 *key = (guint8 *) content + MAGIC_SIZE;

  if (size > MAX_SIZE - HEADER_SIZE || g_mkdir_with_parents (folder, 0700) != 0)
    return;
  memcpy (content, MAGIC, MAGIC_SIZE);
  make_key (caps, key);
  sum_content (key, data, size, key + DIGEST_SIZE);
  memcpy (content + HEADER_SIZE, data, size);
  g_file_set_contents (file, content, (gssize) (HEADER_SIZE + size), NULL);
}
