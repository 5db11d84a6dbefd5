/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/encoder.h"
#include "engine/vulkan/vulkan.h"
#include "tests/engine/golden.h"
#include "tests/engine/vulkan/shim.h"

#define GOLDEN "hf-quickgelu-f32"
/* ||delta|| of unit vectors in 32 bits. */
#define BOUND 1e-5

/* The device that CLIP_TEST_DEVICE names. */
const gchar *test_device (void);

/* Encodes the golden's first picture and first text on an encoder; both are
 * the reference's to within BOUND, or `error` is set. */
gboolean test_encode (const Golden *golden, ClipEncoder *encoder,
    GError **error);

void choice_add_tests (void);
void faults_add_tests (void);
void masks_add_tests (void);
void overflow_add_tests (void);
void planted_add_tests (void);
