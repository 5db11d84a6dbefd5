/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A planted fault: two threads count without a lock. With the argument
 * "locked" they hold the engine's lock and there must be no report.
 */
#include "engine/thread.h"

#include <string.h>

static ClipMutex mutex = CLIP_MUTEX_INIT;
static int counter, locked;

static void *
count (void *unused)
{
  for (int i = 0; i < 1000; i++) {
    if (locked)
      clip_mutex_lock (&mutex);
    counter++;
    if (locked)
      clip_mutex_unlock (&mutex);
  }
  return unused;
}

int
main (int argc, char **argv)
{
  pthread_t threads[2];

  locked = argc > 1 && strcmp (argv[1], "locked") == 0;
  for (int i = 0; i < 2; i++)
    pthread_create (&threads[i], NULL, count, NULL);
  for (int i = 0; i < 2; i++)
    pthread_join (threads[i], NULL);
  return counter == 0;
}
