/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One-operation plans of random shapes, on every variant. Inputs, weights and
 * outputs end at a page that cannot be touched.
 */
#include "tests/kernels/case.h"

static gsize
pick (const guint16 *sizes, gsize n)
{
  return sizes[g_test_rand_int_range (0, n)];
}

#define PICK(...)                                                              \
  pick ((const guint16[]){ __VA_ARGS__ },                                      \
      G_N_ELEMENTS (((const guint16[]){ __VA_ARGS__ })))

static gboolean
can_run (const Variant *variant)
{
  ClipBackend *backend = variant_backend_new (variant, 1);

  if (backend)
    variant_backend_free (variant, backend);
  return backend != NULL;
}

/* A kernel is compiled anew for many shapes, on a software device slowly. */
static guint
count_cases (const Variant *variant, guint n)
{
  return variant->vulkan ? (n + 3) / 4 : n;
}

#define EDGES 1, 2, 3, 5, 7, 8, 13, 14, 15, 16, 17, 29, 31, 32, 33, 48, 63, 65

static void
check_gemm (const Variant *variant, gsize rows, gsize columns, gsize depth,
    ClipActivation act, gboolean bias, gboolean residual, gboolean into_b)
{
  Case c = case_new (variant, CLIP_OP_GEMM);

  c.op.act = act;
  /* Vulkan reads no output; in a tower, what is added to lies in the arena. */
  c.into_b = residual && into_b && !variant->vulkan;
  case_add_a (&c, rows, depth);
  c.op.weight =
      case_add_weight (&c, CLIP_ROLE_MATRIX, CLIP_DTYPE_F32, columns, depth);
  if (bias)
    c.op.bias =
        case_add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, 1, columns);
  if (residual)
    case_add_b (&c, rows, columns);
  case_add_out (&c, rows, columns);
  case_check (variant, &c);
}

static void
test_gemm (gconstpointer data)
{
  const Variant *variant = data;

  if (!can_run (data))
    return;
  for (guint i = 0; i < count_cases (data, 40); i++)
    check_gemm (data, PICK (EDGES, 113, 150), PICK (EDGES, 129, 160, 300),
        PICK (EDGES, 255, 256, 257, 512, 600),
        g_test_rand_int_range (0, CLIP_ACT_SILU + 1), g_test_rand_bit (),
        g_test_rand_bit (), g_test_rand_bit ());
  for (gint act = 0; !variant->gemm_only && act <= CLIP_ACT_SILU; act++)
    check_gemm (data, 11, 70, 300, act, TRUE, TRUE, TRUE);
}

static void
test_layer_norm (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < count_cases (data, 20); i++) {
    const gsize rows = PICK (1, 2, 7, 50);
    const gsize columns = PICK (EDGES, 127, 256, 768, 1029);
    Case c = case_new (data, CLIP_OP_LAYER_NORM);

    c.op.epsilon = 1e-5f;
    case_add_a (&c, rows, columns);
    /* A mean that is large beside the deviation; halves have no room for it. */
    for (gsize j = 0; i % 2 && !c.half && j < c.batch * rows * columns; j++)
      ((gfloat *) c.a.data)[j] += 100.f;
    c.op.weight =
        case_add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, 1, columns);
    c.op.bias =
        case_add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, 1, columns);
    case_add_out (&c, rows, columns);
    case_check (data, &c);
  }
}

static void
test_attention (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < count_cases (data, 24); i++) {
    const gsize n_keys = PICK (1, 2, 5, 16, 17, 50, 57, 77, 130, 261);
    const gboolean causal = i % 2, one = i % 3 == 0;
    const gsize n_queries = one ? 1
        : causal                ? (gsize) g_test_rand_int_range (1, n_keys + 1)
                                : PICK (1, 3, 56, 57, 115);
    const gsize width = (gsize) g_test_rand_int_range (1, 4)
        * PICK (1, 3, 8, 32, 64, 72, 88, 104, 300);
    Case c = case_new (data, CLIP_OP_ATTENTION);

    c.op.heads = width % 3 == 0 ? 3 : width % 2 == 0 ? 2 : 1;
    c.op.head_dim = width / c.op.heads;
    c.op.mask = causal ? CLIP_MASK_CAUSAL : CLIP_MASK_NONE;
    c.op.q_column = g_test_rand_int_range (0, 3);
    c.op.k_column = g_test_rand_int_range (0, 3);
    c.op.v_column = c.op.k_column + width;
    case_add_a (&c, n_queries, width + c.op.q_column);
    case_add_b (&c, n_keys, c.op.v_column + width);
    if (causal && one)
      case_add_positions (&c, n_keys);
    case_add_out (&c, n_queries, width);
    case_check (data, &c);
  }
}

static void
test_embed (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < count_cases (data, 12); i++) {
    const gsize rows = PICK (1, 5, 77), columns = PICK (EDGES, 512);
    const gint vocab = 97;
    Case c = case_new (data, CLIP_OP_EMBED);

    case_add_ids (&c, rows, vocab);
    c.op.weight = case_add_weight (&c, CLIP_ROLE_TABLE,
        (const ClipDType[]){
            CLIP_DTYPE_F32, CLIP_DTYPE_F16, CLIP_DTYPE_BF16 }[i % 3],
        vocab, columns);
    c.op.bias = case_add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, rows + 2,
        columns);
    case_add_out (&c, rows, columns);
    case_check (data, &c);
  }
}

static void
test_prepend (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < count_cases (data, 8); i++) {
    const gsize rows = PICK (1, 7, 49), columns = PICK (EDGES, 768);
    Case c = case_new (data, CLIP_OP_PREPEND);

    case_add_a (&c, rows, columns);
    c.op.weight =
        case_add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, 1, columns);
    c.op.bias = case_add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, rows + 1,
        columns);
    case_add_out (&c, rows + 1, columns);
    case_check (data, &c);
  }
}

static void
check_conv (const Variant *variant, gboolean depthwise)
{
  const gsize channels = depthwise ? PICK (EDGES, 96) : PICK (1, 3, 4, 17, 33);
  const gsize out_channels = depthwise ? channels : PICK (EDGES);
  Case c = case_new (variant, CLIP_OP_CONV);
  gsize taps;

  c.op.kernel = g_test_rand_int_range (1, 8);
  c.op.stride = g_test_rand_int_range (1, 3);
  c.op.pad_top = g_test_rand_int_range (0, c.op.kernel);
  c.op.pad_left = g_test_rand_int_range (0, c.op.kernel);
  c.op.height = g_test_rand_int_range (1, 20);
  c.op.width = g_test_rand_int_range (1, 20);
  /* At most as many outputs as have a tap: the padding behind is the rest. */
  c.op.out_height = g_test_rand_int_range (1,
      (c.op.height + c.op.pad_top - 1) / c.op.stride + 2);
  c.op.out_width = g_test_rand_int_range (1,
      (c.op.width + c.op.pad_left - 1) / c.op.stride + 2);
  c.op.groups = depthwise ? channels : 1;
  c.op.act = g_test_rand_int_range (0, CLIP_ACT_SILU + 1);
  taps = (gsize) c.op.kernel * c.op.kernel;
  case_add_a (&c, (gsize) c.op.height * c.op.width, channels);
  /* One channel is both: then the role follows the group count. */
  c.op.weight = case_add_weight (&c,
      c.op.groups == 1 ? CLIP_ROLE_CONV_FULL : CLIP_ROLE_CONV, CLIP_DTYPE_F32,
      out_channels, c.op.groups == 1 ? taps * channels : taps);
  c.op.bias =
      case_add_weight (&c, CLIP_ROLE_VECTOR, CLIP_DTYPE_F32, 1, out_channels);
  case_add_out (&c, (gsize) c.op.out_height * c.op.out_width, out_channels);
  case_check (variant, &c);
}

static void
test_conv_depthwise (gconstpointer data)
{
  for (guint i = 0; can_run (data) && i < count_cases (data, 40); i++)
    check_conv (data, TRUE);
}

static void
test_conv_full (gconstpointer data)
{
  for (guint i = 0; can_run (data) && i < count_cases (data, 20); i++)
    check_conv (data, FALSE);
}

static void
test_mean_pool (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < count_cases (data, 8); i++) {
    const gsize rows = PICK (1, 2, 25, 49), columns = PICK (EDGES, 1280);
    Case c = case_new (data, CLIP_OP_MEAN_POOL);

    case_add_a (&c, rows, columns);
    case_add_out (&c, 1, columns);
    case_check (data, &c);
  }
}

static void
test_gather (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < count_cases (data, 8); i++) {
    const gsize rows = PICK (1, 2, 77), columns = PICK (EDGES, 512);
    Case c = case_new (data, CLIP_OP_GATHER);

    case_add_a (&c, rows, columns);
    if (i % 2)
      case_add_positions (&c, rows);
    case_add_out (&c, 1, columns);
    case_check (data, &c);
  }
}

static void
test_normalise (gconstpointer data)
{
  if (!can_run (data))
    return;
  for (guint i = 0; i < count_cases (data, 8); i++) {
    const gsize rows = PICK (1, 3), columns = PICK (EDGES, 512, 1024);
    Case c = case_new (data, CLIP_OP_NORMALISE);

    case_add_a (&c, rows, columns);
    case_add_out (&c, rows, columns);
    case_check (data, &c);
  }
}

void
ops_add_tests (void)
{
  static const struct {
    const gchar *name;
    GTestDataFunc func;
  } tests[] = { { "gemm", test_gemm }, { "layer-norm", test_layer_norm },
    { "attention", test_attention }, { "embed", test_embed },
    { "prepend", test_prepend }, { "conv-depthwise", test_conv_depthwise },
    { "conv-full", test_conv_full }, { "mean-pool", test_mean_pool },
    { "gather", test_gather }, { "normalise", test_normalise } };

  for (guint v = 0; v < N_VARIANTS; v++)
    for (guint i = 0; i < (variants[v].gemm_only ? 1 : G_N_ELEMENTS (tests));
         i++) {
      g_autofree gchar *path =
          g_strdup_printf ("/kernels/%s/%s", variants[v].name, tests[i].name);

      g_test_add_data_func (path, &variants[v], tests[i].func);
    }
}
