/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the programs share: reading the command line, finding the model,
 * saying what went wrong.
 */
#pragma once

#include "engine/clip.h"

/* Exit codes of every program, besides 0. */
#define PROGRAM_FAILED 1
#define PROGRAM_USAGE 2

/* Parses with GOption; options may stand anywhere. What is left in argv are
 * the parameters. On a mistake prints it with the way to --help, and returns
 * FALSE: exit with PROGRAM_USAGE. Texts must be declared as file names, so
 * that they arrive as typed, whatever the locale; see program_check_utf8 (). */
gboolean program_parse (int *argc, char ***argv, const GOptionEntry *entries,
    const gchar *parameters, const gchar *description);

/* "program: message" on the error stream; returns PROGRAM_FAILED. */
int program_fail (const GError *error);
/* The same for a mistake on the command line; returns PROGRAM_USAGE. */
int program_usage (const gchar *format, ...) G_GNUC_PRINTF (1, 2);

/* ARGUMENT error that quotes the first text that is not UTF-8. */
gboolean program_check_utf8 (const gchar *const *texts, GError **error);

/* `where` as clip_model_load () takes it; NULL: the starter model. */
ClipModel *program_load_model (const gchar *where, GError **error);

/* "auto" (as is NULL), "f32" or "f16"; FALSE for anything else. */
gboolean program_parse_precision (const gchar *text, ClipPrecision *precision);

/* Quoted and escaped as JSON wants it. */
gchar *program_json_string (const gchar *text);

/* Flushes the standard output, for an error when not all could be written.
 * Print there with stdio: g_print () would replace what the locale lacks. */
gboolean program_finish_output (GError **error);
