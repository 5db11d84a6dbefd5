/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Products with packed weights, after Goto and van de Geijn, "Anatomy of
 * High-Performance Matrix Multiplication" (2008). A tile of up to TILE_ROWS
 * rows and one panel of W is accumulated in registers; bias, activation and
 * residual are applied before the tile leaves the first-level cache.
 *
 * Packed: [blocks][panels][columns of the block][PANEL], padded with zeros in
 * the last dimension only. Each block's products are summed in order, then the
 * blocks' sums in order, whatever the tile: that makes results independent of
 * how rows are divided, and is more exact than one long sum.
 */
#include "engine/cpu/variant.h"
#include "engine/cpu/vector.h"

/* The accumulators, a row of W's panel and one element of a fill the register
 * file: 32 registers of AVX-512 and of 64-bit ARM, 16 elsewhere. */
#if defined(__AVX512F__)
#  define TILE_ROWS 14
#  define TILE_VECTORS 2
#elif defined(__AVX2__)
#  define TILE_ROWS 6
#  define TILE_VECTORS 2
#elif defined(__aarch64__)
#  define TILE_ROWS 6
#  define TILE_VECTORS 4
#else
#  define TILE_ROWS 4
#  define TILE_VECTORS 2
#endif
#define PANEL (TILE_VECTORS * VLEN)
/* Rows of a strip start in different sets of the cache. */
#define STRIP_STRIDE (CLIP_GEMM_BLOCK + 16)
/* How far W is fetched before it is used, in floats: some hundred cycles, for
 * one row of a as for a full tile's worth of work. */
#define AHEAD 512

/* What becomes of a tile: out = clamp (sums + partial + bias) + residual. */
typedef struct {
  const float *partial; /* sums of the blocks before, or NULL */
  size_t partial_stride;
  const float *bias, *residual;
  size_t residual_stride;
  float *out;
  size_t out_stride;
  size_t columns; /* of the panel that exist */
  float low, high;
} TileEnd;

INLINE vf
load_columns (const float *p, size_t j, size_t columns)
{
  return j + VLEN <= columns ? load (p + j) : load_part (p + j, columns - j);
}

INLINE void
store_columns (float *p, size_t j, size_t columns, vf x)
{
  if (j + VLEN <= columns)
    store (p + j, x);
  else
    store_part (p + j, x, columns - j);
}

INLINE void
end_tile (const int rows, const int vectors, const size_t columns,
    vf sums[TILE_ROWS][TILE_VECTORS], const TileEnd *end)
{
  const vf low = splat (end->low), high = splat (end->high);
  vf bias[TILE_VECTORS];

#pragma GCC unroll 4
  for (int v = 0; v < vectors; v++)
    bias[v] =
        end->bias ? load_columns (end->bias, v * VLEN, columns) : splat (0.f);
#pragma GCC unroll 16
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      const size_t j = (size_t) v * VLEN;
      vf x = sums[i][v];

      if (end->partial)
        x += load_columns (end->partial + i * end->partial_stride, j, columns);
      x = at_most (at_least (x + bias[v], low), high);
      if (end->residual)
        x +=
            load_columns (end->residual + i * end->residual_stride, j, columns);
      store_columns (end->out + i * end->out_stride, j, columns, x);
    }
  }
}

/* strip [rows x STRIP_STRIDE], packed [depth x PANEL]. */
INLINE void
tile (const int rows, const int vectors, const float *strip,
    const float *packed, size_t depth, const TileEnd *end)
{
  vf sums[TILE_ROWS][TILE_VECTORS];

#pragma GCC unroll 16
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++)
      sums[i][v] = splat (0.f);
  for (size_t k = 0; k < depth; k++) {
    vf w[TILE_VECTORS];

#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      w[v] = load (packed + k * PANEL + v * VLEN);
      if (v * VLEN * sizeof (float) % 64 == 0)
        __builtin_prefetch (packed + k * PANEL + v * VLEN + AHEAD);
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
      const vf x = splat (strip[i * STRIP_STRIDE + k]);

#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++)
        sums[i][v] = multiply_add (x, w[v], sums[i][v]);
    }
  }
  /* Twice, so that whole panels ask nothing at each vector. */
  if (end->columns == (size_t) vectors * VLEN)
    end_tile (rows, vectors, (size_t) vectors * VLEN, sums, end);
  else
    end_tile (rows, vectors, end->columns, sums, end);
}

typedef void (*TileFunc) (const float *strip, const float *packed, size_t depth,
    const TileEnd *end);

#define TILE(rows, vectors)                                                    \
  static void tile_##rows##_##vectors (const float *strip,                     \
      const float *packed, size_t depth, const TileEnd *end)                   \
  {                                                                            \
    tile (rows, vectors, strip, packed, depth, end);                           \
  }
#define NAME(rows, vectors) tile_##rows##_##vectors

#if TILE_ROWS == 14
#  define EACH_ROWS(f, v)                                                      \
    f (1, v) f (2, v) f (3, v) f (4, v) f (5, v) f (6, v) f (7, v) f (8, v)    \
        f (9, v) f (10, v) f (11, v) f (12, v) f (13, v) f (14, v)
#elif TILE_ROWS == 6
#  define EACH_ROWS(f, v) f (1, v) f (2, v) f (3, v) f (4, v) f (5, v) f (6, v)
#else
#  define EACH_ROWS(f, v) f (1, v) f (2, v) f (3, v) f (4, v)
#endif
#define ENTRY(rows, vectors) tile_##rows##_##vectors,

EACH_ROWS (TILE, 1)
EACH_ROWS (TILE, 2)
#if TILE_VECTORS == 4
EACH_ROWS (TILE, 3)
EACH_ROWS (TILE, 4)
#endif

/* [vectors - 1][rows - 1]: a panel of few columns costs as few vectors. */
static const TileFunc tiles[TILE_VECTORS][TILE_ROWS] = {
  { EACH_ROWS (ENTRY, 1) },
  { EACH_ROWS (ENTRY, 2) },
#if TILE_VECTORS == 4
  { EACH_ROWS (ENTRY, 3) },
  { EACH_ROWS (ENTRY, 4) },
#endif
};

static gsize
count_panels (gsize rows)
{
  return (rows + PANEL - 1) / PANEL;
}

static gsize
packed_size (gsize rows, gsize columns)
{
  return count_panels (rows) * PANEL * columns;
}

/* Element (row, column) of W is at w[row * row_step + column * column_step]. */
INLINE void
pack_any (const float *w, gsize row_step, gsize column_step, gsize rows,
    gsize columns, float *packed)
{
  for (gsize k0 = 0; k0 < columns; k0 += CLIP_GEMM_BLOCK) {
    const gsize depth = MIN (CLIP_GEMM_BLOCK, columns - k0);

    for (gsize j0 = 0; j0 < rows; j0 += PANEL) {
      const gsize n = MIN (PANEL, rows - j0);
      const float *from = w + j0 * row_step + k0 * column_step;

      for (gsize k = 0; k < depth; k++, packed += PANEL) {
        for (gsize j = 0; j < n; j++)
          packed[j] = from[j * row_step + k * column_step];
        for (gsize j = n; j < PANEL; j++)
          packed[j] = 0.f;
      }
    }
  }
}

static void
pack (const gfloat *w, gsize stride, gsize rows, gsize columns, gfloat *packed)
{
  pack_any (w, stride, 1, rows, columns, packed);
}

static void
pack_transposed (const gfloat *wt, gsize stride, gsize rows, gsize columns,
    gfloat *packed)
{
  pack_any (wt, 1, stride, rows, columns, packed);
}

static gsize
gemm_scratch (gsize rows, gsize panels)
{
  return TILE_ROWS * STRIP_STRIDE + rows * panels * PANEL;
}

static void
copy_strip (const ClipGemm *gemm, gsize row, gsize rows, gsize k0, gsize depth,
    float *strip)
{
  const float *from = gemm->a + row * gemm->a_stride + k0;

  for (gsize i = 0; i < rows; i++) {
    for (gsize k = 0; k < depth; k += VLEN)
      store (strip + k, load_columns (from, k, depth));
    from += gemm->a_stride;
    strip += STRIP_STRIDE;
  }
}

/* act (x + bias) + residual of one row; `act` is a constant where this is
 * expanded, so that each activation has its own loop. */
INLINE void
epilogue_row (const float *x, const float *bias, const float *residual,
    float *out, size_t columns, const ClipActivation act)
{
  for (size_t j = 0; j < columns; j += VLEN) {
    vf y = load_columns (x, j, columns);

    if (bias)
      y += load_columns (bias, j, columns);
    y = v_activate (y, act);
    if (residual)
      y += load_columns (residual, j, columns);
    if (j + VLEN <= columns)
      store (out + j, y);
    else
      store_part (out + j, y, columns - j);
  }
}

static void
epilogue (const gfloat *x, gsize x_stride, const gfloat *bias,
    const gfloat *residual, gsize residual_stride, gfloat *out,
    gsize out_stride, gsize rows, gsize columns, ClipActivation act)
{
#define ROWS(act_)                                                             \
  case act_:                                                                   \
    for (gsize i = 0; i < rows; i++)                                           \
      epilogue_row (x + i * x_stride, bias,                                    \
          residual ? residual + i * residual_stride : NULL,                    \
          out + i * out_stride, columns, act_);                                \
    break

  switch (act) {
    ROWS (CLIP_ACT_NONE);
    ROWS (CLIP_ACT_RELU);
    ROWS (CLIP_ACT_RELU6);
    ROWS (CLIP_ACT_QUICK_GELU);
    ROWS (CLIP_ACT_GELU_ERF);
    ROWS (CLIP_ACT_GELU_TANH);
    ROWS (CLIP_ACT_SILU);
  }
#undef ROWS
}

/* What the tiles of one block of W's columns share. */
typedef struct {
  const ClipGemm *gemm;
  gsize panel0, panel1;
  gsize k0, depth;
  gsize buffer_stride;
  gboolean last;
  gboolean in_registers; /* the activation is a clamp */
} Block;

static TileEnd
describe_end (const Block *block, gsize row, gsize panel, float *sums)
{
  const ClipGemm *gemm = block->gemm;
  const gsize column = panel * PANEL;
  TileEnd end = { .partial = block->k0 > 0 ? sums : NULL,
    .partial_stride = block->buffer_stride,
    .out = sums,
    .out_stride = block->buffer_stride,
    .columns = MIN (PANEL, gemm->columns - column),
    .low = -INFINITY,
    .high = INFINITY };

  if (!block->last)
    return end;
  if (gemm->bias)
    end.bias = gemm->bias + column;
  if (!block->in_registers)
    return end;
  if (gemm->residual)
    end.residual = gemm->residual + row * gemm->residual_stride + column;
  end.residual_stride = gemm->residual_stride;
  end.out = gemm->out + row * gemm->out_stride + column;
  end.out_stride = gemm->out_stride;
  end.low = gemm->act == CLIP_ACT_NONE ? -INFINITY : 0.f;
  end.high = gemm->act == CLIP_ACT_RELU6 ? 6.f : INFINITY;
  return end;
}

/* One strip of rows times the block's panels; `buffer` holds the sums of
 * these rows between blocks. */
static void
multiply_strip (const Block *block, gsize row, gsize rows, const float *strip,
    float *buffer)
{
  const ClipGemm *gemm = block->gemm;
  const gsize packed_depth =
      MIN (CLIP_GEMM_BLOCK, gemm->packed_depth - block->k0);
  const float *packed = gemm->packed
      + block->k0 * count_panels (gemm->columns) * PANEL
      + block->panel0 * PANEL * packed_depth;

  for (gsize panel = block->panel0; panel < block->panel1; panel++) {
    const gsize column = panel * PANEL;
    float *sums = buffer + (panel - block->panel0) * PANEL;
    const TileEnd end = describe_end (block, row, panel, sums);

    tiles[(end.columns - 1) / VLEN][rows - 1](strip, packed, block->depth,
        &end);
    if (block->last && !block->in_registers)
      epilogue (sums, block->buffer_stride, NULL,
          gemm->residual ? gemm->residual + row * gemm->residual_stride + column
                         : NULL,
          gemm->residual_stride, gemm->out + row * gemm->out_stride + column,
          gemm->out_stride, rows, end.columns, gemm->act);
    packed += PANEL * packed_depth;
  }
}

static void
gemm_part (const ClipGemm *gemm, gsize row0, gsize row1, gsize panel0,
    gsize panel1, gfloat *scratch)
{
  const gsize rows = row1 - row0;
  const gsize strips = (rows + TILE_ROWS - 1) / TILE_ROWS;
  float *buffer = scratch + TILE_ROWS * STRIP_STRIDE;
  Block block = { .gemm = gemm,
    .panel0 = panel0,
    .panel1 = panel1,
    .buffer_stride = (panel1 - panel0) * PANEL,
    .in_registers = gemm->act == CLIP_ACT_NONE || gemm->act == CLIP_ACT_RELU
        || gemm->act == CLIP_ACT_RELU6 };

  for (block.k0 = 0; block.k0 < gemm->depth; block.k0 += CLIP_GEMM_BLOCK) {
    block.depth = MIN (CLIP_GEMM_BLOCK, gemm->depth - block.k0);
    block.last = block.k0 + block.depth == gemm->depth;
    for (gsize s = 0; s < strips; s++) {
      const gsize first = rows * s / strips, end = rows * (s + 1) / strips;

      copy_strip (gemm, row0 + first, end - first, block.k0, block.depth,
          scratch);
      multiply_strip (&block, row0 + first, end - first, scratch,
          buffer + first * block.buffer_stride);
    }
  }
}

CLIP_KERNELS_INIT (gemm)
{
  kernels->panel = PANEL;
  kernels->packed_size = packed_size;
  kernels->pack = pack;
  kernels->pack_transposed = pack_transposed;
  kernels->gemm = gemm_part;
  kernels->gemm_scratch = gemm_scratch;
  kernels->epilogue = epilogue;
}
