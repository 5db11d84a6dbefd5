/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/gstclipoverlaycaps.h"

#include <gst/video/video.h>

#define OVERLAY_FEATURE GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION

static gboolean
is_system_memory (const GstCapsFeatures *features)
{
  return !features
      || gst_caps_features_is_equal (features,
          GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY);
}

static gboolean
has_overlays (const GstCapsFeatures *features)
{
  return features && !gst_caps_features_is_any (features)
      && gst_caps_features_contains (features, OVERLAY_FEATURE);
}

static void
append_like (GstCaps *result, const GstStructure *structure,
    GstCapsFeatures *features)
{
  gst_caps_append_structure_full (result, gst_structure_copy (structure),
      features);
}

static GstCapsFeatures *
with_overlays (const GstCapsFeatures *features)
{
  GstCapsFeatures *result = features ? gst_caps_features_copy (features)
                                     : gst_caps_features_new_empty ();

  if (!has_overlays (result))
    gst_caps_features_add (result, OVERLAY_FEATURE);
  return result;
}

static GstCapsFeatures *
without_overlays (const GstCapsFeatures *features)
{
  GstCapsFeatures *result = gst_caps_features_copy (features);

  gst_caps_features_remove (result, OVERLAY_FEATURE);
  return result;
}

/* What comes out for one structure of what goes in. Only frames in system
 * memory can be blended into; overlays that upstream attached must stay. */
static void
add_outputs (GstCaps *result, gboolean refused, const GstStructure *structure,
    const GstCapsFeatures *features)
{
  if ((features && gst_caps_features_is_any (features))
      || has_overlays (features)) {
    append_like (result, structure, gst_caps_features_copy (features));
    return;
  }
  if (!is_system_memory (features) || !refused)
    append_like (result, structure, with_overlays (features));
  if (is_system_memory (features))
    append_like (result, structure, NULL);
}

/* The other way round. */
static void
add_inputs (GstCaps *result, const GstStructure *structure,
    const GstCapsFeatures *features)
{
  if (has_overlays (features))
    append_like (result, structure, without_overlays (features));
  if (!features || gst_caps_features_is_any (features)
      || is_system_memory (features) || has_overlays (features))
    append_like (result, structure,
        features ? gst_caps_features_copy (features) : NULL);
}

GstCaps *
gst_clip_overlay_caps_outputs (const GstCaps *caps, gboolean refused)
{
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    add_outputs (result, refused, gst_caps_get_structure (caps, i),
        gst_caps_get_features (caps, i));
  return result;
}

GstCaps *
gst_clip_overlay_caps_inputs (const GstCaps *caps)
{
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    add_inputs (result, gst_caps_get_structure (caps, i),
        gst_caps_get_features (caps, i));
  return result;
}

gboolean
gst_clip_overlay_caps_have_overlays (const GstCaps *caps, guint i)
{
  return has_overlays (gst_caps_get_features (caps, i));
}

gboolean
gst_clip_overlay_caps_in_system_memory (const GstCaps *caps)
{
  GstCapsFeatures *features =
      without_overlays (gst_caps_get_features (caps, 0));
  gboolean result = is_system_memory (features);

  gst_caps_features_free (features);
  return result;
}
