/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The engine's errors as messages on the bus.
 */
#pragma once

#include <gst/gst.h>

#include "engine/clip.h"

G_BEGIN_DECLS

/* Posts a GST_MESSAGE_ERROR or GST_MESSAGE_WARNING that says `summary`, for
 * people, then what the engine said. NOT_FOUND becomes RESOURCE/NOT_FOUND, a
 * file or setting that does not fit RESOURCE/SETTINGS. Any thread. */
void gst_clip_post_error (GstElement *element, GstMessageType type,
    const gchar *summary, const GError *error);

G_END_DECLS
