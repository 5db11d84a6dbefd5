/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From one embedding to the scores of its labels, and to their order. Runs for
 * every frame: no allocation, no lock.
 */
#include "engine/score/labels.h"

#include <math.h>

/* Independent sums, so that the compiler may keep them in one vector. */
#define LANES 16

static gdouble
dot (const gfloat *a, const gfloat *b, gsize n)
{
  gfloat sums[LANES] = { 0 };
  gdouble sum = 0;
  gsize i = 0;

  for (; i + LANES <= n; i += LANES)
    for (guint lane = 0; lane < LANES; lane++)
      sums[lane] += a[i + lane] * b[i + lane];
  for (; i < n; i++)
    sum += (gdouble) a[i] * b[i];
  for (guint lane = 0; lane < LANES; lane++)
    sum += sums[lane];
  return sum;
}

/* The sum of exp (x) over what was added, as a multiple of exp (largest): what
 * is added never overflows, and the largest is never lost. */
typedef struct {
  gdouble largest, sum;
} ExpSum;

static void
exp_sum_add (ExpSum *exps, gdouble x)
{
  if (x > exps->largest) {
    exps->sum = exps->sum * exp (exps->largest - x) + 1;
    exps->largest = x;
  } else {
    exps->sum += exp (x - exps->largest);
  }
}

static ExpSum
sum_negatives (const ClipLabels *labels, const gfloat *embedding, gdouble scale)
{
  ExpSum exps = { -INFINITY, 0 };

  for (gsize i = 0; i < labels->n_negatives; i++) {
    const gfloat *row = labels->bank + (labels->n_labels + i) * labels->dim;

    exp_sum_add (&exps, scale * dot (row, embedding, labels->dim));
  }
  return exps;
}

static void
softmax (gfloat *scores, guint n, gdouble scale, ExpSum exps)
{
  for (guint i = 0; i < n; i++)
    exp_sum_add (&exps, scale * scores[i]);
  for (guint i = 0; i < n; i++)
    scores[i] = (gfloat) (exp (scale * scores[i] - exps.largest) / exps.sum);
}

static void
sigmoid (gfloat *scores, guint n, gdouble scale, gdouble bias)
{
  for (guint i = 0; i < n; i++)
    scores[i] = (gfloat) (1 / (1 + exp (-(scale * scores[i] + bias))));
}

void
clip_labels_score (ClipLabels *labels, const gfloat *embedding,
    ClipScoreMode mode, gfloat logit_scale, gfloat *scores)
{
  const guint n = labels->n_labels;
  /* Finite, so that no difference of two logits is NaN. */
  const gdouble scale =
      logit_scale >= 0 ? fmin (logit_scale, G_MAXFLOAT) : labels->logit_scale;

  if (mode == CLIP_SCORE_AUTO)
    mode = labels->mode;
  for (gsize i = 0; i < n; i++)
    scores[i] =
        (gfloat) dot (labels->bank + i * labels->dim, embedding, labels->dim);

  if (mode == CLIP_SCORE_SOFTMAX) {
    softmax (scores, n, scale, sum_negatives (labels, embedding, scale));
  } else if (mode == CLIP_SCORE_SIGMOID) {
    gdouble bias = labels->logit_bias;

    if (!labels->has_bias && labels->n_negatives > 0) {
      ExpSum exps = sum_negatives (labels, embedding, scale);

      bias = -(exps.largest + log (exps.sum));
    }
    sigmoid (scores, n, scale, bias);
  }
}

/* Whether the label of index a is to be named after that of index b. */
static gboolean
is_after (const gfloat *scores, guint a, guint b)
{
  return scores[a] != scores[b] ? scores[a] < scores[b] : a > b;
}

/* Lets `index` sink from the top of a heap that has its last label on top. */
static void
sink (const gfloat *scores, guint *heap, guint n, guint index)
{
  guint i = 0;

  for (guint child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && is_after (scores, heap[child + 1], heap[child]))
      child++;
    if (!is_after (scores, heap[child], index))
      break;
    heap[i] = heap[child];
  }
  heap[i] = index;
}

static void
rise (const gfloat *scores, guint *heap, guint i, guint index)
{
  for (; i > 0 && is_after (scores, index, heap[(i - 1) / 2]); i = (i - 1) / 2)
    heap[i] = heap[(i - 1) / 2];
  heap[i] = index;
}

guint
clip_scores_rank (const gfloat *scores, guint n, gfloat threshold, guint top_k,
    guint *order)
{
  const guint room = top_k == 0 ? n : MIN (top_k, n);
  guint n_kept = 0;

  /* The best so far are a heap with the worst of them on top. */
  for (guint i = 0; i < n; i++) {
    if (!(scores[i] >= threshold))
      continue;
    if (n_kept < room) {
      rise (scores, order, n_kept, i);
      n_kept++;
    } else if (is_after (scores, order[0], i)) {
      sink (scores, order, n_kept, i);
    }
  }
  for (guint left = n_kept; left > 1; left--) {
    guint last = order[0];

    sink (scores, order, left - 1, order[left - 1]);
    order[left - 1] = last;
  }
  return n_kept;
}
