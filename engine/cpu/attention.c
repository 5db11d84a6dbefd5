/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Attention of one item and head: softmax (q k^T / sqrt (head_dim)) v. Keys
 * and values are packed once, then every few queries are two products with
 * packed matrices and a softmax that subtracts each row's largest score.
 */
#include "engine/cpu/variant.h"
#include "engine/cpu/vector.h"

/* Queries at a time: their scores stay in the second-level cache. */
#define QUERIES 56

INLINE gsize
round_up (gsize n, gsize to)
{
  return (n + to - 1) / to * to;
}

static gsize
count_panels (const ClipKernels *kernels, gsize n)
{
  return (n + kernels->panel - 1) / kernels->panel;
}

typedef struct {
  gsize keys, values, scores, sums, gemm; /* offsets */
  gsize end;
  gsize score_stride;
} Layout;

static Layout
lay_out (const ClipKernels *kernels, gsize n_queries, gsize n_keys,
    gsize head_dim)
{
  const gsize rows = MIN (n_queries, QUERIES);
  const gsize panels =
      MAX (count_panels (kernels, n_keys), count_panels (kernels, head_dim));
  Layout at = { .score_stride = round_up (n_keys, VLEN) };

  at.values =
      at.keys + round_up (kernels->packed_size (n_keys, head_dim), VLEN);
  at.scores =
      at.values + round_up (kernels->packed_size (head_dim, n_keys), VLEN);
  at.sums = at.scores + rows * at.score_stride;
  at.gemm = at.sums + round_up (rows, VLEN);
  at.end = at.gemm + kernels->gemm_scratch (rows, panels);
  return at;
}

static gsize
attention_scratch (const ClipKernels *kernels, gsize n_queries, gsize n_keys,
    gsize head_dim)
{
  return lay_out (kernels, n_queries, n_keys, head_dim).end;
}

/* x [n] becomes e^(scale (x - max x)); what lies behind `visible` becomes 0.
 * Returns the sum. */
static float
exponentials (float *x, size_t visible, size_t n, float scale)
{
  vf largest = splat (-INFINITY), sum = splat (0.f);
  float highest, rest = 0.f;
  size_t i = 0;

  for (; i + VLEN <= visible; i += VLEN)
    largest = at_least (load (x + i), largest);
  highest = largest_of (largest);
  for (size_t j = i; j < visible; j++)
    highest = x[j] > highest ? x[j] : highest;
  for (i = 0; i + VLEN <= visible; i += VLEN) {
    const vf e = v_exp ((load (x + i) - splat (highest)) * splat (scale));

    store (x + i, e);
    sum += e;
  }
  if (i < visible) {
    const vf e = v_exp ((load_part (x + i, visible - i) - splat (highest))
        * splat (scale));

    store_part (x + i, e, visible - i);
    for (size_t j = i; j < visible; j++)
      rest += x[j];
  }
  for (i = visible; i < n; i++)
    x[i] = 0.f;
  return sum_of (sum) + rest;
}

static void
scale_row (float *x, size_t n, float scale)
{
  for (size_t i = 0; i < n; i++)
    x[i] *= scale;
}

static void
attention (const ClipKernels *kernels, const ClipAttention *attention,
    gfloat *scratch)
{
  const gsize n_keys = attention->n_keys, head_dim = attention->head_dim;
  const Layout at = lay_out (kernels, attention->n_queries, n_keys, head_dim);
  const float scale = 1.f / sqrtf ((float) head_dim);
  float *scores = scratch + at.scores, *sums = scratch + at.sums;

  kernels->pack (attention->k, attention->kv_stride, n_keys, head_dim,
      scratch + at.keys);
  kernels->pack_transposed (attention->v, attention->kv_stride, head_dim,
      n_keys, scratch + at.values);
  for (gsize q0 = 0; q0 < attention->n_queries; q0 += QUERIES) {
    const gsize rows = MIN (QUERIES, attention->n_queries - q0);
    const gsize visible =
        MIN (n_keys, attention->first_visible + q0 + rows - 1);
    float *out = attention->out + q0 * attention->out_stride;
    const ClipGemm score = {
      .a = attention->q + q0 * attention->q_stride,
      .a_stride = attention->q_stride,
      .packed = scratch + at.keys,
      .columns = n_keys,
      .depth = head_dim,
      .packed_depth = head_dim,
      .out = scores,
      .out_stride = at.score_stride,
    };
    const ClipGemm mix = {
      .a = scores,
      .a_stride = at.score_stride,
      .packed = scratch + at.values,
      .columns = head_dim,
      .depth = visible,
      .packed_depth = n_keys,
      .out = out,
      .out_stride = attention->out_stride,
    };

    kernels->gemm (&score, 0, rows, 0, count_panels (kernels, visible),
        scratch + at.gemm);
    for (gsize i = 0; i < rows; i++)
      sums[i] = exponentials (scores + i * at.score_stride,
          MIN (visible, attention->first_visible + q0 + i), visible, scale);
    kernels->gemm (&mix, 0, rows, 0, count_panels (kernels, head_dim),
        scratch + at.gemm);
    for (gsize i = 0; i < rows; i++)
      scale_row (out + i * attention->out_stride, head_dim, 1.f / sums[i]);
  }
}

CLIP_KERNELS_INIT (attention)
{
  kernels->attention = attention;
  kernels->attention_scratch = attention_scratch;
}
