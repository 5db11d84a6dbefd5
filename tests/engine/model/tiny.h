/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Small model folders, made by a test and broken by it.
 */
#pragma once

#include <glib.h>

typedef struct {
  gchar *name;
  gchar *dtype; /* "F32" */
  gchar *shape; /* "[4, 8]" */
  GByteArray *data;
} TinyTensor;

/* A new temporary folder; removed, with the files in it, by the other. */
gchar *tiny_folder_new (void);
void tiny_folder_remove (gchar *folder);

void tiny_write (const gchar *folder, const gchar *name, const void *data,
    gsize length);
void tiny_write_text (const gchar *folder, const gchar *name,
    const gchar *text);
void tiny_delete (const gchar *folder, const gchar *name);
/* A link to a file of the source tree, "engine/starter/tokenizer.json". */
void tiny_link_source (const gchar *folder, const gchar *name,
    const gchar *source);

GPtrArray *tiny_tensors_new (void);
/* The tensors of a Hugging Face model (tiny_hf_config), small F32 values. */
GPtrArray *tiny_hf_tensors (void);
TinyTensor *tiny_find (GPtrArray *tensors, const gchar *name);
/* Replaces dtype and shape, filling with zeros. */
void tiny_reshape (TinyTensor *tensor, const gchar *dtype, const gchar *shape);
TinyTensor *tiny_add (GPtrArray *tensors, const gchar *name, const gchar *dtype,
    const gchar *shape);
void tiny_remove (GPtrArray *tensors, const gchar *name);
void tiny_write_safetensors (const gchar *folder, const gchar *name,
    GPtrArray *tensors);

extern const gchar *const tiny_hf_config;
/* config.json, model.safetensors and a tokenizer. */
gchar *tiny_hf_new (void);
