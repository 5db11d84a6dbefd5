/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A planted fault: writes one element past the end of a heap array.
 */
#include <glib.h>

int
main (int argc, char **argv)
{
  volatile gsize n = 10 + (argc > 100);
  volatile gint *array = g_new0 (gint, n);

  array[n] = 1;
  g_free ((gpointer) array);
  return 0;
}
