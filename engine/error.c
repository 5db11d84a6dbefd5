/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/clip.h"

/* The formatter would take the name for a subtraction. */
/* clang-format off */
G_DEFINE_QUARK (clip-error-quark, clip_error)
