/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CPU backend: one thread pool, vectorised C with run-time dispatch, and
 * OpenBLAS.
 */
#pragma once

#include "engine/plan/backend.h"

/* n_threads 0: as many as this process may run on (its affinity and its
 * control group's quota).
 *
 * Matrix products run on our own kernels where the processor has AVX2 or
 * AVX-512, and on OpenBLAS elsewhere; GST_CLIP_GEMM=native or openblas forces
 * one, GST_CLIP_PROCESSOR=c, avx2 or avx512 a variant of the kernels. A
 * product whose answer is known is tried first: an OpenBLAS that fails it is
 * replaced by our kernels, and backend->warning says so; kernels of ours that
 * fail it are a DEVICE error.
 *
 * With OpenBLAS the pool's threads call it side by side, so its own thread
 * count, which belongs to the whole process, is set to 1. */
ClipBackend *clip_cpu_backend_new (guint n_threads, GError **error);
