/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * out = softmax (q k^T / sqrt (HEAD_DIM)) v, per item and head. A workgroup
 * takes a block of queries past blocks of keys with a running softmax (Milakov
 * and Gimelshein 2018): each block rescales what came before to the new
 * largest score. Short sequences fit into one block of keys.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#define OUT 3
#include "store.glsl"

layout (constant_id = 4) const uint QUERIES = 16;
layout (constant_id = 5) const uint KEYS = 32;
layout (constant_id = 6) const uint HEAD_DIM = 64;
layout (constant_id = 7) const bool CAUSAL = false;
layout (constant_id = 8) const bool POSITIONS = false;
/* Every row and column that is read starts at an even element. */
layout (constant_id = 9) const bool PAIRS = false;

layout (binding = 0) readonly buffer Q { uint q_words[]; };
layout (binding = 1) readonly buffer KV { uint kv_words[]; };
layout (binding = 2) readonly buffer Positions { uint positions[]; };

layout (push_constant) uniform Push {
  uint n_queries, n_keys;
  uint q_stride, kv_stride, out_stride;
  uint q_column, k_column, v_column;
  float scale;
};

const float LOWEST = -3.0e38;
const uint DIM_PAIRS = (HEAD_DIM + 1) / 2;
/* Odd, so that a column's elements lie in different banks. */
const uint STRIDE = HEAD_DIM | 1u;
const uint PAIRS_EACH = (QUERIES * DIM_PAIRS + THREADS - 1) / THREADS;

shared float q_tile[QUERIES * STRIDE];
shared float kv_tile[KEYS * STRIDE]; /* keys, then values */
shared float scores[QUERIES * KEYS];
shared float highest[QUERIES], sums[QUERIES], rescale[QUERIES];

/* Rows of q, k or v into a tile; those beyond the end become zeros. */
#define LOAD_TILE(tile, n, half_, words, first, row0, end, stride)             \
  for (uint i = gl_LocalInvocationIndex; i < (n) * DIM_PAIRS; i += THREADS) {  \
    const uint row = i / DIM_PAIRS, d = i % DIM_PAIRS * 2;                     \
    const uint at = (first) + ((row0) + row) * (stride) + d;                   \
    vec2 x = vec2 (0.0);                                                       \
                                                                               \
    if ((row0) + row < (end)) {                                                \
      if (PAIRS) {                                                             \
        x = LOAD_PAIR (half_, words, at);                                      \
      } else {                                                                 \
        x.x = LOAD (half_, words, at);                                         \
        if (d + 1 < HEAD_DIM)                                                  \
          x.y = LOAD (half_, words, at + 1);                                   \
      }                                                                        \
    }                                                                          \
    tile[row * STRIDE + d] = x.x;                                              \
    if (d + 1 < HEAD_DIM)                                                      \
      tile[row * STRIDE + d + 1] = x.y;                                        \
  }

uint
count_visible (uint query)
{
  if (!CAUSAL)
    return n_keys;
  if (POSITIONS)
    return positions[gl_WorkGroupID.z] + 1;
  return n_keys - n_queries + min (query, n_queries - 1) + 1;
}

void
compute_scores (uint query0, uint key0)
{
  for (uint i = gl_LocalInvocationIndex; i < QUERIES * KEYS; i += THREADS) {
    const uint query = i / KEYS, key = i % KEYS;
    float score = 0.0;

    for (uint d = 0; d < HEAD_DIM; d++)
      score += q_tile[query * STRIDE + d] * kv_tile[key * STRIDE + d];
    scores[i] = key0 + key < count_visible (query0 + query) ? score * scale
                                                            : LOWEST;
  }
}

/* Scores become exponentials; what came before must be rescaled. */
void
update_softmax (uint query)
{
  const uint first = query * KEYS;
  const float before = highest[query];
  float now = before, sum = 0.0;

  for (uint key = 0; key < KEYS; key++)
    now = max (now, scores[first + key]);
  for (uint key = 0; key < KEYS; key++) {
    const float score = scores[first + key];
    const float e = score == LOWEST ? 0.0 : exp (score - now);

    scores[first + key] = e;
    sum += e;
  }
  rescale[query] = before == LOWEST ? 0.0 : exp (before - now);
  sums[query] = sums[query] * rescale[query] + sum;
  highest[query] = now;
}

void
main ()
{
  const uint thread = gl_LocalInvocationIndex;
  const uint item = gl_WorkGroupID.z, column = gl_WorkGroupID.y * HEAD_DIM;
  const uint query0 = gl_WorkGroupID.x * QUERIES;
  const uint end = count_visible (query0 + QUERIES - 1);
  const uint q_first = item * n_queries * q_stride + q_column + column;
  const uint kv_first = item * n_keys * kv_stride + column;
  vec2 mixed[PAIRS_EACH];

  [[unroll]] for (uint j = 0; j < PAIRS_EACH; j++)
    mixed[j] = vec2 (0.0);
  LOAD_TILE (q_tile, QUERIES, A_HALF, q_words, q_first, query0, n_queries,
      q_stride)
  for (uint query = thread; query < QUERIES; query += THREADS) {
    highest[query] = LOWEST;
    sums[query] = 0.0;
  }
  for (uint key0 = 0; key0 < end; key0 += KEYS) {
    LOAD_TILE (kv_tile, KEYS, B_HALF, kv_words, kv_first + k_column, key0,
        n_keys, kv_stride)
    barrier ();
    compute_scores (query0, key0);
    barrier ();
    for (uint query = thread; query < QUERIES; query += THREADS)
      update_softmax (query);
    LOAD_TILE (kv_tile, KEYS, B_HALF, kv_words, kv_first + v_column, key0,
        n_keys, kv_stride)
    barrier ();
    [[unroll]] for (uint j = 0; j < PAIRS_EACH; j++) {
      const uint i = j * THREADS + thread;
      const uint query = i / DIM_PAIRS, d = i % DIM_PAIRS * 2;

      if (query < QUERIES) {
        vec2 sum = mixed[j] * rescale[query];

        for (uint key = 0; key < KEYS; key++) {
          const float e = scores[query * KEYS + key];

          sum.x += e * kv_tile[key * STRIDE + d];
          if (d + 1 < HEAD_DIM)
            sum.y += e * kv_tile[key * STRIDE + d + 1];
        }
        mixed[j] = sum;
      }
    }
    barrier ();
  }
  [[unroll]] for (uint j = 0; j < PAIRS_EACH; j++) {
    const uint i = j * THREADS + thread;
    const uint query = i / DIM_PAIRS, d = i % DIM_PAIRS * 2;

    if (query < QUERIES && query0 + query < n_queries)
      store_pair ((item * n_queries + query0 + query) * out_stride + column + d,
          mixed[j] / sums[query], d + 1 < HEAD_DIM);
  }
  report_overflow ();
}
