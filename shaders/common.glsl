/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What every kernel shares. Buffers are arrays of 32-bit words: a word is one
 * float, or, where a *_HALF constant says so, two 16-bit floats, which core
 * GLSL unpacks on any device. Specialisation constants are numbered as
 * engine/vulkan/kernels.h numbers them: 0 to 2 the types, 3 the workgroup's
 * size, 4 to 9 a kernel's own, 10 and 11 the epilogue.
 */
#extension GL_EXT_control_flow_attributes : require

layout (constant_id = 0) const bool A_HALF = false;
layout (constant_id = 1) const bool B_HALF = false;
layout (local_size_x_id = 3, local_size_y = 1, local_size_z = 1) in;
layout (constant_id = 3) const uint THREADS = 128;

float
half_at (uint word, uint i)
{
  const vec2 pair = unpackHalf2x16 (word);

  return (i & 1u) == 0u ? pair.x : pair.y;
}

/* Element i of a buffer. */
#define LOAD(half_, words, i)                                                  \
  ((half_) ? half_at (words[(i) >> 1], (i)) : uintBitsToFloat (words[i]))
/* Elements i and i + 1; i is even where they are halves. */
#define LOAD_PAIR(half_, words, i)                                             \
  ((half_) ? unpackHalf2x16 (words[(i) >> 1])                                  \
           : vec2 (uintBitsToFloat (words[i]), uintBitsToFloat (words[(i) + 1])))

/* Grids of one dimension are folded into two: the floor of a dimension's size
 * is 65535. */
uint
flat_workgroup ()
{
  return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
}
