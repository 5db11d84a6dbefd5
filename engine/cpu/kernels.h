/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CPU's kernels: a table of functions, filled with what every processor
 * can do and then overwritten by what this one does faster. Each works on a
 * part of an operation; who runs which part on which thread is the program's
 * business. All are reentrant and allocate nothing; scratch memory is the
 * caller's, aligned to 64 bytes. Matrices are row-major, strides in elements.
 *
 * A row of a result never depends on which other rows are computed with it,
 * to the last bit: one image alone equals the same image in a batch.
 */
#pragma once

#include "engine/processor.h"
#include "engine/types.h"

/* Columns of a packed matrix are cut into blocks of this many, so that a
 * strip of rows of the other factor stays in the first-level cache. */
#define CLIP_GEMM_BLOCK 256
/* out [rows x columns] = act (a [rows x depth] * W^T + bias) + residual, W
 * packed. bias and residual may be NULL; out may be residual, and nothing
 * else. */
typedef struct {
  const gfloat *a;
  gsize a_stride;
  const gfloat *packed;
  gsize columns;      /* rows of W */
  gsize depth;        /* columns of W that are multiplied: the first ones */
  gsize packed_depth; /* columns of W */
  const gfloat *bias;
  const gfloat *residual;
  gsize residual_stride;
  gfloat *out;
  gsize out_stride;
  ClipActivation act;
} ClipGemm;

/* Queries, keys and values of one item and head. Query i sees the keys before
 * first_visible + i, at most n_keys. */
typedef struct {
  const gfloat *q, *k, *v;
  gfloat *out;
  gsize q_stride, kv_stride, out_stride;
  gsize n_queries, n_keys, head_dim;
  gsize first_visible;
} ClipAttention;

/* One item of a convolution with square kernel and zero padding; maps are
 * [height * width x channels]. */
typedef struct {
  const gfloat *in;
  gsize height, width, in_channels;
  const gfloat *weight; /* depthwise: [k * k x channels]; full: packed */
  const gfloat *bias;   /* may be NULL */
  gfloat *out;
  gsize out_height, out_width, channels;
  gsize kernel, stride, pad_top, pad_left;
  ClipActivation act;
} ClipConv;

typedef struct _ClipKernels ClipKernels;

struct _ClipKernels {
  ClipProcessor processor; /* of the fastest entries */

  /* Rows of W are packed in panels of this many. */
  gsize panel;
  /* Floats that pack () writes for W [rows x columns]. */
  gsize (*packed_size) (gsize rows, gsize columns);
  /* From W [rows x columns] ... */
  void (*pack) (const gfloat *w, gsize stride, gsize rows, gsize columns,
      gfloat *packed);
  /* ... or from W^T [columns x rows]. */
  void (*pack_transposed) (const gfloat *wt, gsize stride, gsize rows,
      gsize columns, gfloat *packed);
  /* Rows row0 .. row1-1 and panels panel0 .. panel1-1 of a gemm. */
  void (*gemm) (const ClipGemm *gemm, gsize row0, gsize row1, gsize panel0,
      gsize panel1, gfloat *scratch);
  /* Floats of scratch for so many rows and panels. */
  gsize (*gemm_scratch) (gsize rows, gsize panels);
  /* out = act (x + bias) + residual, [rows x columns]; out may be x or
   * residual. */
  void (*epilogue) (const gfloat *x, gsize x_stride, const gfloat *bias,
      const gfloat *residual, gsize residual_stride, gfloat *out,
      gsize out_stride, gsize rows, gsize columns, ClipActivation act);

  void (*layer_norm) (const gfloat *x, const gfloat *weight, const gfloat *bias,
      gfloat epsilon, gfloat *out, gsize rows, gsize columns);

  void (*attention) (const ClipKernels *kernels, const ClipAttention *attention,
      gfloat *scratch);
  gsize (*attention_scratch) (const ClipKernels *kernels, gsize n_queries,
      gsize n_keys, gsize head_dim);

  /* Rows row0 .. row1-1 of the output map. */
  void (*conv_depthwise) (const ClipConv *conv, gsize row0, gsize row1);
  void (*conv_full) (const ClipKernels *kernels, const ClipConv *conv,
      gsize row0, gsize row1, gfloat *scratch);
  gsize (*conv_full_scratch) (const ClipKernels *kernels, const ClipConv *conv);

  /* out = row of a table + position. */
  void (*add_row) (const void *row, ClipDType dtype, const gfloat *position,
      gfloat *out, gsize columns);
  /* Mean over rows. */
  void (*mean_pool) (const gfloat *x, gsize rows, gsize columns, gfloat *out);
  void (*normalise) (const gfloat *x, gfloat *out, gsize rows, gsize columns);
};

/* The table for a processor that clip_processor_detect () reported, or a
 * lesser one. Constant, for the life of the process; any thread. */
const ClipKernels *clip_kernels_get (ClipProcessor processor);
