/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The output, at binding OUT. A module that is built with HALF may store
 * 16-bit floats, and then has one more buffer: a word that is set when a value
 * did not fit.
 */
layout (binding = OUT) buffer Out { uint out_words[]; };
#if HALF
layout (binding = OUT + 1) buffer Flag { uint flag; };
layout (constant_id = 2) const bool OUT_HALF = false;

bool overflow = false;

/* To the nearest half, ties to even: packHalf2x16 () may round as the device
 * likes, and some cut. */
vec2
round_to_half (vec2 pair)
{
  const uvec2 bits = floatBitsToUint (pair);

  return uintBitsToFloat (
      (bits + 0xfffu + ((bits >> 13) & 1u)) & uvec2 (0xffffe000u));
}

uint
pack_pair (vec2 pair)
{
  if (!all (lessThanEqual (abs (pair), vec2 (65504.0))))
    overflow = true;
  return packHalf2x16 (round_to_half (pair));
}
#else
const bool OUT_HALF = false;

uint
pack_pair (vec2 pair)
{
  return 0u;
}
#endif

/* Elements i and, with `both`, i + 1. Halves come in pairs. */
void
store_pair (uint i, vec2 pair, bool both)
{
  if (OUT_HALF) {
    out_words[i >> 1] = pack_pair (pair);
    return;
  }
  out_words[i] = floatBitsToUint (pair.x);
  if (both)
    out_words[i + 1] = floatBitsToUint (pair.y);
}

/* To be called once, last. */
void
report_overflow ()
{
#if HALF
  if (OUT_HALF && overflow)
    atomicOr (flag, 1u);
#endif
}
