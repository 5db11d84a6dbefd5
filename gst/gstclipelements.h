/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The elements that the plugin registers.
 */
#pragma once

#include <gst/gst.h>

GST_ELEMENT_REGISTER_DECLARE (clipfilter)
GST_ELEMENT_REGISTER_DECLARE (clipjson)
GST_ELEMENT_REGISTER_DECLARE (clipoverlay)
