/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* What can come out (transfer full) where @caps go in: the same with the
 * promise of overlays (meta:GstVideoOverlayComposition), first, unless
 * downstream has @refused to draw them, and without, where the frames can be
 * blended into. Overlays that upstream has promised stay promised. */
GstCaps *gst_clip_overlay_caps_outputs (const GstCaps *caps, gboolean refused);

/* What can go in (transfer full) where @caps come out. */
GstCaps *gst_clip_overlay_caps_inputs (const GstCaps *caps);

/* Whether structure @i of @caps promises overlays. */
gboolean gst_clip_overlay_caps_have_overlays (const GstCaps *caps, guint i);

/* Whether frames of @caps, which are fixed, can be blended into. */
gboolean gst_clip_overlay_caps_in_system_memory (const GstCaps *caps);

G_END_DECLS
