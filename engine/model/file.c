/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/model/file.h"

#include "engine/clip.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void
set_errno_error (GError **error, const gchar *path, gint code)
{
  g_set_error (error, CLIP_ERROR,
      code == ENOENT || code == ENOTDIR ? CLIP_ERROR_NOT_FOUND
                                        : CLIP_ERROR_FORMAT,
      "%s: %s", path, g_strerror (code));
}

ClipFile *
clip_file_open (const gchar *path, GError **error)
{
  /* O_NONBLOCK: opening a pipe must not wait for a writer. */
  gint fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    set_errno_error (error, path, errno);
    return NULL;
  }
  struct stat st;
  if (fstat (fd, &st) != 0) {
    set_errno_error (error, path, errno);
    close (fd);
    return NULL;
  }
  if (!S_ISREG (st.st_mode)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT, "%s: not a regular file",
        path);
    close (fd);
    return NULL;
  }
  ClipFile *file = g_new0 (ClipFile, 1);
  file->path = g_strdup (path);
  file->fd = fd;
  file->size = (guint64) st.st_size;
  return file;
}

void
clip_file_close (ClipFile *file)
{
  close (file->fd);
  g_free (file->path);
  g_free (file);
}

gboolean
clip_file_read (const ClipFile *file, guint64 offset, gsize n, gpointer out,
    GError **error)
{
  gsize done = 0;
  while (done < n) {
    gssize got = pread (file->fd, (gchar *) out + done,
        MIN (n - done, (gsize) G_MAXINT / 2), (off_t) (offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT, "%s: %s", file->path,
          g_strerror (errno));
      return FALSE;
    }
    if (got == 0) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "%s: ends at byte %" G_GUINT64_FORMAT ", expected %" G_GSIZE_FORMAT
          " more; the file was truncated",
          file->path, offset + done, n - done);
      return FALSE;
    }
    done += (gsize) got;
  }
  return TRUE;
}

gchar *
clip_file_read_all (const gchar *path, gsize limit, gsize *length,
    GError **error)
{
  g_autoptr (ClipFile) file = clip_file_open (path, error);
  if (file == NULL)
    return NULL;
  if (file->size > limit) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "%s: %" G_GUINT64_FORMAT " bytes, expected at most %" G_GSIZE_FORMAT,
        path, file->size, limit);
    return NULL;
  }
  g_autofree gchar *data = g_malloc ((gsize) file->size + 1);
  if (!clip_file_read (file, 0, (gsize) file->size, data, error))
    return NULL;
  data[file->size] = '\0';
  *length = (gsize) file->size;
  return g_steal_pointer (&data);
}

void
clip_file_append_identity (GString *key, const gchar *path)
{
  struct stat st;
  if (path == NULL || stat (path, &st) != 0) {
    g_string_append (key, "-;");
    return;
  }
  g_string_append_printf (key,
      "%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT
      ".%" G_GINT64_FORMAT ".%ld;",
      (guint64) st.st_dev, (guint64) st.st_ino, (guint64) st.st_size,
      (gint64) st.st_mtim.tv_sec, (glong) st.st_mtim.tv_nsec);
}
