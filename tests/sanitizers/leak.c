/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A planted fault: loses a buffer and a plain allocation. Proves that a leak
 * would be reported, with the suppressions of the test run in force.
 */
#include <gst/gst.h>

static G_GNUC_NO_INLINE void
lose (void)
{
  GstBuffer *volatile buffer = gst_buffer_new_allocate (NULL, 4321, NULL);
  gchar *volatile text = g_strdup ("lost");

  if (!GST_IS_BUFFER (buffer) || !text)
    g_error ("nothing to lose");
  buffer = NULL;
  text = NULL;
}

/* Overwrites what lose () may have left on the stack and in registers, so
 * that no stray copy of a pointer keeps the blocks reachable. */
static G_GNUC_NO_INLINE void
scrub (void)
{
  volatile guint8 area[16384];

  for (gsize i = 0; i < sizeof area; i++)
    area[i] = 0;
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  lose ();
  scrub ();
  return 0;
}
