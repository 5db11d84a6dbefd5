/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An element's use of the engine.
 */
#include "gst/gstclipsession.h"

#include "gst/gstcliperror.h"
#include "gst/gstclipresult.h"

GST_DEBUG_CATEGORY_EXTERN (gst_clip_filter_debug);
#define GST_CAT_DEFAULT gst_clip_filter_debug

#define PROGRESS_CODE "clip-load"

struct _GstClipSession {
  GstElement *element;

  /* Between start and stop; written by start, stop and, before `ready`, the
   * worker. */
  GThread *worker;
  ClipModel *model;
  ClipEncoderParams params; /* owns its strings */
  ClipJob *job;
  const gchar *description; /* the last that was told of the encoder */

  GMutex lock; /* of everything below */
  GCond changed;
  GstClipLabelSpec *wanted; /* NULL before the first */
  guint wanted_serial;      /* counts changes of `wanted` */
  GCancellable *encoding;   /* of an older `wanted`; NULL: none under way */
  gboolean quit;
  gboolean ready;    /* first labels are there */
  gboolean failed;   /* they will not come */
  gboolean flushing; /* between a flush's start and stop */
  gboolean closed;   /* until the next start, whatever flushes come */
  gboolean busy;     /* the job is on its way */
  ClipEncoder *encoder;
  ClipLabels *labels;
  GError *job_error;
};

GstClipSession *
gst_clip_session_new (GstElement *element)
{
  GstClipSession *session = g_new0 (GstClipSession, 1);

  session->element = element;
  g_mutex_init (&session->lock);
  g_cond_init (&session->changed);
  return session;
}

void
gst_clip_session_free (GstClipSession *session)
{
  g_clear_pointer (&session->wanted, gst_clip_label_spec_free);
  g_mutex_clear (&session->lock);
  g_cond_clear (&session->changed);
  g_free (session);
}

/* ---------------------------------------------------------------- worker */

static void
post_progress (GstClipSession *session, GstProgressType type, const gchar *text)
{
  gst_element_post_message (session->element,
      gst_message_new_progress (GST_OBJECT (session->element), type,
          PROGRESS_CODE, text));
}

static void
fail (GstClipSession *session, const gchar *summary, const GError *error)
{
  gst_clip_post_error (session->element, GST_MESSAGE_ERROR, summary, error);
  post_progress (session, GST_PROGRESS_TYPE_ERROR, summary);
  g_mutex_lock (&session->lock);
  session->failed = TRUE;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

/* What the model runs on, at the start and where another backend had to take
 * over. Strings of an encoder last, so that they tell whether it is news. */
static void
tell_backend (GstClipSession *session)
{
  const gchar *description = clip_encoder_get_description (session->encoder);
  const gchar *warning = clip_encoder_get_warning (session->encoder);

  if (session->description == description)
    return;
  session->description = description;
  GST_INFO_OBJECT (session->element, "model %s on %s",
      clip_model_get_name (session->model), description);
  if (warning != NULL)
    GST_ELEMENT_WARNING (session->element, LIBRARY, INIT, ("%s", warning),
        ("%s", description));
  g_object_notify (G_OBJECT (session->element), "active-backend");
}

static gboolean
open_encoder (GstClipSession *session)
{
  g_autoptr (GError) error = NULL;
  ClipEncoder *encoder =
      clip_encoder_new (session->model, &session->params, &error);

  if (encoder == NULL) {
    fail (session, "The model cannot be used", error);
    return FALSE;
  }
  session->job = clip_job_new (encoder);
  g_mutex_lock (&session->lock);
  session->encoder = encoder;
  g_mutex_unlock (&session->lock);
  tell_backend (session);
  return TRUE;
}

/* NULL: the session is being stopped. What comes later cancels the encoding. */
static GstClipLabelSpec *
wait_for_spec (GstClipSession *session, guint *serial)
{
  GstClipLabelSpec *spec = NULL;

  g_mutex_lock (&session->lock);
  g_clear_object (&session->encoding);
  while (!session->quit && session->wanted_serial == *serial)
    g_cond_wait (&session->changed, &session->lock);
  if (!session->quit) {
    spec = gst_clip_label_spec_copy (session->wanted);
    *serial = session->wanted_serial;
    session->encoding = g_cancellable_new ();
  }
  g_mutex_unlock (&session->lock);
  return spec;
}

/* With the lock held. A later encoding must not be called off by mistake: take
 * this together with the change that makes it useless. */
static GCancellable *
ref_encoding (GstClipSession *session)
{
  return session->encoding != NULL ? g_object_ref (session->encoding) : NULL;
}

/* Without the lock, since it calls whoever waits. */
static void
call_off (GCancellable *encoding)
{
  if (encoding == NULL)
    return;
  g_cancellable_cancel (encoding);
  g_object_unref (encoding);
}

static void
swap_labels (GstClipSession *session, ClipLabels *labels)
{
  ClipLabels *old;

  g_mutex_lock (&session->lock);
  old = session->labels;
  session->labels = labels;
  session->ready = TRUE;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
  g_clear_pointer (&old, clip_labels_unref);
}

static void
post_labels (GstClipSession *session, ClipLabels *labels, gchar **warnings)
{
  if (warnings != NULL) {
    g_autofree gchar *text = g_strjoinv ("\n", warnings);

    GST_ELEMENT_WARNING (session->element, RESOURCE, SETTINGS, ("%s", text),
        (NULL));
  }
  if (labels == NULL)
    GST_ELEMENT_WARNING (session->element, RESOURCE, SETTINGS,
        ("There are no labels, so frames get no scores: set \"labels\" or "
         "\"labels-file\" (model %s has no labels.txt).",
            clip_model_get_name (session->model)),
        (NULL));
  gst_element_post_message (session->element,
      gst_clip_labels_to_message (labels, session->element));
}

typedef enum {
  TAKEN,     /* in use */
  NOT_TAKEN, /* called off, or unusable, and the old ones stay */
  FAILED,    /* there are no labels to begin with */
} Outcome;

static Outcome
take_labels (GstClipSession *session, const GstClipLabelSpec *spec,
    gboolean first)
{
  g_auto (GStrv) warnings = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipLabels) labels = gst_clip_label_spec_encode (spec,
      session->encoder, session->encoding, &warnings, &error);

  if (g_error_matches (error, CLIP_ERROR, CLIP_ERROR_CANCELLED))
    return NOT_TAKEN;
  if (error != NULL && first) {
    fail (session, "The labels cannot be used", error);
    return FAILED;
  }
  if (error != NULL) {
    gst_clip_post_error (session->element, GST_MESSAGE_WARNING,
        "The new labels cannot be used and the old ones stay", error);
    return NOT_TAKEN;
  }
  swap_labels (session, labels != NULL ? clip_labels_ref (labels) : NULL);
  post_labels (session, labels, warnings);
  return TAKEN;
}

static gpointer
work (gpointer data)
{
  GstClipSession *session = data;
  GstClipLabelSpec *spec;
  gboolean first = TRUE;
  guint serial = 0;

  post_progress (session, GST_PROGRESS_TYPE_START, "Loading the model");
  if (!open_encoder (session))
    return NULL;
  post_progress (session, GST_PROGRESS_TYPE_CONTINUE, "Encoding the labels");
  while ((spec = wait_for_spec (session, &serial)) != NULL) {
    const Outcome outcome = take_labels (session, spec, first);

    gst_clip_label_spec_free (spec);
    if (outcome == FAILED)
      return NULL;
    if (outcome == TAKEN && first) {
      post_progress (session, GST_PROGRESS_TYPE_COMPLETE, "Ready");
      first = FALSE;
    }
  }
  if (first)
    post_progress (session, GST_PROGRESS_TYPE_CANCELED, "Called off");
  return NULL;
}

/* ---------------------------------------------------- starting, stopping */

void
gst_clip_session_start (GstClipSession *session, ClipModel *model,
    const ClipEncoderParams *params)
{
  session->model = model;
  session->params = *params;
  session->params.backend = g_strdup (params->backend);
  session->params.device = g_strdup (params->device);
  session->description = NULL;
  g_mutex_lock (&session->lock);
  session->quit = session->ready = session->failed = FALSE;
  session->flushing = session->closed = FALSE;
  g_mutex_unlock (&session->lock);
  session->worker = g_thread_new ("clipfilter", work, session);
}

void
gst_clip_session_stop (GstClipSession *session)
{
  GCancellable *encoding;
  ClipEncoder *encoder;
  ClipLabels *labels;

  if (session->worker == NULL)
    return;
  g_mutex_lock (&session->lock);
  session->quit = TRUE;
  encoding = ref_encoding (session);
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
  call_off (encoding);
  g_thread_join (g_steal_pointer (&session->worker));
  g_clear_pointer (&session->job, clip_job_free);

  g_mutex_lock (&session->lock);
  session->ready = FALSE;
  labels = g_steal_pointer (&session->labels);
  encoder = g_steal_pointer (&session->encoder);
  g_clear_object (&session->encoding);
  g_clear_error (&session->job_error);
  g_mutex_unlock (&session->lock);
  g_clear_pointer (&labels, clip_labels_unref);
  g_clear_pointer (&encoder, clip_encoder_unref);
  g_clear_pointer (&session->model, clip_model_unref);
  g_free ((gchar *) session->params.backend);
  g_free ((gchar *) session->params.device);
  session->params = (ClipEncoderParams){ NULL };
  g_object_notify (G_OBJECT (session->element), "active-backend");
}

void
gst_clip_session_set_labels (GstClipSession *session,
    const GstClipLabelSpec *spec)
{
  GCancellable *encoding;
  GstClipLabelSpec *old;

  g_mutex_lock (&session->lock);
  old = session->wanted;
  session->wanted = gst_clip_label_spec_copy (spec);
  session->wanted_serial++;
  encoding = ref_encoding (session);
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
  call_off (encoding);
  g_clear_pointer (&old, gst_clip_label_spec_free);
}

void
gst_clip_session_set_flushing (GstClipSession *session, gboolean flushing)
{
  g_mutex_lock (&session->lock);
  session->flushing = flushing;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

void
gst_clip_session_close (GstClipSession *session)
{
  g_mutex_lock (&session->lock);
  session->closed = TRUE;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

gchar *
gst_clip_session_dup_backend (GstClipSession *session)
{
  gchar *backend = NULL;

  g_mutex_lock (&session->lock);
  if (session->encoder != NULL)
    backend = g_strdup (clip_encoder_get_backend (session->encoder));
  g_mutex_unlock (&session->lock);
  return backend;
}

/* ------------------------------------------------------ streaming thread */

/* With the lock held. */
static gboolean
is_flushing (GstClipSession *session)
{
  return session->flushing || session->closed;
}

GstFlowReturn
gst_clip_session_wait (GstClipSession *session)
{
  GstFlowReturn flow = GST_FLOW_OK;

  g_mutex_lock (&session->lock);
  while (!is_flushing (session) && !session->ready && !session->failed)
    g_cond_wait (&session->changed, &session->lock);
  if (is_flushing (session))
    flow = GST_FLOW_FLUSHING;
  else if (session->failed)
    flow = GST_FLOW_ERROR;
  g_mutex_unlock (&session->lock);
  return flow;
}

ClipLabels *
gst_clip_session_get_labels (GstClipSession *session)
{
  ClipLabels *labels = NULL;

  g_mutex_lock (&session->lock);
  if (session->labels != NULL)
    labels = clip_labels_ref (session->labels);
  g_mutex_unlock (&session->lock);
  return labels;
}

ClipModel *
gst_clip_session_get_model (GstClipSession *session)
{
  return session->model;
}

static void
job_done (ClipJob *job, const GError *error, gpointer user_data)
{
  GstClipSession *session = user_data;

  g_mutex_lock (&session->lock);
  session->busy = FALSE;
  g_clear_error (&session->job_error);
  if (error != NULL)
    session->job_error = g_error_copy (error);
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

/* FALSE: flushing came first. */
static gboolean
wait_until_idle (GstClipSession *session)
{
  gboolean flushing;

  g_mutex_lock (&session->lock);
  while (session->busy && !is_flushing (session))
    g_cond_wait (&session->changed, &session->lock);
  flushing = is_flushing (session);
  g_mutex_unlock (&session->lock);
  return !flushing;
}

GstFlowReturn
gst_clip_session_encode (GstClipSession *session, const ClipImage *image,
    ClipResizeMode resize_mode, const gfloat **embedding, GError **error)
{
  /* A frame that a flush gave up may still be under way. */
  if (!wait_until_idle (session))
    return GST_FLOW_FLUSHING;
  if (!clip_job_set_image (session->job, image, resize_mode, error))
    return GST_FLOW_ERROR;
  g_mutex_lock (&session->lock);
  session->busy = TRUE;
  g_mutex_unlock (&session->lock);
  clip_job_submit (session->job, job_done, session);
  if (!wait_until_idle (session)) {
    clip_job_cancel (session->job);
    return GST_FLOW_FLUSHING;
  }
  if (session->job_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&session->job_error));
    return GST_FLOW_ERROR;
  }
  tell_backend (session);
  *embedding = clip_job_get_embedding (session->job);
  return GST_FLOW_OK;
}
