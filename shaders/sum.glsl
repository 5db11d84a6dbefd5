/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The sum over a workgroup, by halves in shared memory; THREADS is a power of
 * two. Every thread must come here.
 */
shared float partial_sums[THREADS];

float
sum_of_workgroup (float x)
{
  const uint thread = gl_LocalInvocationIndex;
  float sum;

  partial_sums[thread] = x;
  barrier ();
  for (uint n = THREADS / 2; n > 0; n /= 2) {
    if (thread < n)
      partial_sums[thread] += partial_sums[thread + n];
    barrier ();
  }
  sum = partial_sums[0];
  /* The next sum may not overwrite what a slower thread has yet to read. */
  barrier ();
  return sum;
}
