/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/clip.h"

G_DEFINE_QUARK (clip - error - quark, clip_error)
