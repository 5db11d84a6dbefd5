/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The backends that this build has, by name.
 */
#pragma once

#include "engine/plan/backend.h"

/* "auto" takes a GPU where there is one, and the CPU otherwise; the backend's
 * description says why not the GPU, and its warning too where a device was
 * named. Everything else is taken or fails. */
ClipBackend *clip_backend_new (const ClipEncoderParams *params, GError **error);
