/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files of texts and of the ids that the reference gives them.
 */
#pragma once

#include "engine/text/tokenizer.h"

#include <json-glib/json-glib.h>

/* A path below the source folder; free with g_free (). */
gchar *golden_path (const gchar *relative);
/* The JSON in a file; ends the test where there is none. */
JsonNode *golden_read_json (const gchar *path);
/* The I32 tensor of a safetensors file, [*n]; free with g_free (). */
gint32 *golden_read_tensor (const gchar *path, const gchar *name, guint *n);

/* Fails the test unless the text gives exactly these ids, cut to `context`,
 * and is said to be cut just when it is. */
void golden_check (ClipTokenizer *tokenizer, const gchar *text,
    const gint32 *ids, guint n, guint context);
/* The same for every row of a file of {"text": ..., "ids": [...]}; returns how
 * many rows there are. */
guint golden_check_file (ClipTokenizer *tokenizer, const gchar *path,
    guint context);
