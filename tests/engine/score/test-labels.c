/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From labels and templates to texts, and from their embeddings to a bank.
 */
#include "engine/score/labels.h"

#include "fake.h"

#include <math.h>
#include <string.h>

#define STRV(...) ((const gchar *const[]){ __VA_ARGS__, NULL })
#define NOTHING ((const gchar *const[]){ NULL })

static ClipLabels *
make (const ClipLabelsParams *params, gchar ***warnings)
{
  g_autoptr (GError) error = NULL;
  ClipLabels *labels;

  fake_reset ();
  labels = clip_labels_new (NULL, params, NULL, warnings, &error);
  g_assert_no_error (error);
  g_assert_nonnull (labels);
  return labels;
}

static void
check_encoded (const gchar *const *texts)
{
  g_assert_cmpuint (fake.encoded->len, ==, g_strv_length ((gchar **) texts));
  for (guint i = 0; texts[i] != NULL; i++)
    g_assert_cmpstr (fake.encoded->pdata[i], ==, texts[i]);
}

static void
check_row (const gfloat *row, const gchar *const *texts)
{
  gdouble mean[FAKE_DIM] = { 0 }, squares = 0;

  for (guint t = 0; texts[t] != NULL; t++) {
    gfloat embedding[FAKE_DIM];

    fake_embed (texts[t], embedding);
    for (guint k = 0; k < FAKE_DIM; k++)
      mean[k] += embedding[k];
  }
  for (guint k = 0; k < FAKE_DIM; k++)
    squares += mean[k] * mean[k];
  for (guint k = 0; k < FAKE_DIM; k++)
    g_assert_cmpfloat_with_epsilon (row[k], mean[k] / sqrt (squares), 1e-6);
}

static void
test_defaults (void)
{
  gchar **warnings = (gchar **) &fake;
  g_autoptr (ClipLabels) labels =
      make (&(ClipLabelsParams){ .labels = STRV ("dog", "cat") }, &warnings);
  const gchar *const *negatives = clip_labels_get_builtin_negatives ();
  guint n = g_strv_length ((gchar **) negatives);

  g_assert_null (warnings);
  g_assert_cmpuint (clip_labels_get_n_labels (labels), ==, 2);
  g_assert_cmpstr (clip_labels_get_label (labels, 0), ==, "dog");
  g_assert_cmpstr (clip_labels_get_label (labels, 1), ==, "cat");
  g_assert_cmpuint (n, >, 0);
  g_assert_cmpuint (labels->n_negatives, ==, n);
  g_assert_cmpuint (fake.encoded->len, ==, 2 + n);
  check_row (labels->bank, STRV ("a photo of a dog."));
  check_row (labels->bank + FAKE_DIM, STRV ("a photo of a cat."));
  for (guint i = 0; i < n; i++)
    check_row (labels->bank + (2 + i) * FAKE_DIM, STRV (negatives[i]));
}

static void
test_templates (void)
{
  g_autoptr (ClipLabels) labels =
      make (&(ClipLabelsParams){ .labels = STRV ("dog", "100% {x} %s"),
                .negatives = STRV ("a {} b"),
                .templates = STRV ("{}", "a {}!", "%d {}") },
          NULL);

  check_encoded (STRV ("dog", "a dog!", "%d dog", "100% {x} %s",
      "a 100% {x} %s!", "%d 100% {x} %s", "a {} b"));
  check_row (labels->bank, STRV ("dog", "a dog!", "%d dog"));
  check_row (labels->bank + 2 * FAKE_DIM, STRV ("a {} b"));
}

static void
test_no_templates (void)
{
  g_autoptr (ClipLabels) labels =
      make (&(ClipLabelsParams){ .labels = STRV ("dog"),
                .negatives = NOTHING,
                .templates = NOTHING },
          NULL);

  check_encoded (STRV ("dog"));
  g_assert_cmpuint (labels->n_negatives, ==, 0);
}

static void
check_warning (gchar **warnings, guint i, const gchar *words)
{
  g_assert_cmpuint (g_strv_length (warnings), >, i);
  if (strstr (warnings[i], words) == NULL)
    g_error ("\"%s\" does not say \"%s\"", warnings[i], words);
}

static void
test_clean_up (void)
{
  g_auto (GStrv) warnings = NULL;
  g_autoptr (ClipLabels) labels =
      make (&(ClipLabelsParams){ .labels = STRV (" dog\n", "", "dog",
                                     "\302\240\343\200\200", "Dog",
                                     "one two three four five six seven"),
                .negatives = STRV ("dog", "x", " ", "x", "a photo of a Dog.") },
          &warnings);

  g_assert_cmpuint (clip_labels_get_n_labels (labels), ==, 3);
  g_assert_cmpstr (clip_labels_get_label (labels, 0), ==, "dog");
  g_assert_cmpstr (clip_labels_get_label (labels, 1), ==, "Dog");
  g_assert_cmpuint (labels->n_negatives, ==, 1);
  check_row (labels->bank + 3 * FAKE_DIM, STRV ("x"));
  g_assert_cmpuint (g_strv_length (warnings), ==, 8);
  check_warning (warnings, 0, "label 2 is empty");
  check_warning (warnings, 1, "label 3 repeats \"dog\"");
  check_warning (warnings, 2, "label 4 is empty");
  check_warning (warnings, 3, "negative label 3 is empty");
  check_warning (warnings, 4, "negative label 4 repeats \"x\"");
  check_warning (warnings, 5, "\"dog\" is also a label");
  check_warning (warnings, 6, "\"a photo of a Dog.\" is also a label");
  check_warning (warnings, 7, "longer than the 10 tokens");
}

/* A label that is one of the built-in negatives does not fight itself. */
static void
test_built_in_as_label (void)
{
  const gchar *const *negatives = clip_labels_get_builtin_negatives ();
  g_auto (GStrv) warnings = NULL;
  g_autoptr (ClipLabels) labels =
      make (&(ClipLabelsParams){ .labels = STRV (negatives[0]) }, &warnings);

  g_assert_null (warnings);
  g_assert_cmpuint (labels->n_negatives, ==,
      g_strv_length ((gchar **) negatives) - 1);
}

static void
test_empty (void)
{
  gfloat embedding[FAKE_DIM] = { 1 };
  guint order[1];

  for (guint i = 0; i < 2; i++) {
    g_auto (GStrv) warnings = NULL;
    g_autoptr (ClipLabels) labels =
        make (&(ClipLabelsParams){ .labels = i == 0 ? NULL : STRV (" ") },
            &warnings);

    g_assert_cmpuint (clip_labels_get_n_labels (labels), ==, 0);
    g_assert_cmpuint (fake.encoded->len, ==, 0);
    clip_labels_score (labels, embedding, CLIP_SCORE_AUTO, -1, NULL);
    g_assert_cmpuint (clip_scores_rank (NULL, 0, 0, 0, order), ==, 0);
  }
}

static void
test_many (void)
{
  g_autoptr (GPtrArray) many = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (ClipLabels) labels = NULL;

  for (guint i = 0; i < 3000; i++)
    g_ptr_array_add (many, g_strdup_printf ("label %u", i));
  g_ptr_array_add (many, NULL);
  labels =
      make (&(ClipLabelsParams){ .labels = (const gchar *const *) many->pdata,
                .templates = STRV ("{} a", "{} b", "{} c") },
          NULL);
  g_assert_cmpuint (clip_labels_get_n_labels (labels), ==, 3000);
  g_assert_cmpuint (fake.largest_call, <=, 1024);
  for (guint i = 0; i < 3000; i++) {
    g_autofree gchar *a = g_strdup_printf ("label %u a", i);
    g_autofree gchar *b = g_strdup_printf ("label %u b", i);
    g_autofree gchar *c = g_strdup_printf ("label %u c", i);

    check_row (labels->bank + i * FAKE_DIM, STRV (a, b, c));
  }
}

static void
check_refused (const ClipLabelsParams *params, GCancellable *cancellable,
    ClipErrorCode code, const gchar *words)
{
  g_autoptr (GError) error = NULL;
  gchar **warnings = (gchar **) &fake;
  ClipLabels *labels =
      clip_labels_new (NULL, params, cancellable, &warnings, &error);

  g_assert_null (labels);
  g_assert_null (warnings);
  g_assert_error (error, CLIP_ERROR, (gint) code);
  if (strstr (error->message, words) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, words);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_refused (void)
{
  const gchar *const *dog = STRV ("dog", "");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  fake_reset ();
  check_refused (&(ClipLabelsParams){ .labels = STRV ("a", "b\xff") }, NULL,
      CLIP_ERROR_ARGUMENT, "label 2 is not UTF-8");
  check_refused (&(ClipLabelsParams){ .labels = dog,
                     .negatives = STRV ("\xc3") },
      NULL, CLIP_ERROR_ARGUMENT, "negative label 1 is not UTF-8");
  check_refused (&(ClipLabelsParams){ .labels = dog,
                     .templates = STRV ("{}\xff") },
      NULL, CLIP_ERROR_ARGUMENT, "template 1 is not UTF-8");
  check_refused (&(ClipLabelsParams){ .labels = dog,
                     .templates = STRV ("{}", "a {") },
      NULL, CLIP_ERROR_ARGUMENT, "template 2 is \"a {\"");
  check_refused (&(ClipLabelsParams){ .labels = dog,
                     .templates = STRV ("{} {}") },
      NULL, CLIP_ERROR_ARGUMENT, "expected one \"{}\"");

  fake.cancel = TRUE;
  check_refused (&(ClipLabelsParams){ .labels = dog,
                     .templates = STRV ("{}", "-{}") },
      NULL, CLIP_ERROR_ARGUMENT, "cancel each other");
  fake.fail = TRUE;
  check_refused (&(ClipLabelsParams){ .labels = dog }, NULL, CLIP_ERROR_DEVICE,
      "no device");
  g_cancellable_cancel (cancellable);
  check_refused (&(ClipLabelsParams){ .labels = dog }, cancellable,
      CLIP_ERROR_CANCELLED, "cancelled");
}

int
main (int argc, char **argv)
{
  gint status;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/labels/defaults", test_defaults);
  g_test_add_func ("/labels/templates", test_templates);
  g_test_add_func ("/labels/no-templates", test_no_templates);
  g_test_add_func ("/labels/clean-up", test_clean_up);
  g_test_add_func ("/labels/built-in-as-label", test_built_in_as_label);
  g_test_add_func ("/labels/empty", test_empty);
  g_test_add_func ("/labels/many", test_many);
  g_test_add_func ("/labels/refused", test_refused);
  status = g_test_run ();
  g_ptr_array_unref (fake.encoded);
  return status;
}
