/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From what a user names to the files of a model.
 */
#pragma once

#include "engine/model/weights.h"

typedef struct {
  gchar *name; /* for people: the folder's last component, or the hub id */
  gchar *folder;
  ClipFileLayout layout;
  gchar *config;  /* config.json or open_clip_config.json */
  gchar *weights; /* a .safetensors file, or the index of several */
  gboolean is_index;
} ClipModelFiles;

/* `where`: a folder, a .safetensors file in one, or a Hugging Face id. A folder
 * with both layouts is taken as transformers'. NOT_FOUND says what was looked
 * for and where; UNSUPPORTED where there are weights of another kind only. */
gboolean clip_model_files_find (const gchar *where, ClipModelFiles *files,
    GError **error);
void clip_model_files_clear (ClipModelFiles *files);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ClipModelFiles, clip_model_files_clear)

/* The same string as long as none of the files has changed that a load would
 * read. */
gchar *clip_model_files_identity (const ClipModelFiles *files);

/* Whether it is written like a Hugging Face id: "organisation/name". */
gboolean clip_hub_is_id (const gchar *where);
/* The folder of the id's main revision in the local cache. */
gchar *clip_hub_find (const gchar *id, GError **error);
