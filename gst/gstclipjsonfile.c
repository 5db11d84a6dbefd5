/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/gstclipjsonfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#ifndef O_CLOEXEC
#  define O_CLOEXEC 0
#endif

/* TRUE for a regular file whose last byte is not a newline: a writer was
 * stopped, or the disk was full, in the middle of a line. */
static gboolean
ends_torn (const gchar *path)
{
  gint fd = g_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  gboolean torn = FALSE;
  struct stat status;
  gchar last;

  if (fd < 0)
    return FALSE;
  if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode) && status.st_size > 0
      && lseek (fd, -1, SEEK_END) >= 0 && read (fd, &last, 1) == 1)
    torn = last != '\n';
  close (fd);
  return torn;
}

gint
gst_clip_json_file_open (const gchar *path, gboolean append)
{
  gboolean torn = append && ends_torn (path);
  gint fd = g_open (path,
      O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | (append ? 0 : O_TRUNC), 0666);

  if (fd >= 0 && torn) {
    gint error = gst_clip_json_file_write (fd, "\n", 1);

    if (error != 0) {
      close (fd);
      errno = error;
      return -1;
    }
  }
  return fd;
}

gint
gst_clip_json_file_write (gint fd, const gchar *data, gsize size)
{
  while (size > 0) {
    gssize written = write (fd, data, size);

    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return written < 0 ? errno : EIO;
    data += written;
    size -= written;
  }
  return 0;
}
