/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/cpu/context.h"

static void
cpu_free (ClipBackend *backend)
{
  ClipCpuBackend *cpu = (ClipCpuBackend *) backend;

  g_clear_pointer (&cpu->pool, clip_pool_free);
  g_free (backend->description);
  g_free (backend->warning);
  g_free (cpu);
}

static const gchar *
weight_layout (ClipBackend *backend)
{
  static const gchar *const layouts[][2] = {
    [CLIP_PROCESSOR_C] = { "cpu-c", "cpu-c-openblas" },
    [CLIP_PROCESSOR_AVX2] = { "cpu-avx2", "cpu-avx2-openblas" },
    [CLIP_PROCESSOR_AVX512] = { "cpu-avx512", "cpu-avx512-openblas" },
  };
  const ClipCpuBackend *cpu = (const ClipCpuBackend *) backend;

  return layouts[cpu->kernels->processor][cpu->sgemm != NULL];
}

static const ClipOps cpu_ops = {
  .free = cpu_free,
  .weight_layout = weight_layout,
  .prepare_weight = clip_cpu_prepare_weight,
  .free_weight = clip_cpu_free_weight,
  .prepare = clip_cpu_prepare,
  .run = clip_cpu_run,
  .free_program = clip_cpu_free_program,
};

/* Whether products go to OpenBLAS: its assembly beats plain C, our vectorised
 * kernels beat it. GST_CLIP_GEMM overrides. */
static gboolean
choose_openblas (ClipProcessor processor, gboolean *openblas, GError **error)
{
  const gchar *wanted = g_getenv ("GST_CLIP_GEMM");

  *openblas = processor == CLIP_PROCESSOR_C;
  if (!wanted || !*wanted)
    return TRUE;
  if (g_str_equal (wanted, "openblas") || g_str_equal (wanted, "native")) {
    *openblas = g_str_equal (wanted, "openblas");
    return TRUE;
  }
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
      "GST_CLIP_GEMM is \"%s\", expected \"native\" or \"openblas\"", wanted);
  return FALSE;
}

/* Replaces a BLAS that computes wrongly (seen with builds that do not know a
 * new processor) by our kernels. */
static gboolean
check_products (ClipCpuBackend *cpu, GError **error)
{
  gboolean right;

  if (!clip_cpu_check_gemm (cpu, &right, error))
    return FALSE;
  if (right)
    return TRUE;
  if (cpu->sgemm) {
    cpu->parent.warning =
        g_strdup_printf ("OpenBLAS (core \"%s\") multiplies matrices wrongly "
                         "on this "
                         "processor; the engine's own kernels do it instead",
            openblas_get_corename ());
    cpu->sgemm = NULL;
    return check_products (cpu, error);
  }
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
      "the processor multiplies matrices wrongly with %s kernels",
      clip_processor_name (cpu->kernels->processor));
  return FALSE;
}

ClipBackend *
clip_cpu_backend_new_with (guint n_threads, ClipProcessor processor,
    ClipSgemm sgemm, GError **error)
{
  ClipCpuBackend *cpu = g_new0 (ClipCpuBackend, 1);

  cpu->parent.ops = &cpu_ops;
  cpu->kernels = clip_kernels_get (processor);
  cpu->sgemm = sgemm;
  if (sgemm)
    openblas_set_num_threads (1);
  if (n_threads == 0)
    n_threads = clip_pool_count_processors ();
  cpu->pool = clip_pool_new (n_threads, error);
  if (!cpu->pool || !check_products (cpu, error)) {
    cpu_free (&cpu->parent);
    return NULL;
  }
  cpu->parent.description = g_strdup_printf ("cpu, %u thread%s, %s kernels%s",
      n_threads, n_threads == 1 ? "" : "s", clip_processor_name (processor),
      cpu->sgemm ? ", OpenBLAS" : "");
  return &cpu->parent;
}

ClipBackend *
clip_cpu_backend_new (guint n_threads, GError **error)
{
  const ClipProcessor processor = clip_processor_detect ();
  gboolean openblas;

  if (!choose_openblas (processor, &openblas, error))
    return NULL;
  return clip_cpu_backend_new_with (n_threads, processor,
      openblas ? cblas_sgemm : NULL, error);
}
