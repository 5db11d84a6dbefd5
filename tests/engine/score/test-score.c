/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Scores against long-double arithmetic, their order against a plain sort, and
 * that neither allocates.
 */
#include "engine/score/labels.h"

#include "fake.h"

#include <gmodule.h>
#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------- allocations */

static guint allocations;

/* The linker hands every allocation of the objects of this program to a
 * wrapper, which counts it and passes it on. */
#define WRAP1(function, type)                                                  \
  gpointer __real_##function (type size);                                      \
  G_MODULE_EXPORT gpointer __wrap_##function (type size);                      \
  gpointer __wrap_##function (type size)                                       \
  {                                                                            \
    allocations++;                                                             \
    return __real_##function (size);                                           \
  }
#define WRAP2(function, type, other)                                           \
  gpointer __real_##function (type a, other b);                                \
  G_MODULE_EXPORT gpointer __wrap_##function (type a, other b);                \
  gpointer __wrap_##function (type a, other b)                                 \
  {                                                                            \
    allocations++;                                                             \
    return __real_##function (a, b);                                           \
  }

WRAP1 (malloc, gsize)
WRAP2 (calloc, gsize, gsize)
WRAP2 (realloc, gpointer, gsize)
WRAP1 (g_malloc, gsize)
WRAP1 (g_malloc0, gsize)
WRAP2 (g_malloc_n, gsize, gsize)
WRAP2 (g_malloc0_n, gsize, gsize)
WRAP2 (g_realloc, gpointer, gsize)
WRAP1 (g_slice_alloc, gsize)

/* ------------------------------------------------------------------ scores */

/* A bank of random unit rows. */
static ClipLabels *
make_labels (GRand *rand, guint n_labels, guint n_negatives, gsize dim)
{
  const gsize rows = (gsize) n_labels + n_negatives;
  ClipLabels *labels = g_new0 (ClipLabels, 1);

  g_atomic_ref_count_init (&labels->references);
  labels->labels = g_new0 (gchar *, n_labels + 1);
  for (guint i = 0; i < n_labels; i++)
    labels->labels[i] = g_strdup_printf ("label %u", i);
  labels->n_labels = n_labels;
  labels->n_negatives = n_negatives;
  labels->dim = dim;
  labels->mode = CLIP_SCORE_SOFTMAX;
  labels->logit_scale = 20;
  labels->bank = g_new (gfloat, rows * dim);
  for (gsize i = 0; i < rows; i++) {
    gdouble squares = 0;

    for (gsize k = 0; k < dim; k++) {
      labels->bank[i * dim + k] = (gfloat) g_rand_double_range (rand, -1, 1);
      squares += pow (labels->bank[i * dim + k], 2);
    }
    for (gsize k = 0; k < dim; k++)
      labels->bank[i * dim + k] /= (gfloat) sqrt (squares);
  }
  return labels;
}

static long double
reference_logit (const ClipLabels *labels, gsize row, const gfloat *embedding,
    long double scale)
{
  long double sum = 0;

  for (gsize k = 0; k < labels->dim; k++)
    sum += (long double) labels->bank[row * labels->dim + k] * embedding[k];
  return scale * sum;
}

/* Straight from the definition; long double has the range for it. */
static void
reference_scores (const ClipLabels *labels, const gfloat *embedding,
    ClipScoreMode mode, long double scale, gdouble *out)
{
  long double all = 0, negatives = 0, bias = labels->logit_bias;

  if (mode == CLIP_SCORE_COSINE)
    scale = 1;
  for (gsize i = 0; i < labels->n_labels + labels->n_negatives; i++) {
    const long double logit = reference_logit (labels, i, embedding, scale);

    if (i < labels->n_labels)
      out[i] = (gdouble) logit;
    else
      negatives += expl (logit);
    all += expl (logit);
  }
  if (!labels->has_bias && labels->n_negatives > 0)
    bias = -logl (negatives);
  for (gsize i = 0; i < labels->n_labels; i++) {
    if (mode == CLIP_SCORE_SOFTMAX)
      out[i] = (gdouble) (expl (out[i]) / all);
    else if (mode == CLIP_SCORE_SIGMOID)
      out[i] = (gdouble) (1 / (1 + expl (-(out[i] + bias))));
  }
}

static void
check_scores (ClipLabels *labels, const gfloat *embedding, ClipScoreMode mode,
    gfloat scale)
{
  g_autofree gfloat *scores = g_new (gfloat, labels->n_labels);
  g_autofree gdouble *expected = g_new (gdouble, labels->n_labels);
  const ClipScoreMode meant = mode == CLIP_SCORE_AUTO ? labels->mode : mode;
  const gdouble used = scale < 0 ? labels->logit_scale : scale;
  const guint before = allocations;
  gdouble sum = 0;

  clip_labels_score (labels, embedding, mode, scale, scores);
  g_assert_cmpuint (allocations, ==, before);
  reference_scores (labels, embedding, meant, used, expected);
  for (guint i = 0; i < labels->n_labels; i++) {
    /* A cosine is good to some 1e-7, which the scale makes a logit's error,
     * and a logit's error is a score's relative one. */
    g_assert_cmpfloat_with_epsilon (scores[i], expected[i],
        4e-7 + fabs (expected[i]) * used * 1e-6);
    sum += scores[i];
  }
  if (meant == CLIP_SCORE_SOFTMAX && labels->n_negatives == 0)
    g_assert_cmpfloat_with_epsilon (sum, 1, 1e-5);
}

static void
test_scores (void)
{
  static const gsize dims[] = { 1, 7, 16, 37, 256, 512, 515 };
  static const guint counts[] = { 1, 2, 50, 300 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);

  for (guint d = 0; d < G_N_ELEMENTS (dims); d++) {
    for (guint c = 0; c < G_N_ELEMENTS (counts); c++) {
      for (guint negatives = 0; negatives < 5; negatives += 2) {
        g_autoptr (ClipLabels) labels =
            make_labels (rand, counts[c], negatives, dims[d]);
        g_autoptr (ClipLabels) other = make_labels (rand, 1, 0, dims[d]);

        for (guint mode = CLIP_SCORE_AUTO; mode <= CLIP_SCORE_COSINE; mode++) {
          check_scores (labels, other->bank, mode, -1);
          check_scores (labels, other->bank, mode, 0);
          check_scores (labels, other->bank, mode, 100);
          /* The picture is one of the labels. */
          check_scores (labels, labels->bank, mode, 100);
        }
      }
    }
  }
}

static void
test_model_bias (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);
  g_autoptr (ClipLabels) labels = make_labels (rand, 5, 3, 64);
  g_autoptr (ClipLabels) other = make_labels (rand, 1, 0, 64);

  labels->mode = CLIP_SCORE_SIGMOID;
  labels->has_bias = TRUE;
  labels->logit_bias = -12.5f;
  check_scores (labels, other->bank, CLIP_SCORE_AUTO, -1);
  check_scores (labels, labels->bank, CLIP_SCORE_AUTO, -1);
}

/* A label that equals the only negative label: as good as it, so one half. */
static void
test_half (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autoptr (ClipLabels) labels = make_labels (rand, 1, 1, 64);
  gfloat score;

  for (gsize k = 0; k < 64; k++)
    labels->bank[64 + k] = labels->bank[k];
  clip_labels_score (labels, labels->bank, CLIP_SCORE_SIGMOID, 50, &score);
  g_assert_cmpfloat_with_epsilon (score, 0.5, 1e-6);
  clip_labels_score (labels, labels->bank, CLIP_SCORE_SOFTMAX, 50, &score);
  g_assert_cmpfloat_with_epsilon (score, 0.5, 1e-6);
}

/* Whatever the scale, scores stay between 0 and 1 and the best stays best. */
static void
test_extreme_scales (void)
{
  static const gfloat scales[] = { 0, 1e-30f, 1e4f, 1e20f, G_MAXFLOAT,
    INFINITY };
  g_autoptr (GRand) rand = g_rand_new_with_seed (6);
  g_autoptr (ClipLabels) labels = make_labels (rand, 9, 4, 64);
  gfloat scores[9];

  for (guint i = 0; i < G_N_ELEMENTS (scales); i++) {
    for (guint mode = CLIP_SCORE_SOFTMAX; mode <= CLIP_SCORE_SIGMOID; mode++) {
      clip_labels_score (labels, labels->bank + 64 * 2, mode, scales[i],
          scores);
      for (guint k = 0; k < 9; k++) {
        g_assert_true (scores[k] >= 0 && scores[k] <= 1);
        g_assert_cmpfloat (scores[k], <=, scores[2]);
      }
    }
  }
  g_assert_cmpfloat (scores[2], ==, 1);
}

/* ------------------------------------------------------------------- order */

typedef struct {
  gfloat score;
  guint index;
} Ranked;

static gint
compare_ranked (gconstpointer a, gconstpointer b)
{
  const Ranked *x = a, *y = b;

  if (x->score != y->score)
    return x->score > y->score ? -1 : 1;
  return x->index < y->index ? -1 : 1;
}

static void
check_order (const gfloat *scores, guint n, gfloat threshold, guint top_k)
{
  g_autofree Ranked *all = g_new (Ranked, n + 1);
  g_autofree guint *order = g_new (guint, n + 1);
  const guint before = allocations;
  guint n_order = clip_scores_rank (scores, n, threshold, top_k, order);
  guint n_all = 0;

  g_assert_cmpuint (allocations, ==, before);
  for (guint i = 0; i < n; i++)
    if (scores[i] >= threshold)
      all[n_all++] = (Ranked){ scores[i], i };
  qsort (all, n_all, sizeof *all, compare_ranked);
  if (top_k > 0)
    n_all = MIN (n_all, top_k);
  g_assert_cmpuint (n_order, ==, n_all);
  for (guint i = 0; i < n_all; i++)
    g_assert_cmpuint (order[i], ==, all[i].index);
}

static void
test_order (void)
{
  static const guint counts[] = { 0, 1, 2, 3, 10, 100, 1000 };
  static const guint tops[] = { 0, 1, 2, 5, 100, 5000 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (guint c = 0; c < G_N_ELEMENTS (counts); c++) {
    for (guint round = 0; round < 20; round++) {
      g_autofree gfloat *scores = g_new (gfloat, counts[c] + 1);

      /* Every other round with many equal scores. */
      for (guint i = 0; i < counts[c]; i++)
        scores[i] = round % 2 ? (gfloat) g_rand_double (rand)
                              : (gfloat) g_rand_int_range (rand, 0, 4) / 4;
      for (guint t = 0; t < G_N_ELEMENTS (tops); t++) {
        check_order (scores, counts[c], 0, tops[t]);
        check_order (scores, counts[c], 0.5f, tops[t]);
        check_order (scores, counts[c], 2, tops[t]);
        check_order (scores, counts[c], -1, tops[t]);
      }
    }
  }
}

static void
test_order_nan (void)
{
  const gfloat scores[] = { 0.1f, NAN, 0.3f, NAN, 0.2f };
  guint order[5];

  g_assert_cmpuint (clip_scores_rank (scores, 5, -1, 0, order), ==, 3);
  g_assert_cmpuint (order[0], ==, 2);
  g_assert_cmpuint (order[1], ==, 4);
  g_assert_cmpuint (order[2], ==, 0);
}

static void
test_counter (void)
{
  const guint before = allocations;

  /* Seen by others, or the compiler would do without. */
  gpointer volatile memory = malloc (8);

  free (memory);
  g_free (g_malloc (8));
  g_assert_cmpuint (allocations, >=, before + 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/score/allocations-are-seen", test_counter);
  g_test_add_func ("/score/scores", test_scores);
  g_test_add_func ("/score/model-bias", test_model_bias);
  g_test_add_func ("/score/half", test_half);
  g_test_add_func ("/score/extreme-scales", test_extreme_scales);
  g_test_add_func ("/score/order", test_order);
  g_test_add_func ("/score/order-nan", test_order_nan);
  return g_test_run ();
}
