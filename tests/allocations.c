/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/allocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static _Atomic guint64 count;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)                       \
    && !defined(__SANITIZE_THREAD__)

void *__libc_malloc (size_t size);
void *__libc_calloc (size_t n, size_t size);
void *__libc_realloc (void *memory, size_t size);
void *__libc_memalign (size_t alignment, size_t size);

#  define REPLACE __attribute__ ((visibility ("default")))

REPLACE void *
malloc (size_t size)
{
  count++;
  return __libc_malloc (size);
}

REPLACE void *
calloc (size_t n, size_t size)
{
  count++;
  return __libc_calloc (n, size);
}

REPLACE void *
realloc (void *memory, size_t size)
{
  count++;
  return __libc_realloc (memory, size);
}

REPLACE void *
aligned_alloc (size_t alignment, size_t size)
{
  count++;
  return __libc_memalign (alignment, size);
}

REPLACE int
posix_memalign (void **memory, size_t alignment, size_t size)
{
  count++;
  *memory = __libc_memalign (alignment, size);
  return *memory ? 0 : ENOMEM;
}

#endif

guint64
allocations_count (void)
{
  return count;
}

gboolean
allocations_are_counted (void)
{
  const guint64 before = count;

  g_free (g_malloc (1));
  return count == before + 1;
}
