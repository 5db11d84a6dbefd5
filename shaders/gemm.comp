/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * out [m x n] = activate (a [m x k] * w [k x n] + bias) + out, the last where
 * RESIDUAL. The weight lies transposed and padded with zeros: its rows to a
 * multiple of TILE_K, its columns (`w_stride`) to a multiple of 64.
 *
 * A workgroup computes a tile of the output, a thread ROWS x COLUMNS of it,
 * from tiles of both factors in shared memory. A thread's columns come in
 * quads and its rows lie apart, so that neighbours read neighbouring words.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"
#define OUT 3
#include "store.glsl"

layout (constant_id = 4) const uint TILE_M = 64;
layout (constant_id = 5) const uint TILE_N = 64;
layout (constant_id = 6) const uint TILE_K = 16;
layout (constant_id = 7) const uint ROWS = 4;
layout (constant_id = 8) const uint COLUMNS = 8;
/* Rows of a, and of the output, are a multiple of four elements long. */
layout (constant_id = 9) const bool QUADS = false;
layout (constant_id = 11) const bool BIAS = false;
layout (constant_id = 12) const bool RESIDUAL = false;
layout (constant_id = 13) const bool OUT_QUADS = false;

layout (binding = 0) readonly buffer A { uint a_words[]; };
layout (binding = 0) readonly buffer A2 { uvec2 a_pairs[]; };
layout (binding = 0) readonly buffer A4 { uvec4 a_quads[]; };
layout (binding = 1) readonly buffer W2 { uvec2 w_pairs[]; };
layout (binding = 1) readonly buffer W4 { uvec4 w_quads[]; };
layout (binding = 2) readonly buffer Bias { float bias[]; };
layout (binding = OUT) buffer Out2 { uvec2 out_pairs[]; };
layout (binding = OUT) buffer Out4 { uvec4 out_quads[]; };

layout (push_constant) uniform Push {
  uint m, n, k;
  uint w_stride;
  uint out_stride;
  uint first; /* column of the output and the bias where this weight begins */
};

const uint K_QUADS = TILE_K / 4;
const uint N_QUADS = TILE_N / 4;
/* Rows of a's tile end in an unused quad, so that they start in different
 * banks. */
const uint A_STRIDE = K_QUADS + 1;
const uint THREADS_N = TILE_N / COLUMNS;
const uint THREADS_M = TILE_M / ROWS;
const uint QUADS_EACH = COLUMNS / 4;

shared vec4 a_tile[TILE_M * A_STRIDE];
shared vec4 w_tile[TILE_K * N_QUADS];

vec4
a_quad (uint row, uint column)
{
  const uint i = row * k + column;
  vec4 x = vec4 (0.0);

  if (row >= m || column >= k)
    return x;
  if (QUADS) {
    if (A_HALF) {
      const uvec2 words = a_pairs[i >> 2];

      return vec4 (unpackHalf2x16 (words.x), unpackHalf2x16 (words.y));
    }
    return uintBitsToFloat (a_quads[i >> 2]);
  }
  [[unroll]] for (uint j = 0; j < 4; j++)
    if (column + j < k)
      x[j] = LOAD (A_HALF, a_words, i + j);
  return x;
}

vec4
w_quad (uint row, uint column)
{
  const uint i = (row * w_stride + column) >> 2;

  if (column >= w_stride)
    return vec4 (0.0);
  if (B_HALF) {
    const uvec2 words = w_pairs[i];

    return vec4 (unpackHalf2x16 (words.x), unpackHalf2x16 (words.y));
  }
  return uintBitsToFloat (w_quads[i]);
}

void
store_quad (uint row, uint column, vec4 x)
{
  const uint i = row * out_stride + first + column;

  [[unroll]] for (uint j = 0; j < 4; j++)
    x[j] = activate (BIAS && column + j < n ? x[j] + bias[first + column + j]
                                            : x[j]);
  if (OUT_QUADS) {
    if (OUT_HALF) {
      out_pairs[i >> 2] = uvec2 (pack_pair (x.xy), pack_pair (x.zw));
    } else {
      if (RESIDUAL)
        x += uintBitsToFloat (out_quads[i >> 2]);
      out_quads[i >> 2] = floatBitsToUint (x);
    }
    return;
  }
  [[unroll]] for (uint j = 0; j < 4; j += 2) {
    const bool both = column + j + 1 < n;

    if (column + j >= n)
      continue;
    if (RESIDUAL) {
      x[j] += uintBitsToFloat (out_words[i + j]);
      if (both)
        x[j + 1] += uintBitsToFloat (out_words[i + j + 1]);
    }
    store_pair (i + j, vec2 (x[j], x[j + 1]), both);
  }
}

void
main ()
{
  const uint thread = gl_LocalInvocationIndex;
  const uint thread_n = thread % THREADS_N, thread_m = thread / THREADS_N;
  const uint row0 = gl_WorkGroupID.y * TILE_M;
  const uint column0 = gl_WorkGroupID.x * TILE_N;
  vec4 sums[ROWS * QUADS_EACH];

  [[unroll]] for (uint i = 0; i < ROWS * QUADS_EACH; i++)
    sums[i] = vec4 (0.0);
  for (uint k0 = 0; k0 < k; k0 += TILE_K) {
    [[unroll]] for (uint i = 0; i < TILE_M * K_QUADS; i += THREADS) {
      const uint at = i + thread;

      if (at < TILE_M * K_QUADS)
        a_tile[at / K_QUADS * A_STRIDE + at % K_QUADS] =
            a_quad (row0 + at / K_QUADS, k0 + at % K_QUADS * 4);
    }
    [[unroll]] for (uint i = 0; i < TILE_K * N_QUADS; i += THREADS) {
      const uint at = i + thread;

      if (at < TILE_K * N_QUADS)
        w_tile[at] = w_quad (k0 + at / N_QUADS, column0 + at % N_QUADS * 4);
    }
    barrier ();
    for (uint kq = 0; kq < K_QUADS; kq++) {
      vec4 a[ROWS];

      [[unroll]] for (uint i = 0; i < ROWS; i++)
        a[i] = a_tile[(thread_m + i * THREADS_M) * A_STRIDE + kq];
      [[unroll]] for (uint kk = 0; kk < 4; kk++)
        [[unroll]] for (uint j = 0; j < QUADS_EACH; j++) {
          const vec4 w = w_tile[(kq * 4 + kk) * N_QUADS + thread_n
              + j * THREADS_N];

          [[unroll]] for (uint i = 0; i < ROWS; i++)
            sums[i * QUADS_EACH + j] += a[i][kk] * w;
        }
    }
    barrier ();
  }

  [[unroll]] for (uint i = 0; i < ROWS; i++)
    [[unroll]] for (uint j = 0; j < QUADS_EACH; j++) {
      const uint row = row0 + thread_m + i * THREADS_M;
      const uint column = column0 + (thread_n + j * THREADS_N) * 4;

      if (row < m && column < n)
        store_quad (row, column, sums[i * QUADS_EACH + j]);
    }
  report_overflow ();
}
