/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Checks every kernel of every variant against a double-precision reference,
 * and times them with --bench.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "tests/kernels/bench.h"

#define CPU(name_, processor_, sgemm_)                                         \
  {                                                                            \
    .name = name_, .processor = CLIP_PROCESSOR_##processor_, .sgemm = sgemm_   \
  }
#define VULKAN(name_, precision_)                                              \
  {                                                                            \
    .name = name_, .vulkan = TRUE, .precision = CLIP_PRECISION_##precision_    \
  }
#define VULKAN_GEMM(kernel)                                                    \
  { .name = "vulkan-f32/" kernel,                                              \
    .vulkan = TRUE,                                                            \
    .precision = CLIP_PRECISION_F32,                                           \
    .gemm_only = TRUE },                                                       \
  {                                                                            \
    .name = "vulkan-f16/" kernel, .vulkan = TRUE,                              \
    .precision = CLIP_PRECISION_F16, .gemm_only = TRUE                         \
  }

const Variant variants[N_VARIANTS] = {
  CPU ("c", C, NULL),
  CPU ("avx2", AVX2, NULL),
  CPU ("avx512", AVX512, NULL),
  CPU ("openblas", C, cblas_sgemm),
  VULKAN ("vulkan-f32", F32),
  VULKAN ("vulkan-f16", F16),
  VULKAN_GEMM ("gemm-8x64"),
  VULKAN_GEMM ("gemm-16x64"),
  VULKAN_GEMM ("gemm-32x64"),
  VULKAN_GEMM ("gemm-64x64"),
  VULKAN_GEMM ("gemm-128x128"),
};

/* For tests and for timings alike. */
static void
skip (const gchar *why)
{
  if (g_test_initialized ())
    g_test_skip (why);
}

ClipBackend *
variant_backend_new (const Variant *variant, guint n_threads)
{
  g_autoptr (GError) error = NULL;
  ClipBackend *backend = NULL;

  if (variant->vulkan)
    backend = vulkan_variant_get (variant, &error);
  if (variant->vulkan && !backend)
    skip (error->message);
  if (variant->vulkan)
    return backend;
  if (variant->processor > clip_processor_detect ()) {
    skip ("this processor cannot run the variant");
    return NULL;
  }
  backend = clip_cpu_backend_new_with (n_threads, variant->processor,
      variant->sgemm, &error);
  g_assert_no_error (error);
  g_assert_null (backend->warning);
  return backend;
}

void
variant_backend_free (const Variant *variant, ClipBackend *backend)
{
  if (!variant->vulkan)
    backend->ops->free (backend);
}

#define POISON 0xa5

Guarded
guarded_new (gsize size)
{
  const gsize page = sysconf (_SC_PAGESIZE);
  const gsize used = (size + 256 + page - 1) / page * page;
  Guarded guarded = { .map_size = used + page };

  guarded.map = mmap (NULL, guarded.map_size, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  g_assert_true (guarded.map != MAP_FAILED);
  memset (guarded.map, POISON, used);
  g_assert_cmpint (mprotect (guarded.map + used, page, PROT_NONE), ==, 0);
  guarded.data = guarded.map + used - size;
  return guarded;
}

void
guarded_free (Guarded *guarded)
{
  if (!guarded->map)
    return;
  for (guint8 *p = guarded->map; p < (guint8 *) guarded->data; p++)
    g_assert_cmphex (*p, ==, POISON);
  munmap (guarded->map, guarded->map_size);
  guarded->map = NULL;
}

int
main (int argc, char **argv)
{
  int result;

  if (argc == 2 && g_str_equal (argv[1], "--bench")) {
    bench_against_blas ();
    bench_operations ();
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  ops_add_tests ();
  backend_add_tests ();
  result = g_test_run ();
  vulkan_variant_clear ();
  return result;
}
