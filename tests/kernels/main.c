/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Checks every kernel of every variant against a double-precision reference,
 * and times them with --bench.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "tests/kernels/bench.h"

const Variant variants[N_VARIANTS] = {
  { "c", CLIP_PROCESSOR_C, NULL },
  { "avx2", CLIP_PROCESSOR_AVX2, NULL },
  { "avx512", CLIP_PROCESSOR_AVX512, NULL },
  { "openblas", CLIP_PROCESSOR_C, cblas_sgemm },
};

ClipBackend *
variant_backend_new (const Variant *variant, guint n_threads)
{
  g_autoptr (GError) error = NULL;
  ClipBackend *backend;

  if (variant->processor > clip_processor_detect ()) {
    g_test_skip ("this processor cannot run the variant");
    return NULL;
  }
  backend = clip_cpu_backend_new_with (n_threads, variant->processor,
      variant->sgemm, &error);
  g_assert_no_error (error);
  g_assert_null (backend->warning);
  return backend;
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
  if (argc == 2 && g_str_equal (argv[1], "--bench")) {
    bench_against_blas ();
    bench_operations ();
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  ops_add_tests ();
  backend_add_tests ();
  return g_test_run ();
}
