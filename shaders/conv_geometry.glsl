/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What both convolutions share: a thread computes a pair of channels of one
 * pixel of the output, so that neighbours read neighbouring channels.
 */
#include "activation.glsl"
#define OUT 3
#include "store.glsl"

layout (constant_id = 4) const int KERNEL = 3;
layout (constant_id = 5) const int STRIDE = 1;
layout (constant_id = 11) const bool BIAS = false;

layout (binding = 0) readonly buffer A { uint a_words[]; };
layout (binding = 1) readonly buffer Weight { float weight[]; };
layout (binding = 2) readonly buffer Bias { float bias[]; };

layout (push_constant) uniform Push {
  uint items;
  int height, width; /* of the input */
  uint in_channels;
  int out_height, out_width;
  uint channels;
  int pad_top, pad_left;
  uint w_stride; /* channels of a row of the weight, with padding */
};

struct Place {
  bool inside;
  uint pixel;   /* of the output, over the whole batch */
  uint channel; /* the first of two */
  bool both;
  uint item;
  int y, x; /* in the input, of the kernel's corner */
};

Place
find_place ()
{
  const uint i = flat_workgroup () * THREADS + gl_LocalInvocationIndex;
  const uint pairs = (channels + 1) / 2;
  const uint pixels = uint (out_height * out_width);
  Place place;
  int in_item;

  place.pixel = i / pairs;
  place.channel = i % pairs * 2;
  place.both = place.channel + 1 < channels;
  place.item = place.pixel / pixels;
  place.inside = place.item < items;
  in_item = int (place.pixel % pixels);
  place.y = in_item / out_width * STRIDE - pad_top;
  place.x = in_item % out_width * STRIDE - pad_left;
  return place;
}

vec2
bias_of (Place place)
{
  if (!BIAS)
    return vec2 (0.0);
  return vec2 (bias[place.channel], place.both ? bias[place.channel + 1] : 0.0);
}

void
store_place (Place place, vec2 sum)
{
  store_pair (place.pixel * channels + place.channel,
      vec2 (activate (sum.x), activate (sum.y)), place.both);
}
