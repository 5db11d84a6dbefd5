/* gst-clip: search and tag video in plain words
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
/**
 * plugin-clip:
 *
 * Looks at video with CLIP: scores of labels in plain words for every frame.
 *
 * Since: 0.1
 */

#include <gst/gst.h>

#include "gst/gstclipelements.h"
#include "gst/gstclipmeta.h"

/* The plugin scanner runs this in a process whose crash blacklists the
 * plugin: it registers, and touches no device, model or thread. */
static gboolean
plugin_init (GstPlugin *plugin)
{
  gst_clip_meta_get_info ();
#ifdef HAVE_OVERLAY
  if (!GST_ELEMENT_REGISTER (clipoverlay, plugin))
    return FALSE;
#endif
  return GST_ELEMENT_REGISTER (clipfilter, plugin)
      && GST_ELEMENT_REGISTER (clipjson, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, clip,
    "Scores video frames against labels in plain words with CLIP", plugin_init,
    PACKAGE_VERSION, "LGPL", "gst-clip", "gst-clip")
