/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clip-embed: texts and pictures in, unit vectors out, a JSON object a line.
 */
#include "examples/common.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/* Pictures in memory at a time. */
#define BATCH 8

static gchar *model_name, *backend, *device, *precision, *npy_name;
static ClipPrecision bits;
static gchar **texts, **images;
static gboolean with_tokens;
static gint n_threads;

static const GOptionEntry entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_name,
      "Model folder, weight file or cached Hugging Face id "
      "(default: the starter model)",
      "MODEL" },
  { "backend", 'b', 0, G_OPTION_ARG_STRING, &backend, "auto, vulkan or cpu",
      "NAME" },
  { "device", 'd', 0, G_OPTION_ARG_STRING, &device,
      "Index, UUID or part of the name of the GPU", "WHICH" },
  { "precision", 'p', 0, G_OPTION_ARG_STRING, &precision, "auto, f32 or f16",
      "BITS" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads,
      "Threads to compute on (default: 0, one a processor)", "N" },
  { "text", 't', 0, G_OPTION_ARG_FILENAME_ARRAY, &texts,
      "A text to embed; may be given again and again", "TEXT" },
  { "tokens", 0, 0, G_OPTION_ARG_NONE, &with_tokens,
      "Add each text's token ids", NULL },
  { "npy", 0, 0, G_OPTION_ARG_FILENAME, &npy_name,
      "Also write all vectors to FILE as a NumPy array, float32 "
      "[vectors x dimensions]",
      "FILE" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &images, NULL,
      NULL },
  { NULL }
};

/* Nine significant digits name every float exactly. */
static void
append_embedding (GString *line, const gfloat *embedding, guint dim)
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (line, "\"embedding\": [");
  for (guint i = 0; i < dim; i++) {
    g_ascii_formatd (number, sizeof number, "%.9g", embedding[i]);
    g_string_append_printf (line, "%s%s", i ? ", " : "", number);
  }
  g_string_append (line, "]}");
}

static void
append_key (GString *line, const gchar *key, const gchar *value)
{
  g_autofree gchar *quoted = program_json_string (value);

  g_string_append_printf (line, "{\"%s\": %s, ", key, quoted);
}

static gboolean
append_tokens (GString *line, ClipModel *model, const gchar *text,
    GError **error)
{
  guint n;
  g_autofree gint32 *tokens =
      clip_model_tokenize (model, text, &n, NULL, error);

  if (!tokens)
    return FALSE;
  g_string_append (line, "\"tokens\": [");
  for (guint i = 0; i < n; i++)
    g_string_append_printf (line, "%s%d", i ? ", " : "", tokens[i]);
  g_string_append (line, "], ");
  return TRUE;
}

static gboolean
embed_texts (ClipEncoder *encoder, gfloat *out, GError **error)
{
  ClipModel *model = clip_encoder_get_model (encoder);
  const guint dim = clip_model_get_embed_dim (model);
  const guint n = g_strv_length (texts);

  if (!program_check_utf8 ((const gchar *const *) texts, error)
      || !clip_encoder_encode_texts (encoder, (const gchar *const *) texts, n,
          out, NULL, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    g_autoptr (GString) line = g_string_new (NULL);

    append_key (line, "text", texts[i]);
    if (with_tokens && !append_tokens (line, model, texts[i], error))
      return FALSE;
    append_embedding (line, out + (gsize) i * dim, dim);
    puts (line->str);
  }
  return TRUE;
}

/* The picture as a viewer shows it, without its alpha channel. */
static GdkPixbuf *
read_image (const gchar *filename, ClipImage *image, GError **error)
{
  g_autoptr (GdkPixbuf) stored = NULL;
  GdkPixbuf *upright;

  /* Some loaders' messages do not name the file. */
  stored = gdk_pixbuf_new_from_file (filename, error);
  if (!stored) {
    g_prefix_error (error, "%s: ", filename);
    return NULL;
  }
  upright = gdk_pixbuf_apply_embedded_orientation (stored);
  *image = (ClipImage){
    .format =
        gdk_pixbuf_get_has_alpha (upright) ? CLIP_PIXEL_RGBA : CLIP_PIXEL_RGB,
    .width = gdk_pixbuf_get_width (upright),
    .height = gdk_pixbuf_get_height (upright),
    .planes = { gdk_pixbuf_read_pixels (upright) },
    .strides = { gdk_pixbuf_get_rowstride (upright) },
    .full_range = TRUE,
  };
  return upright;
}

static gboolean
embed_batch (ClipEncoder *encoder, gchar **names, guint n, gfloat *out,
    GError **error)
{
  const guint dim = clip_model_get_embed_dim (clip_encoder_get_model (encoder));
  GdkPixbuf *pixbufs[BATCH] = { NULL };
  ClipImage views[BATCH];
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < n; i++) {
    pixbufs[i] = read_image (names[i], &views[i], error);
    ok = pixbufs[i] != NULL;
  }
  ok = ok
      && clip_encoder_encode_images (encoder, views, n, CLIP_RESIZE_AUTO, out,
          error);
  for (guint i = 0; ok && i < n; i++) {
    g_autoptr (GString) line = g_string_new (NULL);
    g_autofree gchar *shown = g_filename_display_name (names[i]);

    append_key (line, "image", shown);
    append_embedding (line, out + (gsize) i * dim, dim);
    puts (line->str);
  }
  for (guint i = 0; i < n; i++)
    g_clear_object (&pixbufs[i]);
  return ok;
}

static gboolean
embed_images (ClipEncoder *encoder, gfloat *out, GError **error)
{
  const guint dim = clip_model_get_embed_dim (clip_encoder_get_model (encoder));
  const guint n = images ? g_strv_length (images) : 0;

  for (guint first = 0; first < n; first += BATCH)
    if (!embed_batch (encoder, images + first, MIN (BATCH, n - first),
            out + (gsize) first * dim, error))
      return FALSE;
  return TRUE;
}

/* NumPy's format 1.0: magic, version, length of the header, the header as a
 * Python literal padded so that the data begins at a multiple of 64, data. */
static gboolean
write_npy (const gchar *filename, const gfloat *data, gsize rows, gsize columns,
    GError **error)
{
  static const gchar magic[] = "\x93NUMPY\x01\x00";
  const gsize fixed = 10, bytes = rows * columns * sizeof (gfloat);
  g_autoptr (GString) file = g_string_sized_new (bytes + 128);
  g_autofree gchar *header =
      g_strdup_printf ("{'descr': '%cf4', 'fortran_order': False, 'shape': "
                       "(%" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT "), }",
          G_BYTE_ORDER == G_LITTLE_ENDIAN ? '<' : '>', rows, columns);
  const gsize end = (fixed + strlen (header) + 1 + 63) / 64 * 64;

  g_string_append_len (file, magic, sizeof magic - 1);
  g_string_append_c (file, (gchar) ((end - fixed) & 0xff));
  g_string_append_c (file, (gchar) ((end - fixed) >> 8));
  g_string_append_printf (file, "%-*s\n", (int) (end - fixed - 1), header);
  g_string_append_len (file, (const gchar *) data, bytes);
  return g_file_set_contents (filename, file->str, file->len, error);
}

static gboolean
run (GError **error)
{
  const ClipEncoderParams params = { .backend = backend,
    .n_threads = n_threads,
    .device = device,
    .precision = bits };
  const gsize n_texts = texts ? g_strv_length (texts) : 0;
  const gsize n = n_texts + (images ? g_strv_length (images) : 0);
  g_autoptr (ClipModel) model = program_load_model (model_name, error);
  g_autoptr (ClipEncoder) encoder = NULL;
  g_autofree gfloat *vectors = NULL;
  gsize dim;

  if (!model)
    return FALSE;
  encoder = clip_encoder_new (model, &params, error);
  if (!encoder)
    return FALSE;
  if (clip_encoder_get_warning (encoder))
    g_printerr ("%s: %s\n", g_get_prgname (),
        clip_encoder_get_warning (encoder));
  dim = clip_model_get_embed_dim (model);
  vectors = g_new (gfloat, n * dim);
  return (n_texts == 0 || embed_texts (encoder, vectors, error))
      && embed_images (encoder, vectors + n_texts * dim, error)
      && (!npy_name || write_npy (npy_name, vectors, n, dim, error))
      && program_finish_output (error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (!program_parse (&argc, &argv, entries, "[IMAGE...]",
          "Prints the CLIP embedding of each text, then of each image, as one "
          "JSON object\na line: {\"text\": T, \"embedding\": [...]} and "
          "{\"image\": FILE, \"embedding\": [...]}."))
    return PROGRAM_USAGE;
  if (!texts && !images)
    return program_usage ("nothing to embed: no --text and no image");
  if (n_threads < 0)
    return program_usage ("--threads must not be negative");
  if (!program_parse_precision (precision, &bits))
    return program_usage ("--precision must be auto, f32 or f16");
  return run (&error) ? 0 : program_fail (error);
}
