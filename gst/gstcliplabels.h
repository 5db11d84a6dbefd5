/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The labels that the user asked for, before they are encoded.
 */
#pragma once

#include <glib.h>

#include "engine/clip.h"

G_BEGIN_DECLS

/* Owned by whoever holds it; every field may be NULL. */
typedef struct {
  gchar **labels;
  gchar *file;
  gchar **negatives; /* NULL: the built-in ones */
  gchar **templates; /* NULL: the usual one */
} GstClipLabelSpec;

GstClipLabelSpec *gst_clip_label_spec_copy (const GstClipLabelSpec *spec);
void gst_clip_label_spec_clear (GstClipLabelSpec *spec);
void gst_clip_label_spec_free (GstClipLabelSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstClipLabelSpec, gst_clip_label_spec_free)

/* Reads the file and looks at the texts; encodes nothing. */
gboolean gst_clip_label_spec_check (const GstClipLabelSpec *spec,
    GError **error);

/* Encodes the labels, those of the file after them, or, where there are none,
 * the model's own; blocks. NULL without an error: there are no labels.
 * `warnings`: a strv to free, or NULL. */
ClipLabels *gst_clip_label_spec_encode (const GstClipLabelSpec *spec,
    ClipEncoder *encoder, GCancellable *cancellable, gchar ***warnings,
    GError **error);

G_END_DECLS
