/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An encoder and a model that the tests of labels are linked against: a text
 * becomes a unit vector that depends on its bytes alone, a word a token.
 */
#pragma once

#include "engine/clip.h"

#define FAKE_DIM 37
#define FAKE_CONTEXT 10 /* tokens, with start and end */

/* What the fakes answer, and what they were asked. */
typedef struct {
  ClipScoreMode mode;
  gfloat logit_scale, logit_bias;
  gboolean fail;      /* the next encoding fails */
  gboolean cancel;    /* texts that start with "-" are opposite vectors */
  GPtrArray *encoded; /* owned strings, in order */
  gsize largest_call; /* texts */
} Fake;

extern Fake fake;

void fake_reset (void);
/* The unit vector of a text. */
void fake_embed (const gchar *text, gfloat out[FAKE_DIM]);
