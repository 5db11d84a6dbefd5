/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Locks of the engine: pthreads, whose calls ThreadSanitizer intercepts, where
 * GLib's futex-based GMutex and GCond would be invisible to it.
 */
#pragma once

#include <pthread.h>

typedef pthread_mutex_t ClipMutex;
typedef pthread_cond_t ClipCond;

#define CLIP_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#define clip_mutex_init(m) pthread_mutex_init ((m), NULL)
#define clip_mutex_clear(m) pthread_mutex_destroy (m)
#define clip_mutex_lock(m) pthread_mutex_lock (m)
#define clip_mutex_unlock(m) pthread_mutex_unlock (m)
#define clip_cond_init(c) pthread_cond_init ((c), NULL)
#define clip_cond_clear(c) pthread_cond_destroy (c)
#define clip_cond_wait(c, m) pthread_cond_wait ((c), (m))
#define clip_cond_signal(c) pthread_cond_signal (c)
#define clip_cond_broadcast(c) pthread_cond_broadcast (c)
