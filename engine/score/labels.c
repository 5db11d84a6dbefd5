/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From typed labels to a bank of embeddings.
 */
#include "engine/score/labels.h"

#include <math.h>
#include <string.h>

/* Texts that are encoded in one call, or as many as a label has templates:
 * what is held at a time, whatever the number of labels. */
#define TEXTS_AT_ONCE 1024

static const gchar *const default_templates[] = { "a photo of a {}.", NULL };
static const gchar *const no_templates[] = { "{}", NULL };

/* What every picture is a little of, so that a label wins only where it is more
 * than that. Chosen with the starter model: one label alone then scores above
 * one half on 91 % of the held-out photos that show it, and on 4 % of those
 * that do not; among some eighty labels, where one is right, these together
 * take 0.3 % (median). */
static const gchar *const builtin_negatives[] = {
  "a photo.",
  "a photo of a scene.",
  "a photo of something.",
  "a background.",
  NULL,
};

const gchar *const *
clip_labels_get_builtin_negatives (void)
{
  return builtin_negatives;
}

/* ------------------------------------------------------ what is to encode */

/* Texts on their way into a bank, and what there is to say about them. */
typedef struct {
  const gchar *const *templates;
  guint n_templates;
  GPtrArray *labels, *negatives; /* owned strings */
  GHashTable *seen;              /* borrowed from them */
  GPtrArray *warnings;           /* owned strings */
} Draft;

static void
draft_init (Draft *draft)
{
  draft->labels = g_ptr_array_new_with_free_func (g_free);
  draft->negatives = g_ptr_array_new_with_free_func (g_free);
  draft->seen = g_hash_table_new (g_str_hash, g_str_equal);
  draft->warnings = g_ptr_array_new_with_free_func (g_free);
}

static void
draft_clear (Draft *draft)
{
  g_hash_table_unref (draft->seen);
  g_ptr_array_unref (draft->labels);
  g_ptr_array_unref (draft->negatives);
  g_ptr_array_unref (draft->warnings);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Draft, draft_clear)

G_GNUC_PRINTF (2, 3)
static void
warn (Draft *draft, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (draft->warnings, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static gboolean
check_utf8 (const gchar *text, const gchar *what, guint number, GError **error)
{
  const gchar *valid;

  if (g_utf8_validate (text, -1, &valid))
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
      "%s %u is not UTF-8: byte 0x%02x after \"%.*s\"", what, number,
      (guint8) *valid, (gint) MIN (valid - text, 100), text);
  return FALSE;
}

static gboolean
set_templates (Draft *draft, const gchar *const *templates, GError **error)
{
  if (templates == NULL)
    templates = default_templates;
  else if (*templates == NULL)
    templates = no_templates;

  for (guint i = 0; templates[i] != NULL; i++) {
    const gchar *place = strstr (templates[i], "{}");

    if (!check_utf8 (templates[i], "prompt template", i + 1, error))
      return FALSE;
    if (place == NULL || strstr (place + 2, "{}") != NULL) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
          "prompt template %u is \"%s\", expected one \"{}\" where the label "
          "goes",
          i + 1, templates[i]);
      return FALSE;
    }
  }
  draft->templates = templates;
  draft->n_templates = g_strv_length ((gchar **) templates);
  return TRUE;
}

static gchar *
fill_template (const gchar *template, const gchar *label)
{
  const gchar *place = strstr (template, "{}");

  return g_strdup_printf ("%.*s%s%s", (gint) (place - template), template,
      label, place + 2);
}

static gchar *
strip (const gchar *text)
{
  const gchar *end = text + strlen (text);

  while (text < end && g_unichar_isspace (g_utf8_get_char (text)))
    text = g_utf8_next_char (text);
  while (text < end
      && g_unichar_isspace (g_utf8_get_char (g_utf8_prev_char (end))))
    end = g_utf8_prev_char (end);
  return g_strndup (text, end - text);
}

/* Adds each text to `list`, without the white space around it. */
static gboolean
add_texts (Draft *draft, const gchar *const *texts, const gchar *what,
    GPtrArray *list, GError **error)
{
  g_hash_table_remove_all (draft->seen);
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++) {
    g_autofree gchar *text = NULL;

    if (!check_utf8 (texts[i], what, i + 1, error))
      return FALSE;
    text = strip (texts[i]);
    if (*text == '\0') {
      warn (draft, "%s %u is empty and left out", what, i + 1);
    } else if (g_hash_table_contains (draft->seen, text)) {
      warn (draft, "%s %u repeats \"%s\" and is left out", what, i + 1, text);
    } else {
      g_hash_table_add (draft->seen, text);
      g_ptr_array_add (list, g_steal_pointer (&text));
    }
  }
  return TRUE;
}

/* A negative label that says the same as a label would halve its score. */
static void
drop_rivals (Draft *draft, gboolean built_in)
{
  g_autoptr (GHashTable) prompts =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < draft->labels->len; i++) {
    const gchar *label = draft->labels->pdata[i];

    g_hash_table_add (prompts, g_strdup (label));
    for (guint t = 0; t < draft->n_templates; t++)
      g_hash_table_add (prompts, fill_template (draft->templates[t], label));
  }
  for (guint i = 0; i < draft->negatives->len;) {
    const gchar *negative = draft->negatives->pdata[i];

    if (!g_hash_table_contains (prompts, negative)) {
      i++;
      continue;
    }
    if (!built_in)
      warn (draft, "negative label \"%s\" is also a label and is left out",
          negative);
    g_ptr_array_remove_index (draft->negatives, i);
  }
}

/* --------------------------------------------------------------- encoding */

/* Says so where a text is longer than the model's context. */
static gboolean
check_length (Draft *draft, ClipModel *model, const gchar *text,
    const gchar *label, GError **error)
{
  gboolean truncated = FALSE;
  guint n;
  g_autofree gint32 *ids =
      clip_model_tokenize (model, text, &n, &truncated, error);

  if (ids == NULL)
    return FALSE;
  if (truncated)
    warn (draft,
        "\"%.200s\" is longer than the %u tokens that the model reads; its "
        "end is ignored",
        label, clip_model_get_context (model));
  return TRUE;
}

/* The unit mean of n unit rows; FALSE where they cancel. */
static gboolean
unit_mean (const gfloat *rows, guint n, gsize dim, gfloat *out)
{
  gdouble squares = 0, scale;

  for (gsize k = 0; k < dim; k++) {
    gdouble sum = 0;

    for (guint i = 0; i < n; i++)
      sum += rows[i * dim + k];
    out[k] = (gfloat) sum;
    squares += sum * sum;
  }
  if (!(squares > 1e-12))
    return FALSE;
  scale = 1 / sqrt (squares);
  for (gsize k = 0; k < dim; k++)
    out[k] = (gfloat) (out[k] * scale);
  return TRUE;
}

typedef struct {
  ClipEncoder *encoder;
  GCancellable *cancellable;
  gsize dim;
} Encoding;

/* Encodes up to n of the texts, each through all templates, into rows. */
static gboolean
encode_some (const Encoding *encoding, Draft *draft, gchar **texts, guint n,
    const gchar *const *templates, guint n_templates, gfloat *rows,
    GError **error)
{
  ClipModel *model = clip_encoder_get_model (encoding->encoder);
  const gsize dim = encoding->dim;
  g_autoptr (GPtrArray) prompts = g_ptr_array_new_with_free_func (g_free);
  g_autofree gfloat *embeddings =
      g_try_malloc_n ((gsize) n * n_templates, dim * sizeof (gfloat));

  if (embeddings == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MEMORY,
        "no memory for the embeddings of %u texts", n * n_templates);
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    guint n_warnings = draft->warnings->len;

    for (guint t = 0; t < n_templates; t++) {
      gchar *prompt = fill_template (templates[t], texts[i]);

      g_ptr_array_add (prompts, prompt);
      if (draft->warnings->len == n_warnings
          && !check_length (draft, model, prompt, texts[i], error))
        return FALSE;
    }
  }
  if (!clip_encoder_encode_texts (encoding->encoder,
          (const gchar *const *) prompts->pdata, prompts->len, embeddings,
          encoding->cancellable, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    if (!unit_mean (embeddings + (gsize) i * n_templates * dim, n_templates,
            dim, rows + i * dim)) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
          "\"%s\": the embeddings of its %u prompts cancel each other",
          texts[i], n_templates);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
encode_all (const Encoding *encoding, Draft *draft, GPtrArray *texts,
    const gchar *const *templates, guint n_templates, gfloat *rows,
    GError **error)
{
  const guint step = MAX (1, TEXTS_AT_ONCE / n_templates);

  for (guint i = 0; i < texts->len; i += step)
    if (!encode_some (encoding, draft, (gchar **) texts->pdata + i,
            MIN (step, texts->len - i), templates, n_templates,
            rows + i * encoding->dim, error))
      return FALSE;
  return TRUE;
}

/* ------------------------------------------------------------------ labels */

static gfloat *
encode_bank (ClipEncoder *encoder, Draft *draft, GCancellable *cancellable,
    GError **error)
{
  Encoding encoding = { encoder, cancellable,
    clip_model_get_embed_dim (clip_encoder_get_model (encoder)) };
  gsize n = (gsize) draft->labels->len + draft->negatives->len;
  g_autofree gfloat *bank =
      g_try_malloc_n (MAX (n, 1), encoding.dim * sizeof (gfloat));

  if (bank == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MEMORY,
        "no memory for the embeddings of %" G_GSIZE_FORMAT " labels", n);
    return NULL;
  }
  if (!encode_all (&encoding, draft, draft->labels, draft->templates,
          draft->n_templates, bank, error)
      || !encode_all (&encoding, draft, draft->negatives, no_templates, 1,
          bank + draft->labels->len * encoding.dim, error))
    return NULL;
  return g_steal_pointer (&bank);
}

ClipLabels *
clip_labels_new (ClipEncoder *encoder, const ClipLabelsParams *params,
    GCancellable *cancellable, gchar ***warnings, GError **error)
{
  ClipModel *model = clip_encoder_get_model (encoder);
  const gboolean built_in = params->negatives == NULL;
  g_auto (Draft) draft = { 0 };
  gfloat *bank;
  ClipLabels *labels;

  if (warnings != NULL)
    *warnings = NULL;
  draft_init (&draft);
  if (!set_templates (&draft, params->templates, error)
      || !add_texts (&draft, params->labels, "label", draft.labels, error)
      || !add_texts (&draft, built_in ? builtin_negatives : params->negatives,
          "negative label", draft.negatives, error))
    return NULL;
  if (draft.labels->len == 0)
    g_ptr_array_set_size (draft.negatives, 0);
  drop_rivals (&draft, built_in);
  bank = encode_bank (encoder, &draft, cancellable, error);
  if (bank == NULL)
    return NULL;

  labels = g_new0 (ClipLabels, 1);
  g_atomic_ref_count_init (&labels->references);
  labels->n_labels = draft.labels->len;
  labels->n_negatives = draft.negatives->len;
  labels->dim = clip_model_get_embed_dim (model);
  labels->bank = bank;
  labels->mode = clip_model_get_score_mode (model);
  labels->has_bias = labels->mode == CLIP_SCORE_SIGMOID;
  labels->logit_scale = clip_model_get_logit_scale (model);
  labels->logit_bias = clip_model_get_logit_bias (model);
  g_ptr_array_add (draft.labels, NULL);
  labels->labels = (gchar **) g_ptr_array_steal (draft.labels, NULL);
  if (warnings != NULL && draft.warnings->len > 0) {
    g_ptr_array_add (draft.warnings, NULL);
    *warnings = (gchar **) g_ptr_array_steal (draft.warnings, NULL);
  }
  return labels;
}

ClipLabels *
clip_labels_ref (ClipLabels *labels)
{
  g_atomic_ref_count_inc (&labels->references);
  return labels;
}

void
clip_labels_unref (ClipLabels *labels)
{
  if (!g_atomic_ref_count_dec (&labels->references))
    return;
  g_strfreev (labels->labels);
  g_free (labels->bank);
  g_free (labels);
}

guint
clip_labels_get_n_labels (ClipLabels *labels)
{
  return labels->n_labels;
}

const gchar *
clip_labels_get_label (ClipLabels *labels, guint i)
{
  return labels->labels[i];
}
