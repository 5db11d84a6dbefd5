/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CPU backend: one thread pool, vectorised C with run-time dispatch, and
 * OpenBLAS.
 */
#pragma once

#include "engine/plan/backend.h"

/* n_threads 0: as many as this process may run on (sched_getaffinity). */
ClipBackend *clip_cpu_backend_new (guint n_threads, GError **error);
