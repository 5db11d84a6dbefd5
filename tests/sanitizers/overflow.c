/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A planted fault: signed overflow, which is undefined.
 */
#include <glib.h>

int
main (int argc, char **argv)
{
  volatile gint n = G_MAXINT - (argc > 100);

  n = n + 1;
  return n == 0;
}
