/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/text/bpe.h"

#include <string.h>

typedef struct {
  guint64 pair; /* left id above right id */
  guint32 rank;
  gint32 merged; /* -1: an empty slot */
} Merge;

/* Merges lie in a hash table with linear probing, at most half full. */
struct _ClipBpe {
  gint32 symbols[2][256];
  Merge *table;
  guint64 mask, seed;
};

/* A piece of the word; pieces are a list, so that merging costs no moves. */
typedef struct {
  gint32 id; /* -1: merged into the piece before */
  guint32 previous, next;
} Symbol;

#define NONE G_MAXUINT32

/* A merge that may be done; stale once its pieces have changed. */
typedef struct {
  guint32 rank, position;
  gint32 merged;
} Candidate;

ClipBpe *
clip_bpe_new (gint32 symbols[2][256], guint n_merges)
{
  ClipBpe *bpe = g_new (ClipBpe, 1);
  guint64 size = 16;

  while (size < (guint64) n_merges * 2)
    size *= 2;
  memcpy (bpe->symbols, symbols, sizeof bpe->symbols);
  bpe->mask = size - 1;
  /* Unknown to whoever writes a file whose merges all collide. */
  bpe->seed = (guint64) g_random_int () << 32 | g_random_int ();
  bpe->table = g_new (Merge, size);
  for (guint64 i = 0; i < size; i++)
    bpe->table[i].merged = -1;
  return bpe;
}

void
clip_bpe_free (ClipBpe *bpe)
{
  g_free (bpe->table);
  g_free (bpe);
}

static guint64
hash (guint64 pair, guint64 seed)
{
  pair = (pair ^ seed) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  pair = (pair ^ pair >> 32) * G_GUINT64_CONSTANT (0xd6e8feb86659fd93);
  return pair ^ pair >> 32;
}

/* The merge of a pair, or the empty slot where it would be. */
static Merge *
find_merge (const ClipBpe *bpe, gint32 left, gint32 right)
{
  guint64 pair = (guint64) (guint32) left << 32 | (guint32) right;
  guint64 slot = hash (pair, bpe->seed) & bpe->mask;

  while (bpe->table[slot].merged >= 0 && bpe->table[slot].pair != pair)
    slot = (slot + 1) & bpe->mask;
  return &bpe->table[slot];
}

void
clip_bpe_add_merge (ClipBpe *bpe, gint32 left, gint32 right, guint32 rank,
    gint32 merged)
{
  Merge *merge = find_merge (bpe, left, right);

  merge->pair = (guint64) (guint32) left << 32 | (guint32) right;
  merge->rank = rank;
  merge->merged = merged;
}

void
clip_bpe_scratch_init (ClipBpeScratch *scratch)
{
  scratch->symbols = g_array_new (FALSE, FALSE, sizeof (Symbol));
  scratch->queue = g_array_new (FALSE, FALSE, sizeof (Candidate));
}

void
clip_bpe_scratch_clear (ClipBpeScratch *scratch)
{
  g_array_unref (scratch->symbols);
  g_array_unref (scratch->queue);
}

static gboolean
comes_before (const Candidate *a, const Candidate *b)
{
  return a->rank != b->rank ? a->rank < b->rank : a->position < b->position;
}

static void
queue_push (GArray *queue, Candidate candidate)
{
  Candidate *heap;
  guint i = queue->len;

  g_array_append_val (queue, candidate);
  heap = (Candidate *) queue->data;
  while (i > 0 && comes_before (&candidate, &heap[(i - 1) / 2])) {
    heap[i] = heap[(i - 1) / 2];
    i = (i - 1) / 2;
  }
  heap[i] = candidate;
}

static Candidate
queue_pop (GArray *queue)
{
  Candidate *heap = (Candidate *) queue->data;
  Candidate first = heap[0], last = heap[queue->len - 1];
  guint n = queue->len - 1, i = 0;

  for (guint child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && comes_before (&heap[child + 1], &heap[child]))
      child++;
    if (!comes_before (&heap[child], &last))
      break;
    heap[i] = heap[child];
  }
  heap[i] = last;
  g_array_set_size (queue, n);
  return first;
}

static void
propose (const ClipBpe *bpe, GArray *queue, const Symbol *symbols,
    guint32 position)
{
  guint32 next = symbols[position].next;
  const Merge *merge;

  if (next == NONE)
    return;
  merge = find_merge (bpe, symbols[position].id, symbols[next].id);
  if (merge->merged >= 0)
    queue_push (queue, (Candidate){ merge->rank, position, merge->merged });
}

/* Whether a candidate's pieces still merge into what it says. They may be
 * another pair than when it was queued: the reference takes that as valid. */
static gboolean
is_current (const ClipBpe *bpe, const Symbol *symbols, Candidate candidate)
{
  const Symbol *left = &symbols[candidate.position];

  return left->id >= 0 && left->next != NONE
      && find_merge (bpe, left->id, symbols[left->next].id)->merged
      == candidate.merged;
}

guint
clip_bpe_encode (const ClipBpe *bpe, ClipBpeScratch *scratch,
    const guint8 *word, gsize n, gint32 *ids, guint room)
{
  GArray *queue = scratch->queue;
  Symbol *symbols;
  guint count = 0;

  if (n == 0)
    return 0;
  g_array_set_size (queue, 0);
  g_array_set_size (scratch->symbols, (guint) n);
  symbols = (Symbol *) scratch->symbols->data;
  for (gsize i = 0; i < n; i++) {
    gboolean last = i + 1 == n;

    symbols[i].id = bpe->symbols[last][word[i]];
    symbols[i].previous = i == 0 ? NONE : (guint32) i - 1;
    symbols[i].next = last ? NONE : (guint32) i + 1;
  }
  for (gsize i = 0; i + 1 < n; i++)
    propose (bpe, queue, symbols, (guint32) i);

  while (queue->len > 0) {
    Candidate best = queue_pop (queue);
    Symbol *left = &symbols[best.position], *right;

    if (!is_current (bpe, symbols, best))
      continue;
    right = &symbols[left->next];
    left->id = best.merged;
    left->next = right->next;
    right->id = -1;
    if (left->next != NONE)
      symbols[left->next].previous = best.position;
    if (left->previous != NONE)
      propose (bpe, queue, symbols, left->previous);
    propose (bpe, queue, symbols, best.position);
  }

  for (guint32 i = 0; i != NONE; i = symbols[i].next) {
    if (count < room)
      ids[count] = symbols[i].id;
    count++;
  }
  return count;
}

gunichar
clip_bpe_byte_char (guint8 byte)
{
  if (byte <= 0x20)
    return 0x100 + byte;
  if (byte >= 0x7f && byte <= 0xa0)
    return 0x121 + byte - 0x7f;
  return byte == 0xad ? 0x143 : byte;
}
