/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The labels that the user asked for, before they are encoded.
 */
#include "gst/gstcliplabels.h"

#include <string.h>

GstClipLabelSpec *
gst_clip_label_spec_copy (const GstClipLabelSpec *spec)
{
  GstClipLabelSpec *copy = g_new0 (GstClipLabelSpec, 1);

  copy->labels = g_strdupv (spec->labels);
  copy->file = g_strdup (spec->file);
  copy->negatives = g_strdupv (spec->negatives);
  copy->templates = g_strdupv (spec->templates);
  return copy;
}

void
gst_clip_label_spec_clear (GstClipLabelSpec *spec)
{
  g_clear_pointer (&spec->labels, g_strfreev);
  g_clear_pointer (&spec->file, g_free);
  g_clear_pointer (&spec->negatives, g_strfreev);
  g_clear_pointer (&spec->templates, g_strfreev);
}

void
gst_clip_label_spec_free (GstClipLabelSpec *spec)
{
  gst_clip_label_spec_clear (spec);
  g_free (spec);
}

static gboolean
check_utf8 (gchar **texts, const gchar *what, GError **error)
{
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++) {
    if (!g_utf8_validate (texts[i], -1, NULL)) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT, "%s %u is not UTF-8",
          what, i + 1);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
gst_clip_label_spec_check (const GstClipLabelSpec *spec, GError **error)
{
  if (!check_utf8 (spec->labels, "label", error)
      || !check_utf8 (spec->negatives, "negative label", error)
      || !check_utf8 (spec->templates, "prompt template", error))
    return FALSE;
  for (guint i = 0; spec->templates != NULL && spec->templates[i] != NULL;
       i++) {
    if (strstr (spec->templates[i], "{}") == NULL) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_ARGUMENT,
          "prompt template \"%s\" has no {} where the label goes",
          spec->templates[i]);
      return FALSE;
    }
  }
  if (spec->file != NULL) {
    g_auto (GStrv) lines = clip_labels_read_file (spec->file, error);

    return lines != NULL;
  }
  return TRUE;
}

static void
append_all (GPtrArray *array, gchar **texts)
{
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    g_ptr_array_add (array, texts[i]);
}

ClipLabels *
gst_clip_label_spec_encode (const GstClipLabelSpec *spec, ClipEncoder *encoder,
    GCancellable *cancellable, gchar ***warnings, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_auto (GStrv) lines = NULL;
  ClipLabelsParams params = {
    .negatives = (const gchar *const *) spec->negatives,
    .templates = (const gchar *const *) spec->templates,
  };

  *warnings = NULL;
  if (spec->file != NULL) {
    lines = clip_labels_read_file (spec->file, error);
    if (lines == NULL)
      return NULL;
  }
  append_all (all, spec->labels);
  append_all (all, lines);
  g_ptr_array_add (all, NULL);
  params.labels = (const gchar *const *) all->pdata;
  if (all->len == 1)
    params.labels =
        clip_model_get_default_labels (clip_encoder_get_model (encoder));
  if (params.labels == NULL)
    return NULL;
  return clip_labels_new (encoder, &params, cancellable, warnings, error);
}
