/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "engine/cpu/pool.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/clip.h"
#include "engine/thread.h"

/* About 50 microseconds: longer than the serial part between two loops of a
 * program, shorter than anybody notices in a profile. */
#define SPINS 2000

typedef struct {
  ClipPool *pool;
  guint index;
  pthread_t id;
} Worker;

/* A loop's turns are dealt out in as many runs as there are threads. Each
 * thread works on its own run first: neighbouring turns, and the same ones from
 * loop to loop, so that what one operation wrote is in the cache of the thread
 * that reads it next. Then it helps the others.
 *
 * A share holds the loop's number in the upper half and the turns of the run
 * that are still to be taken in the lower. A thread reads func, data and n, then
 * takes a turn by compare-and-swap: it succeeds only while the loop that these
 * belong to is still open, so a late worker never runs a stale one. */
typedef struct {
  _Alignas(64) _Atomic (guint64) left;
} Share;

struct _ClipPool {
  guint n_threads, n_workers;
  Worker *workers;
  Share *shares;  /* [n_threads] */
  guint32 number; /* of the loop; the caller's */
  _Atomic (ClipPoolFunc) func;
  _Atomic (gpointer) data;
  atomic_uint n;
  atomic_uint done;
  atomic_uint sleepers;
  atomic_bool waiting; /* the caller sleeps until done == n */
  atomic_bool quit;
  ClipMutex lock;
  ClipCond wake, finished;
};

static inline void
relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static guint
read_quota (void)
{
  FILE *file = fopen ("/sys/fs/cgroup/cpu.max", "re");
  unsigned long long quota, period;
  guint n = G_MAXUINT;

  if (!file)
    return n;
  if (fscanf (file, "%llu %llu", &quota, &period) == 2 && period > 0)
    n = (guint) CLAMP ((quota + period - 1) / period, 1, G_MAXUINT);
  fclose (file);
  return n;
}

guint
clip_pool_count_processors (void)
{
  guint n = g_get_num_processors ();
#ifdef CPU_COUNT
  cpu_set_t set;

  if (sched_getaffinity (0, sizeof set, &set) == 0)
    n = CPU_COUNT (&set);
#endif
  return MAX (1, MIN (n, read_quota ()));
}

/* The first turn of share i of n turns. */
static guint
share_begin (const ClipPool *pool, guint n, guint i)
{
  return (guint) ((guint64) n * i / pool->n_threads);
}

/* Runs turns of one share until none is left; returns whether this thread
 * ended the loop. */
static gboolean
take_share (ClipPool *pool, guint share, guint thread)
{
  _Atomic (guint64) *const left = &pool->shares[share].left;
  guint64 state = atomic_load (left);
  gboolean ended = FALSE;

  while ((guint32) state > 0) {
    const ClipPoolFunc func =
        atomic_load_explicit (&pool->func, memory_order_relaxed);
    const gpointer data =
        atomic_load_explicit (&pool->data, memory_order_relaxed);
    const guint n = atomic_load_explicit (&pool->n, memory_order_relaxed);

    if (!atomic_compare_exchange_weak (left, &state, state - 1))
      continue;
    func (data, share_begin (pool, n, share + 1) - (guint32) state, thread);
    ended = atomic_fetch_add (&pool->done, 1) + 1 == n;
    state = atomic_load (left);
  }
  return ended;
}

static gboolean
take_turns (ClipPool *pool, guint thread)
{
  gboolean ended = FALSE;

  for (guint i = 0; i < pool->n_threads; i++)
    ended |= take_share (pool, (thread + i) % pool->n_threads, thread);
  return ended;
}

static gboolean
has_work (ClipPool *pool)
{
  for (guint i = 0; i < pool->n_threads; i++)
    if ((guint32) atomic_load (&pool->shares[i].left) > 0)
      return TRUE;
  return atomic_load (&pool->quit);
}

static void
wait_for_work (ClipPool *pool)
{
  for (guint i = 0; i < SPINS; i++) {
    if (has_work (pool))
      return;
    relax ();
  }
  clip_mutex_lock (&pool->lock);
  atomic_fetch_add (&pool->sleepers, 1);
  while (!has_work (pool))
    clip_cond_wait (&pool->wake, &pool->lock);
  atomic_fetch_sub (&pool->sleepers, 1);
  clip_mutex_unlock (&pool->lock);
}

static void *
work (void *data)
{
  Worker *worker = data;
  ClipPool *pool = worker->pool;

  while (!atomic_load (&pool->quit)) {
    if (take_turns (pool, worker->index) && atomic_load (&pool->waiting)) {
      clip_mutex_lock (&pool->lock);
      clip_cond_signal (&pool->finished);
      clip_mutex_unlock (&pool->lock);
    }
    wait_for_work (pool);
  }
  return NULL;
}

static gboolean
is_done (ClipPool *pool)
{
  return atomic_load (&pool->done) == atomic_load (&pool->n);
}

static void
wait_until_done (ClipPool *pool)
{
  for (guint i = 0; i < SPINS; i++) {
    if (is_done (pool))
      return;
    relax ();
  }
  clip_mutex_lock (&pool->lock);
  atomic_store (&pool->waiting, TRUE);
  while (!is_done (pool))
    clip_cond_wait (&pool->finished, &pool->lock);
  atomic_store (&pool->waiting, FALSE);
  clip_mutex_unlock (&pool->lock);
}

void
clip_pool_run (ClipPool *pool, guint n, ClipPoolFunc func, gpointer data)
{
  if (n <= 1 || pool->n_workers == 0) {
    for (guint i = 0; i < n; i++)
      func (data, i, 0);
    return;
  }
  atomic_store_explicit (&pool->func, func, memory_order_relaxed);
  atomic_store_explicit (&pool->data, data, memory_order_relaxed);
  atomic_store_explicit (&pool->n, n, memory_order_relaxed);
  atomic_store (&pool->done, 0);
  pool->number++;
  for (guint i = 0; i < pool->n_threads; i++)
    atomic_store (&pool->shares[i].left,
        (guint64) pool->number << 32
            | (share_begin (pool, n, i + 1) - share_begin (pool, n, i)));
  if (atomic_load (&pool->sleepers) > 0) {
    clip_mutex_lock (&pool->lock);
    clip_cond_broadcast (&pool->wake);
    clip_mutex_unlock (&pool->lock);
  }
  take_turns (pool, 0);
  wait_until_done (pool);
}

guint
clip_pool_get_n_threads (const ClipPool *pool)
{
  return pool->n_threads;
}

static void
stop_workers (ClipPool *pool, guint n)
{
  clip_mutex_lock (&pool->lock);
  atomic_store (&pool->quit, TRUE);
  clip_cond_broadcast (&pool->wake);
  clip_mutex_unlock (&pool->lock);
  for (guint i = 0; i < n; i++)
    pthread_join (pool->workers[i].id, NULL);
}

void
clip_pool_free (ClipPool *pool)
{
  stop_workers (pool, pool->n_workers);
  clip_cond_clear (&pool->finished);
  clip_cond_clear (&pool->wake);
  clip_mutex_clear (&pool->lock);
  free (pool->shares);
  g_free (pool->workers);
  g_free (pool);
}

ClipPool *
clip_pool_new (guint n_threads, GError **error)
{
  ClipPool *pool = g_new0 (ClipPool, 1);

  pool->n_threads = n_threads;
  pool->workers = g_new0 (Worker, n_threads);
  pool->shares = aligned_alloc (sizeof (Share), n_threads * sizeof (Share));
  for (guint i = 0; i < n_threads; i++)
    atomic_init (&pool->shares[i].left, 0);
  clip_mutex_init (&pool->lock);
  clip_cond_init (&pool->wake);
  clip_cond_init (&pool->finished);
  while (pool->n_workers + 1 < pool->n_threads) {
    Worker *worker = &pool->workers[pool->n_workers];
    int result;

    worker->pool = pool;
    worker->index = pool->n_workers + 1;
    result = pthread_create (&worker->id, NULL, work, worker);
    if (result != 0) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
          "cannot start thread %u of %u: %s", worker->index, n_threads,
          g_strerror (result));
      clip_pool_free (pool);
      return NULL;
    }
    pool->n_workers++;
  }
  return pool;
}
