/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reading the reference answers: safetensors files and pictures.
 */
#pragma once

#include "engine/clip.h"

/* Absolute path of a file of the source tree; ends the test on failure. */
gchar *golden_path (const gchar *relative);

typedef struct {
  GMappedFile *map;
  gpointer header; /* JsonObject */
  const guint8 *data;
} GoldenFile;

void golden_open (GoldenFile *file, const gchar *relative);
void golden_close (GoldenFile *file);
/* The tensor's bytes, or NULL where there is none of this name. */
gconstpointer golden_get (GoldenFile *file, const gchar *name, gsize *bytes);

/* Names of the file's tensors; g_list_free () the list. */
GList *golden_list (GoldenFile *file);

/* A view of the picture, whose memory `owner` (a GObject) keeps. */
ClipImage golden_read_picture (const gchar *relative, gpointer *owner);
