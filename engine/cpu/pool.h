/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The threads of a CPU backend. Each thread has its part of a loop's turns and
 * then helps the others, the caller takes part, and a thread that comes late
 * delays nobody. Between
 * loops the threads spin for some microseconds, as the next loop of a program
 * follows at once, then sleep. Nothing is allocated after the start.
 */
#pragma once

#include <glib.h>

typedef struct _ClipPool ClipPool;

/* One turn of a loop; `thread` < n_threads is the same for no two turns that
 * run at the same time. */
typedef void (*ClipPoolFunc) (gpointer data, guint turn, guint thread);

/* How many processors this process may use: its affinity, and the quota of
 * its control group. */
guint clip_pool_count_processors (void);

/* n_threads >= 1, the caller of clip_pool_run () included. NULL with a DEVICE
 * error when the system gives no more threads. */
ClipPool *clip_pool_new (guint n_threads, GError **error);
void clip_pool_free (ClipPool *pool);
guint clip_pool_get_n_threads (const ClipPool *pool);
/* Calls func for turns 0 .. n-1, in any order, and returns when all are done.
 * One thread at a time per pool. */
void clip_pool_run (ClipPool *pool, guint n, ClipPoolFunc func, gpointer data);
