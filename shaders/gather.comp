/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * out [1 x columns] = row `positions` of each item, or row 0; a thread a pair
 * of columns.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#define OUT 2
#include "store.glsl"

layout (constant_id = 4) const bool POSITIONS = false;

layout (binding = 0) readonly buffer A { uint a_words[]; };
layout (binding = 1) readonly buffer Positions { uint positions[]; };

layout (push_constant) uniform Push { uint items, rows, columns; };

void
main ()
{
  const uint i = flat_workgroup () * THREADS + gl_LocalInvocationIndex;
  const uint pairs = (columns + 1) / 2, item = i / pairs, c = i % pairs * 2;
  const bool both = c + 1 < columns;
  vec2 x = vec2 (0.0);

  if (item < items) {
    const uint row = POSITIONS ? positions[item] : 0;
    const uint at = (item * rows + row) * columns + c;

    x.x = LOAD (A_HALF, a_words, at);
    if (both)
      x.y = LOAD (A_HALF, a_words, at + 1);
    store_pair (item * columns + c, x, both);
  }
  report_overflow ();
}
