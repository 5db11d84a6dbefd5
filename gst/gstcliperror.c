/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The engine's errors as messages on the bus.
 */
#include "gst/gstcliperror.h"

static void
find_code (const GError *error, GQuark *domain, gint *code)
{
  *domain = GST_RESOURCE_ERROR;
  *code = GST_RESOURCE_ERROR_SETTINGS;
  if (error->domain == G_FILE_ERROR || error->domain == G_IO_ERROR)
    *code = GST_RESOURCE_ERROR_READ;
  if (error->domain != CLIP_ERROR)
    return;
  switch ((ClipErrorCode) error->code) {
    case CLIP_ERROR_NOT_FOUND:
      *code = GST_RESOURCE_ERROR_NOT_FOUND;
      break;
    case CLIP_ERROR_MEMORY:
      *code = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
      break;
    case CLIP_ERROR_DEVICE:
      *domain = GST_LIBRARY_ERROR;
      *code = GST_LIBRARY_ERROR_INIT;
      break;
    case CLIP_ERROR_FORMAT:
    case CLIP_ERROR_UNSUPPORTED:
    case CLIP_ERROR_ARGUMENT:
    case CLIP_ERROR_CANCELLED:
      break;
  }
}

void
gst_clip_post_error (GstElement *element, GstMessageType type,
    const gchar *summary, const GError *error)
{
  /* File names and labels may be anything. */
  g_autofree gchar *text = g_utf8_make_valid (error->message, -1);
  GQuark domain;
  gint code;

  find_code (error, &domain, &code);
  gst_element_message_full (element, type, domain, code,
      g_strdup_printf ("%s: %s.", summary, text),
      g_strdup_printf ("%s, code %d", g_quark_to_string (error->domain),
          error->code),
      __FILE__, G_STRFUNC, __LINE__);
}
