/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counts what the whole process allocates, all threads together: a test
 * program that links allocations.c has its malloc () family replaced.
 */
#pragma once

#include <glib.h>

/* FALSE under sanitizers and valgrind, which have a malloc () of their own: a
 * test then has nothing to say and must skip. */
gboolean allocations_are_counted (void);
/* Since the program began. */
guint64 allocations_count (void);
