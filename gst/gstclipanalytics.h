/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same scores as GStreamer's analytics library (1.24) carries them.
 */
#pragma once

#include "gst/gstclipresult.h"

G_BEGIN_DECLS

/* Adds a GstAnalyticsClsMtd, classes by falling score, to the buffer's
 * relation meta. */
void gst_clip_analytics_attach (const GstClipResult *result, GstBuffer *buffer);

G_END_DECLS
