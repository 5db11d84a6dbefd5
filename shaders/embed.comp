/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * out [tokens x columns] = row ids[i] of a table, in its file's type, plus
 * position i of its item. A long table comes in parts, one dispatch each,
 * which writes the rows whose ids lie in it. A thread an element.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (constant_id = 4) const uint TYPE = 0; /* ClipDType: f32, f16, bf16 */
layout (constant_id = 11) const bool BIAS = false;

layout (binding = 0) readonly buffer Ids { uint ids[]; };
layout (binding = 1) readonly buffer Table { uint table[]; };
layout (binding = 2) readonly buffer Positions { float positions[]; };
layout (binding = 3) writeonly buffer Out { float out_values[]; };

layout (push_constant) uniform Push {
  uint rows;    /* over the whole batch */
  uint columns;
  uint tokens;  /* of an item */
  uint first;   /* row of the table where this part begins, */
  uint length;  /* and its rows */
};

void
main ()
{
  const uint i = flat_workgroup () * THREADS + gl_LocalInvocationIndex;
  const uint row = i / columns, c = i % columns;
  uint id, at;
  float x;

  if (row >= rows)
    return;
  id = ids[row] - first;
  if (id >= length)
    return;
  at = id * columns + c;
  if (TYPE == 0)
    x = uintBitsToFloat (table[at]);
  else if (TYPE == 1)
    x = half_at (table[at >> 1], at);
  else
    x = uintBitsToFloat ((at & 1u) == 0u ? table[at >> 1] << 16
                                         : table[at >> 1] & 0xffff0000u);
  out_values[i] = BIAS ? x + positions[row % tokens * columns + c] : x;
}
