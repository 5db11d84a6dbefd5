/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Depthwise convolution: a kernel for each channel, weight [KERNEL * KERNEL x
 * w_stride].
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "conv_geometry.glsl"

/* Rows of the input hold an even number of channels. */
layout (constant_id = 6) const bool PAIRS = false;

vec2
input_pair (uint at, bool both)
{
  if (PAIRS)
    return LOAD_PAIR (A_HALF, a_words, at);
  return vec2 (LOAD (A_HALF, a_words, at),
      both ? LOAD (A_HALF, a_words, at + 1) : 0.0);
}

void
main ()
{
  const Place place = find_place ();

  if (place.inside) {
    vec2 sum = bias_of (place);

    [[unroll]] for (int ky = 0; ky < KERNEL; ky++)
      [[unroll]] for (int kx = 0; kx < KERNEL; kx++) {
        const int y = place.y + ky, x = place.x + kx;
        const uint w = uint (ky * KERNEL + kx) * w_stride + place.channel;

        if (y >= 0 && y < height && x >= 0 && x < width)
          sum += input_pair (((place.item * height + y) * width + x) * channels
                         + place.channel, place.both)
              * vec2 (weight[w], weight[w + 1]);
      }
    store_place (place, sum);
  }
  report_overflow ();
}
