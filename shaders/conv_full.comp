/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Convolution over all input channels, weight [KERNEL * KERNEL * in_channels x
 * w_stride].
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "conv_geometry.glsl"

void
main ()
{
  const Place place = find_place ();

  if (place.inside) {
    vec2 sum = bias_of (place);

    for (int ky = 0; ky < KERNEL; ky++)
      for (int kx = 0; kx < KERNEL; kx++) {
        const int y = place.y + ky, x = place.x + kx;
        const uint from = ((place.item * height + y) * width + x) * in_channels;
        uint w = uint (ky * KERNEL + kx) * in_channels * w_stride
            + place.channel;

        if (y < 0 || y >= height || x < 0 || x >= width)
          continue;
        for (uint i = 0; i < in_channels; i++, w += w_stride)
          sum += LOAD (A_HALF, a_words, from + i)
              * vec2 (weight[w], weight[w + 1]);
      }
    store_place (place, sum);
  }
  report_overflow ();
}
