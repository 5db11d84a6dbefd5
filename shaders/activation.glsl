/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The activations, numbered as ClipActivation (engine/types.h) numbers them.
 */
layout (constant_id = 10) const uint ACT = 0;

/* Abramowitz and Stegun 7.1.26: off by 1.5e-7 at most. */
float
erf_of (float x)
{
  const float t = 1.0 / (1.0 + 0.3275911 * abs (x));
  const float p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t
      - 0.284496736) * t + 0.254829592) * t;

  return sign (x) * (1.0 - p * exp (-x * x));
}

float
sigmoid (float x)
{
  /* Beyond 88, e^-x is no float any more; at 87 the result is 0 or 1. */
  return 1.0 / (1.0 + exp (clamp (-x, -87.0, 87.0)));
}

float
activate (float x)
{
  switch (ACT) {
    case 1:
      return max (x, 0.0);
    case 2:
      return clamp (x, 0.0, 6.0);
    case 3:
      return x * sigmoid (1.702 * x);
    case 4:
      return 0.5 * x * (1.0 + erf_of (x * 0.70710678118654752));
    case 5:
      /* (1 + tanh (y)) / 2 is sigmoid (2 y), without tanh's overflow. */
      return x * sigmoid (1.5957691216057308 * (x + 0.044715 * x * x * x));
    case 6:
      return x * sigmoid (x);
    default:
      return x;
  }
}
