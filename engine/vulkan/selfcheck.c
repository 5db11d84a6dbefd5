/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Small integers multiply and add exactly in floats of 32 and of 16 bits, in
 * any order, so a product of them must come out to the last bit, on every
 * device that computes at all.
 */
#include "engine/vulkan/program.h"

#define ROWS 37
#define COLUMNS 45
#define DEPTH 67

static gfloat
element (gsize i, gsize j, guint salt)
{
  return (gfloat) ((i * 7 + j * 13 + (i * j) % 5 + salt) % 9) - 4.f;
}

static gfloat *
matrix (gsize rows, gsize columns, guint salt)
{
  gfloat *x = g_new (gfloat, rows * columns);

  for (gsize i = 0; i < rows * columns; i++)
    x[i] = element (i / columns, i % columns, salt);
  return x;
}

static gboolean
is_product (const gfloat *out)
{
  for (gsize i = 0; i < ROWS; i++)
    for (gsize j = 0; j < COLUMNS; j++) {
      gint sum = 0;

      for (gsize k = 0; k < DEPTH; k++)
        sum += (gint) element (i, k, 1) * (gint) element (j, k, 2);
      if (out[i * COLUMNS + j] != (gfloat) sum)
        return FALSE;
    }
  return TRUE;
}

static ClipPlan *
plan_product (void)
{
  ClipPlan *plan = clip_plan_new (1);
  ClipOp op = CLIP_OP (CLIP_OP_GEMM);

  op.a = clip_plan_input (plan, "a", CLIP_DTYPE_F32, ROWS, DEPTH);
  op.weight = clip_plan_weight (plan, CLIP_ROLE_MATRIX, COLUMNS, DEPTH, "w");
  op.out = clip_plan_tensor (plan, ROWS, COLUMNS, "product");
  clip_plan_output (plan, op.out);
  clip_plan_add (plan, &op);
  clip_plan_finish (plan, FALSE);
  return plan;
}

static gboolean
run_product (ClipVulkanBackend *vulkan, const ClipPlan *plan,
    ClipWeight *weight, gfloat *out, GError **error)
{
  g_autofree gfloat *a = matrix (ROWS, DEPTH, 1);
  ClipProgram *program =
      clip_vulkan_prepare (&vulkan->parent, plan, &weight, error);
  gboolean ok;

  if (!program)
    return FALSE;
  ok = clip_vulkan_run (program, 1, (gconstpointer[]){ a }, (gpointer[]){ out },
      NULL, NULL, error);
  clip_vulkan_free_program (program);
  return ok;
}

gboolean
clip_vulkan_check_products (ClipVulkanBackend *vulkan, GError **error)
{
  g_auto (ClipHostTensor)
      w = { CLIP_DTYPE_F32, COLUMNS, DEPTH, matrix (COLUMNS, DEPTH, 2) };
  g_autoptr (ClipPlan) plan = plan_product ();
  g_autofree gfloat *out = g_new0 (gfloat, ROWS * COLUMNS);
  ClipWeight *weight = clip_vulkan_weight_new (vulkan->device, vulkan->half,
      CLIP_ROLE_MATRIX, &w, error);
  gboolean ok;

  if (!weight)
    return FALSE;
  ok = run_product (vulkan, plan, weight, out, error);
  clip_vulkan_weight_free (weight);
  if (ok && !is_product (out)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_DEVICE,
        "the Vulkan device %s multiplies matrices wrongly",
        vulkan->device->caps.name);
    ok = FALSE;
  }
  return ok;
}
