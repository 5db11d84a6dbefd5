/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * out [1 + n x columns]: row 0 is `token`, row 1 + i is a's row i; plus the
 * positions. A thread an element.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (constant_id = 11) const bool BIAS = false;

layout (binding = 0) readonly buffer A { uint a_words[]; };
layout (binding = 1) readonly buffer Token { float token[]; };
layout (binding = 2) readonly buffer Positions { float positions[]; };
layout (binding = 3) writeonly buffer Out { float out_values[]; };

layout (push_constant) uniform Push {
  uint items;
  uint rows; /* of an item of the output */
  uint columns;
};

void
main ()
{
  const uint i = flat_workgroup () * THREADS + gl_LocalInvocationIndex;
  const uint item = i / (rows * columns), at = i % (rows * columns);
  float x;

  if (item >= items)
    return;
  if (at < columns)
    x = token[at];
  else
    x = LOAD (A_HALF, a_words, (item * (rows - 1) - 1) * columns + at);
  out_values[i] = BIAS ? x + positions[at] : x;
}
