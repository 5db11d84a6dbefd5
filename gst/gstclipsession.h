/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An element's use of the engine. One worker thread prepares the encoder and
 * encodes labels, so that neither state changes nor property setters do; the
 * streaming thread waits here for the first labels and for its frame, and
 * every such wait ends when the session is set to flushing or closed.
 *
 * The session exists as long as its element. The worker runs, and an encoder
 * is held, only between start and stop.
 */
#pragma once

#include <gst/gst.h>

#include "gst/gstcliplabels.h"

G_BEGIN_DECLS

typedef struct _GstClipSession GstClipSession;

/* `element` is not referenced; messages are posted in its name. */
GstClipSession *gst_clip_session_new (GstElement *element);
/* Must have been stopped. */
void gst_clip_session_free (GstClipSession *session);

/* Starts the worker, which posts GST_MESSAGE_PROGRESS, and GST_MESSAGE_ERROR
 * where it fails; takes `model`. Not flushing any more. */
void gst_clip_session_start (GstClipSession *session, ClipModel *model,
    const ClipEncoderParams *params);
/* Ends the worker, waiting for at most one run of a tower, and lets go of the
 * encoder. No frame may be on its way. */
void gst_clip_session_stop (GstClipSession *session);

/* What to encode next; what is being encoded is called off. Never blocks; any
 * thread, any time. The labels in use are replaced when these have been encoded; where that fails they stay and a
 * GST_MESSAGE_WARNING is posted. */
void gst_clip_session_set_labels (GstClipSession *session,
    const GstClipLabelSpec *spec);

/* Ends waits with GST_FLOW_FLUSHING until it is set to FALSE. Any thread. */
void gst_clip_session_set_flushing (GstClipSession *session, gboolean flushing);

/* Ends waits with GST_FLOW_FLUSHING until the next start. Any thread. */
void gst_clip_session_close (GstClipSession *session);

/* The name of the running backend; NULL before it runs. Free it. Any thread. */
gchar *gst_clip_session_dup_backend (GstClipSession *session);

/* For the streaming thread: */

/* Waits for the encoder and the first labels. GST_FLOW_ERROR: there will be
 * none, and an error has been posted. */
GstFlowReturn gst_clip_session_wait (GstClipSession *session);
/* The labels in use; NULL: none. Unref them. */
ClipLabels *gst_clip_session_get_labels (GstClipSession *session);
/* Encodes a picture, after gst_clip_session_wait () was OK. The embedding
 * stays valid until the next call. GST_FLOW_ERROR comes with an error. */
GstFlowReturn gst_clip_session_encode (GstClipSession *session,
    const ClipImage *image, ClipResizeMode resize_mode,
    const gfloat **embedding, GError **error);
/* NULL before the start. Not a new reference. */
ClipModel *gst_clip_session_get_model (GstClipSession *session);

G_END_DECLS
