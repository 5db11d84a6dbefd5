/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Vectors of floats, as wide as the variant that is being compiled has them,
 * and the functions on them that kernels share. GCC and Clang vector types, so
 * that one source serves every processor; intrinsics only where the compilers
 * find no good instruction by themselves.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <math.h>
#if defined(__x86_64__)
#  include <immintrin.h>
#elif defined(__aarch64__)
#  include <arm_neon.h>
#endif

#include "engine/types.h"

#if defined(__AVX512F__)
#  define VLEN 16
#elif defined(__AVX2__)
#  define VLEN 8
#else
#  define VLEN 4
#endif

#define INLINE static inline __attribute__ ((always_inline))

typedef float vf __attribute__ ((vector_size (4 * VLEN)));
typedef int32_t vi __attribute__ ((vector_size (4 * VLEN)));
typedef float vf_unaligned
    __attribute__ ((vector_size (4 * VLEN), aligned (4), may_alias));

INLINE vf
splat (float x)
{
  return x - (vf){ 0 };
}

INLINE vf
load (const float *p)
{
  return *(const vf_unaligned *) p;
}

INLINE void
store (float *p, vf v)
{
  *(vf_unaligned *) p = v;
}

/* The first n < VLEN elements, the rest zero; nothing else is touched. */
INLINE vf
load_part (const float *p, size_t n)
{
#if defined(__AVX512F__)
  return (vf) _mm512_maskz_loadu_ps ((__mmask16) ((1u << n) - 1), p);
#else
  vf v = { 0 };

  for (size_t i = 0; i < VLEN; i++)
    if (i < n)
      v[i] = p[i];
  return v;
#endif
}

INLINE void
store_part (float *p, vf v, size_t n)
{
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps (p, (__mmask16) ((1u << n) - 1), (__m512) v);
#else
  for (size_t i = 0; i < VLEN; i++)
    if (i < n)
      p[i] = v[i];
#endif
}

/* a * b + c, rounded once where the processor can. Kernels are compiled so
 * that nothing else is fused: compilers choose differently from loop to loop,
 * and a row's result must not depend on how many rows are beside it. */
INLINE vf
multiply_add (vf a, vf b, vf c)
{
#if defined(__AVX512F__)
  return (vf) _mm512_fmadd_ps ((__m512) a, (__m512) b, (__m512) c);
#elif defined(__AVX2__)
  return (vf) _mm256_fmadd_ps ((__m256) a, (__m256) b, (__m256) c);
#elif defined(__aarch64__)
  return (vf) vfmaq_f32 ((float32x4_t) c, (float32x4_t) a, (float32x4_t) b);
#else
  return a * b + c;
#endif
}

/* The smaller of x and bound; x where x is not a number. */
INLINE vf
at_most (vf x, vf bound)
{
#if defined(__AVX512F__)
  return (vf) _mm512_min_ps ((__m512) bound, (__m512) x);
#elif defined(__AVX2__)
  return (vf) _mm256_min_ps ((__m256) bound, (__m256) x);
#elif defined(__SSE2__)
  return (vf) _mm_min_ps ((__m128) bound, (__m128) x);
#else
  const vi over = bound < x;

  return (vf) ((over & (vi) bound) | (~over & (vi) x));
#endif
}

/* The larger of x and bound; x where x is not a number. */
INLINE vf
at_least (vf x, vf bound)
{
#if defined(__AVX512F__)
  return (vf) _mm512_max_ps ((__m512) bound, (__m512) x);
#elif defined(__AVX2__)
  return (vf) _mm256_max_ps ((__m256) bound, (__m256) x);
#elif defined(__SSE2__)
  return (vf) _mm_max_ps ((__m128) bound, (__m128) x);
#else
  const vi under = bound > x;

  return (vf) ((under & (vi) bound) | (~under & (vi) x));
#endif
}

INLINE float
sum_of (vf v)
{
  float s[VLEN];

  store (s, v);
  for (size_t half = VLEN / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++)
      s[i] += s[i + half];
  return s[0];
}

INLINE float
largest_of (vf v)
{
  float largest = v[0];

  for (size_t i = 1; i < VLEN; i++)
    largest = v[i] > largest ? v[i] : largest;
  return largest;
}

/* e^x, relative error below 2e-7; arguments beyond +-87 count as +-87. The
 * argument is split into n ln 2 + r, |r| <= ln 2 / 2 (Cody and Waite), e^r is
 * a minimax polynomial, and n goes into the exponent bits. */
INLINE vf
v_exp (vf x)
{
  const vf round = splat (0x1.8p23f);
  vf shifted, n, r, p;
  vi exponent;

  x = at_least (at_most (x, splat (87.f)), splat (-87.f));
  shifted = multiply_add (x, splat (0x1.715476p+0f), round);
  n = shifted - round;
  r = multiply_add (n, splat (-0x1.62e4p-1f), x);
  r = multiply_add (n, splat (-0x1.7f7d1cp-20f), r);
  p = multiply_add (splat (1.381446697e-3f), r, splat (8.368780498e-3f));
  p = multiply_add (p, r, splat (4.166839422e-2f));
  p = multiply_add (p, r, splat (1.666652011e-1f));
  p = multiply_add (p, r, splat (4.999999341e-1f));
  p = multiply_add (p * r, r, r) + splat (1.f);
  exponent = ((vi) shifted - (vi) round) << 23;
  return (vf) ((vi) p + exponent);
}

/* erf (x / sqrt 2), absolute error below 1e-7: a minimax rational function
 * with positive coefficients only, so that nothing cancels. */
INLINE vf
v_erf_sqrt2 (vf x)
{
  vf t, p, q;

  x = at_least (at_most (x, splat (5.5f)), splat (-5.5f));
  t = x * x;
  p = multiply_add (splat (4.549870356e-8f), t, splat (1.270417231e-5f));
  p = multiply_add (p, t, splat (3.376486261e-4f));
  p = multiply_add (p, t, splat (9.354504078e-3f));
  p = multiply_add (p, t, splat (6.770507661e-2f));
  p = multiply_add (p, t, splat (7.978844693e-1f));
  q = multiply_add (splat (1.197501182e-6f), t, splat (7.364694869e-5f));
  q = multiply_add (q, t, splat (1.884437203e-3f));
  q = multiply_add (q, t, splat (2.864580460e-2f));
  q = multiply_add (q, t, splat (2.515216482e-1f));
  q = multiply_add (q, t, splat (1.f));
  return at_least (at_most (x * p / q, splat (1.f)), splat (-1.f));
}

/* x / (1 + e^(-s)) */
INLINE vf
v_gate (vf x, vf s)
{
  return x / (splat (1.f) + v_exp (-s));
}

INLINE vf
v_activate (vf x, const ClipActivation act)
{
  switch (act) {
    case CLIP_ACT_RELU:
      return at_least (x, splat (0.f));
    case CLIP_ACT_RELU6:
      return at_most (at_least (x, splat (0.f)), splat (6.f));
    case CLIP_ACT_QUICK_GELU:
      return v_gate (x, x * splat (1.702f));
    case CLIP_ACT_GELU_ERF:
      return x * splat (.5f) * (splat (1.f) + v_erf_sqrt2 (x));
    case CLIP_ACT_GELU_TANH:
      /* (1 + tanh u) / 2 = 1 / (1 + e^(-2u)), u = sqrt (2 / pi) (x + ...) */
      return v_gate (x,
          x * splat (1.59576912f) * (splat (1.f) + x * x * splat (.044715f)));
    case CLIP_ACT_SILU:
      return v_gate (x, x);
    case CLIP_ACT_NONE:
      break;
  }
  return x;
}
