/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * out = a / ||a||_2 per row, a workgroup a row.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (binding = 0) readonly buffer A { uint a_words[]; };
layout (binding = 1) writeonly buffer Out { float out_values[]; };

layout (push_constant) uniform Push { uint rows, columns; };

#include "sum.glsl"

void
main ()
{
  const uint row = flat_workgroup (), thread = gl_LocalInvocationIndex;
  const uint first = row * columns;
  float squares = 0.0, norm;

  if (row >= rows)
    return;
  for (uint c = thread; c < columns; c += THREADS) {
    const float x = LOAD (A_HALF, a_words, first + c);

    squares += x * x;
  }
  norm = sqrt (sum_of_workgroup (squares));
  for (uint c = thread; c < columns; c += THREADS)
    out_values[first + c] = LOAD (A_HALF, a_words, first + c) / norm;
}
