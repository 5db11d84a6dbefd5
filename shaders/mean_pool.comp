/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * out [1 x columns] = mean over a's rows, per item; a thread a column.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (binding = 0) readonly buffer A { uint a_words[]; };
layout (binding = 1) writeonly buffer Out { float out_values[]; };

layout (push_constant) uniform Push { uint items, rows, columns; };

void
main ()
{
  const uint i = flat_workgroup () * THREADS + gl_LocalInvocationIndex;
  const uint first = i / columns * rows * columns + i % columns;
  float sum = 0.0;

  if (i >= items * columns)
    return;
  for (uint row = 0; row < rows; row++)
    sum += LOAD (A_HALF, a_words, first + row * columns);
  out_values[i] = sum / float (rows);
}
