/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The encoder's inside, for the files it is made of and for tests.
 *
 * One thread per encoder runs all programs: a backend is used by one thread
 * at a time. Callers put pictures (jobs) and texts (requests) into two queues.
 * The thread takes up to a batch of pictures, then at most one short chunk of
 * texts, so that thousands of new labels never starve the frames.
 */
#pragma once

#include "engine/clip.h"
#include "engine/plan/backend.h"
#include "engine/textcache.h"
#include "engine/thread.h"
#include "engine/tower/tower.h"

/* Texts in one run of the text tower. */
#define CLIP_TEXT_CHUNK 8
/* Text towers are made for multiples of this many tokens, so that short labels
 * do not pay for a long context. */
#define CLIP_TEXT_BUCKET 8
/* Arena of the image tower, in bytes, beyond which batches get smaller. */
#define CLIP_ARENA_LIMIT (40u << 20)
#define CLIP_MAX_BATCH 8

/* A plan with its program and weights. */
typedef struct {
  ClipPlan *plan;
  ClipWeight **weights; /* the array is ours, the weights are the model's */
  ClipProgram *program;
} ClipTower;

typedef enum {
  CLIP_JOB_IDLE,
  CLIP_JOB_QUEUED,
  CLIP_JOB_RUNNING,
} ClipJobState;

/* Fields below the line are protected by the encoder's lock. */
struct _ClipJob {
  ClipEncoder *encoder;
  ClipPreprocessor *preprocessor;
  gfloat *picture; /* as the image tower wants it */
  gfloat *embedding;
  ClipJobFunc done;
  gpointer user_data;
  /* ---- */
  ClipJobState state;
  GList link; /* in encoder->jobs */
};

/* Texts of one caller, who waits; lives on the caller's stack. */
typedef struct {
  const gchar *const *texts;
  gfloat *out;        /* [n x dim] */
  const gsize *which; /* indices of texts not found in the cache */
  gsize n_which;
  GCancellable *cancellable; /* or NULL */
  GError *error;
  /* ---- */
  gsize next; /* into which */
  gboolean finished;
} ClipTextRequest;

struct _ClipEncoder {
  gint ref_count;                        /* registry lock */
  gchar *wanted_backend, *wanted_device; /* as asked for; device may be NULL */
  ClipPrecision precision;
  guint n_threads;
  ClipModel *model;
  gsize picture_length; /* floats */
  guint max_batch;

  /* Used by the encoder's thread only. */
  ClipBackend *backend;
  ClipTower image;
  ClipTower *text; /* [b]: up to (b + 1) * CLIP_TEXT_BUCKET tokens, and never
                      more than the context; made when first needed */
  guint n_text;
  gfloat *staging; /* [max_batch * picture_length], batches */
  gfloat *results; /* [max_batch x dim] */

  pthread_t thread;
  ClipMutex lock;
  ClipCond wake;     /* something is queued, or quit */
  ClipCond finished; /* a request is finished, a callback has returned */
  /* ---- */
  /* Of the backend in use. These strings live as long as the process. */
  const gchar *backend_name, *description, *warning;
  ClipTextCache *text_cache; /* the model's */
  GQueue jobs;
  GQueue requests;        /* of ClipTextRequest */
  const ClipJob *calling; /* its callback is running now */
  gboolean quit;
};

/* Makes plan and program for a tower. `guarded`: see clip_plan_finish (). */
gboolean clip_tower_init (ClipTower *tower, ClipModel *model,
    ClipBackend *backend, ClipPlan *plan, GError **error);
void clip_tower_clear (ClipTower *tower, ClipBackend *backend);

/* Opens the device that was asked for and prepares the towers on it; under
 * "auto", the CPU takes over where that fails. */
gboolean clip_encoder_init_device (ClipEncoder *encoder, GError **error);
void clip_encoder_clear_device (ClipEncoder *encoder);
/* After a failure, on the encoder's thread: TRUE where another backend, or the
 * same one in 32 bits, has taken over and the work is to be done again; *error
 * is NULL then. */
gboolean clip_encoder_recover (ClipEncoder *encoder, GError **error);
/* A DEVICE error where an earlier failure has left nothing to run on. */
gboolean clip_encoder_has_device (const ClipEncoder *encoder, GError **error);
/* Runs a tower for n items into encoder->results and checks that they are
 * numbers. `name` of the tower is for errors. */
gboolean clip_encoder_run_tower (ClipEncoder *encoder, const ClipTower *tower,
    guint n, gconstpointer const *inputs, const gchar *name, GError **error);

/* Encodes the next chunk of a request, on the encoder's thread without the
 * lock; returns how many of request->which are now done. */
gsize clip_encoder_run_texts (ClipEncoder *encoder, ClipTextRequest *request,
    GError **error);
/* Encodes n <= max_batch jobs, on the encoder's thread without the lock. */
gboolean clip_encoder_run_jobs (ClipEncoder *encoder, ClipJob **jobs, guint n,
    GError **error);
/* DEVICE error where one of n values is infinite or not a number. Weights are
 * finite, so it comes of a device that computes wrongly or of values beyond
 * the range of a float: wrong scores must not pass as right ones. */
gboolean clip_encoder_check_finite (const gfloat *values, gsize n,
    const gchar *tower, GError **error);
/* The thread's function; the argument is the encoder. */
gpointer clip_encoder_thread (gpointer encoder);
