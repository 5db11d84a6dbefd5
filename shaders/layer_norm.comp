/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * out = (a - mean) / sqrt (variance + epsilon) * weight + bias. A workgroup a
 * row; the mean first: subtracting it before squaring keeps the variance exact
 * where the mean is large beside it.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#define OUT 3
#include "store.glsl"

layout (binding = 0) readonly buffer A { uint a_words[]; };
layout (binding = 1) readonly buffer Weight { float weight[]; };
layout (binding = 2) readonly buffer Bias { float bias[]; };

layout (push_constant) uniform Push {
  uint rows, columns;
  float epsilon;
};

#include "sum.glsl"

void
main ()
{
  const uint row = flat_workgroup (), thread = gl_LocalInvocationIndex;
  const uint first = row * columns;
  float sum = 0.0, squares = 0.0, mean, scale;

  if (row >= rows)
    return;
  for (uint c = thread; c < columns; c += THREADS)
    sum += LOAD (A_HALF, a_words, first + c);
  mean = sum_of_workgroup (sum) / float (columns);
  for (uint c = thread; c < columns; c += THREADS) {
    const float d = LOAD (A_HALF, a_words, first + c) - mean;

    squares += d * d;
  }
  scale = 1.0 / sqrt (sum_of_workgroup (squares) / float (columns) + epsilon);
  for (uint c = thread * 2; c < columns; c += THREADS * 2) {
    const bool both = c + 1 < columns;
    vec2 x = vec2 (0.0);

    x.x = (LOAD (A_HALF, a_words, first + c) - mean) * scale * weight[c]
        + bias[c];
    if (both)
      x.y = (LOAD (A_HALF, a_words, first + c + 1) - mean) * scale
              * weight[c + 1] + bias[c + 1];
    store_pair (first + c, x, both);
  }
  report_overflow ();
}
