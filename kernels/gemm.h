// Matrix products in float32: C (+)= op(A) op(B), row-major, op is the identity or the transpose.
//
// The scheme is BLIS's (van Zee & van de Geijn, ACM TOMS 41, 2015): a tile of C stays in registers during the loop over
// k, over a packed sliver of A (in the L1 cache) and packed panels of B (streamed from the L2 cache). Two shapes are
// computed differently:
//   few rows of A against rows of B (C = A B^T with m <= FEW: what decoding does): packing B would cost more than using it once, so B is
//   read in place, broadcast, against a packed A^T, and the tile is stored transposed;
//   few rows of A against B not transposed: B is read in place.
// In all cases, each element of C is computed by the same sequence of operations: k in order, in blocks of KC that are summed in order. So
// a result depends neither on the number of threads, nor on the number of rows computed with it.
#pragma once
#include "vec.h"

#if VW == 16
#define MR 12
#elif VW == 8
#define MR 6
#elif defined(__aarch64__)
#define MR 8
#else
#define MR 4  // with 16 registers V8 spills a taller tile: it loads all operands of a step before it multiplies
#endif
#define NV 2
#define NR (NV * VW)
#define MC 144
#define KC 256
#define NC 1024
#define FEW 128

#ifdef __clang__
#define UNROLL_TILE _Pragma("unroll")
#else
#define UNROLL_TILE _Pragma("GCC unroll 32")
#endif

typedef struct {
  int transposeA, transposeB, m, n, k;
  const float *A;
  ptrdiff_t lda;
  const float *B;
  ptrdiff_t ldb;
  float *C;
  ptrdiff_t ldc;
  int accumulate;
  int rounded;  // the factors to bfloat16 (sums stay in float32)
} product_job;

// Whether products requested by this thread round their factors.
static _Thread_local int rounded_products;

// Buffers within the first half of the scratch.
typedef struct {
  float tile[2 * MR * NR];
  float a[(MC + MR) * KC];
  float b[(NC + NR) * KC];
} gemm_space;
_Static_assert(sizeof(gemm_space) <= SCRATCH_BYTES / 2, "gemm.h owns the first half of the scratch");

INLINE int gemm_least(int a, int b) { return a < b ? a : b; }

// sum[r][v] = sum over p of a[r*aRow + p*aStep] * b[p*bStep + v*VW ..]; rows and vectors are constants where it is called.
INLINE void gemm_tile(const int rows, const int vectors, int k, const float *a, ptrdiff_t aRow, ptrdiff_t aStep, const float *b,
                      ptrdiff_t bStep, vf sum[][NV]) {
  UNROLL_TILE for (int r = 0; r < rows; r++) UNROLL_TILE for (int v = 0; v < vectors; v++) sum[r][v] = (vf){0};
  for (int p = 0; p < k; p++) {
    vf row[NV];
    UNROLL_TILE for (int v = 0; v < vectors; v++) row[v] = vload(b + v * VW);
    UNROLL_TILE for (int r = 0; r < rows; r++) {
      vf x = vset(a[r * aRow]);
      UNROLL_TILE for (int v = 0; v < vectors; v++) sum[r][v] = vmadd(x, row[v], sum[r][v]);
    }
    a += aStep;
    b += bStep;
  }
}

// C (+)= a tile stored as [MR][NR].
INLINE void gemm_add_tile(const float *tile, float *c, ptrdiff_t ldc, int mr, int nr, int accumulate) {
  for (int r = 0; r < mr; r++)
    for (int j = 0; j < nr; j++) c[r * ldc + j] = accumulate ? c[r * ldc + j] + tile[r * NR + j] : tile[r * NR + j];
}

// A tile of C from a packed sliver of A; b is a packed panel (bStep NR) or B itself. mr, nr: the part of the tile within C.
INLINE void gemm_store_wide(const int vectors, int k, const float *a, const float *b, ptrdiff_t bStep, float *c, ptrdiff_t ldc, int mr, int nr,
                            int accumulate, float *tile) {
  vf sum[MR][NV];
  gemm_tile(MR, vectors, k, a, 1, MR, b, bStep, sum);
  if (mr == MR && nr == vectors * VW) {
    UNROLL_TILE for (int r = 0; r < MR; r++) UNROLL_TILE for (int v = 0; v < vectors; v++) {
      float *to = c + r * ldc + v * VW;
      vstore(to, accumulate ? vload(to) + sum[r][v] : sum[r][v]);
    }
    return;
  }
  UNROLL_TILE for (int r = 0; r < MR; r++) UNROLL_TILE for (int v = 0; v < vectors; v++) vstore(tile + r * NR + v * VW, sum[r][v]);
  gemm_add_tile(tile, c, ldc, mr, nr, accumulate);
}

INLINE void gemm_store(int k, const float *a, const float *b, ptrdiff_t bStep, float *c, ptrdiff_t ldc, int mr, int nr, int accumulate,
                       float *tile) {
  if (nr <= VW) gemm_store_wide(1, k, a, b, bStep, c, ldc, mr, nr, accumulate, tile);
  else gemm_store_wide(NV, k, a, b, bStep, c, ldc, mr, nr, accumulate, tile);
}

// The transpose of a tile of `rows` x (`vectors`*VW) goes to C: its rows are columns of C. aStep 1: `a` is B itself; else packed.
INLINE void gemm_store_transposed(const int rows, const int vectors, int k, const float *a, ptrdiff_t aRow, ptrdiff_t aStep,
                                  const float *b, float *c, ptrdiff_t ldc, int mr, int nr, int accumulate, float *tile) {
  vf sum[2 * MR][NV];
  gemm_tile(rows, vectors, k, a, aRow, aStep, b, NR, sum);
  UNROLL_TILE for (int r = 0; r < rows; r++) UNROLL_TILE for (int v = 0; v < vectors; v++) vstore(tile + r * NR + v * VW, sum[r][v]);
  for (int j = 0; j < nr; j++)
    for (int r = 0; r < mr; r++) c[j * ldc + r] = accumulate ? c[j * ldc + r] + tile[r * NR + j] : tile[r * NR + j];
}

// Slivers of `width` lines, each [k][width], zeros beyond `count`. Element (line, p) of the source lies at line*ld + p if `rows`, else p*ld + line.
INLINE void gemm_pack(const int width, int rows, int count, int k, const float *from, ptrdiff_t ld, float *to) {
  for (int i = 0; i < count; i += width, to += (ptrdiff_t)width * k) {
    int lines = gemm_least(width, count - i);
    if (!rows) {
      const float *s = from + i;
      if (lines == width) {
        for (int p = 0; p < k; p++, s += ld)
          UNROLL_TILE for (int q = 0; q < width; q++) to[p * width + q] = s[q];
      } else {
        for (int p = 0; p < k; p++, s += ld)
          for (int q = 0; q < width; q++) to[p * width + q] = q < lines ? s[q] : 0;
      }
      continue;
    }
    transpose(from + i * ld, ld, lines, k, to, width);
    for (int q = lines; q < width; q++)
      for (int p = 0; p < k; p++) to[p * width + q] = 0;
  }
}

typedef union {
  float f;
  uint32_t u;
} word;

// To the nearest, ties to even; NaN stays NaN.
INLINE uint32_t bfloat16_bits(float x) {
  word w = {.f = x};
  uint32_t nearest = (w.u + 0x7fff + (w.u >> 16 & 1)) >> 16;
  return x != x ? w.u >> 16 | 0x40 : nearest;
}

INLINE float float_of(uint32_t bits) { return (word){.u = bits}.f; }

INLINE uint32_t bfloat16_pair(float low, float high) { return bfloat16_bits(low) | bfloat16_bits(high) << 16; }

// Adjacent lines: element (q, p) at p*ld + q.
INLINE void pack_pairs(const int width, int lines, int k, const float *from, ptrdiff_t ld, uint32_t *to) {
  for (int p = 0; p < k / 2; p++, from += 2 * ld)
    for (int q = 0; q < lines; q++) to[p * width + q] = bfloat16_pair(from[q], from[ld + q]);
  if (k % 2)
    for (int q = 0; q < lines; q++) to[k / 2 * width + q] = bfloat16_pair(from[q], 0);
}

// Lines one after the other: element (q, p) at q*ld + p. Four at a time, so that they can be transposed in registers.
INLINE void pack_line_pairs(const int width, int lines, int k, const float *from, ptrdiff_t ld, uint32_t *to) {
  float pairs[4][KC / 2];
  for (int first = 0; first < lines; first += 4) {
    int count = gemm_least(4, lines - first);
    for (int q = 0; q < count; q++) {
      const float *s = from + (first + q) * ld;
      for (int p = 0; p < k / 2; p++) pairs[q][p] = float_of(bfloat16_pair(s[2 * p], s[2 * p + 1]));
      if (k % 2) pairs[q][k / 2] = float_of(bfloat16_pair(s[k - 1], 0));
    }
    transpose(pairs[0], KC / 2, count, (k + 1) / 2, (float *)to + first, width);
  }
}

// The same slivers in bfloat16: [pairs of k][width], zeros beyond an odd k.
INLINE void gemm_pack_pairs(const int width, int rows, int count, int k, const float *from, ptrdiff_t ld, uint32_t *to) {
  int pairs = (k + 1) / 2;
  for (int i = 0; i < count; i += width, to += (ptrdiff_t)width * pairs) {
    int lines = gemm_least(width, count - i);
    for (int q = lines; q < width; q++)
      for (int p = 0; p < pairs; p++) to[p * width + q] = 0;
    if (rows) pack_line_pairs(width, lines, k, from + i * ld, ld, to);
    else if (lines == width) pack_pairs(width, width, k, from + i, ld, to);
    else pack_pairs(width, lines, k, from + i, ld, to);
  }
}

static void gemm_round(float *x, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) x[i] = float_of(bfloat16_bits(x[i]) << 16);
}

// Whether slivers are packed in pairs for bfloat16_tile.
INLINE int gemm_in_pairs(const product_job *x) { return x->rounded && VW == 16 && bfloat16_tile; }

// Slivers of either factor: in float32, rounded if requested, or in pairs for bfloat16_tile.
INLINE void gemm_pack_as(const product_job *x, const int width, int rows, int count, int k, const float *from, ptrdiff_t ld, float *to) {
  if (gemm_in_pairs(x)) {
    gemm_pack_pairs(width, rows, count, k, from, ld, (uint32_t *)to);
    return;
  }
  gemm_pack(width, rows, count, k, from, ld, to);
  if (x->rounded) gemm_round(to, (ptrdiff_t)(count + width - 1) / width * width * k);
}

INLINE const float *gemm_at(const float *x, int transposed, ptrdiff_t ld, int row, int column) {
  return transposed ? x + column * ld + row : x + row * ld + column;
}

// Fetches a tile of C while its sums are computed, so that storing them does not wait for memory.
INLINE void gemm_fetch(const float *c, ptrdiff_t ldc, int mr, int nr) {
  for (int r = 0; r < mr; r++)
    for (int j = 0; j < nr; j += 16) __builtin_prefetch(c + r * ldc + j, 1);
}

static void gemm_packed(const product_job *x, gemm_space *space) {
  const int direct = !x->transposeB && x->m <= 2 * MR && !x->rounded;
  const int pairs = gemm_in_pairs(x);
  for (int jc = 0; jc < x->n; jc += NC) {
    int nc = gemm_least(NC, x->n - jc);
    for (int pc = 0; pc < x->k; pc += KC) {
      int kc = gemm_least(KC, x->k - pc), accumulate = x->accumulate || pc > 0;
      int packedFrom = direct ? nc / NR * NR : 0;
      int stride = pairs ? (kc + 1) / 2 : kc;  // of a packed line
      gemm_pack_as(x, NR, x->transposeB, nc - packedFrom, kc, gemm_at(x->B, x->transposeB, x->ldb, pc, jc + packedFrom), x->ldb, space->b);
      for (int ic = 0; ic < x->m; ic += MC) {
        int mc = gemm_least(MC, x->m - ic);
        gemm_pack_as(x, MR, !x->transposeA, mc, kc, gemm_at(x->A, x->transposeA, x->lda, ic, pc), x->lda, space->a);
        for (int i = 0; i < mc; i += MR) {
          int mr = gemm_least(MR, mc - i);
          for (int j = 0; j < nc; j += NR) {
            float *c = x->C + (ic + i) * x->ldc + jc + j;
            int nr = gemm_least(NR, nc - j);
#ifndef __wasm__  // has no instruction for it
            gemm_fetch(c, x->ldc, mr, nr);
#endif
            if (pairs) {
              const uint32_t *a = (uint32_t *)space->a + i * stride, *b = (uint32_t *)space->b + j * stride;
              if (mr == MR && nr == NR) bfloat16_tile(stride, a, b, c, x->ldc, accumulate);
              else {
                bfloat16_tile(stride, a, b, space->tile, NR, 0);
                gemm_add_tile(space->tile, c, x->ldc, mr, nr, accumulate);
              }
            } else if (j < packedFrom) gemm_store(kc, space->a + i * kc, x->B + pc * x->ldb + jc + j, x->ldb, c, x->ldc, mr, nr, accumulate, space->tile);
            else gemm_store(kc, space->a + i * kc, space->b + (j - packedFrom) * kc, NR, c, x->ldc, mr, nr, accumulate, space->tile);
          }
        }
      }
    }
  }
}

// m <= FEW and B transposed: C^T = B A^T, with B in place.
static void gemm_few_rows(const product_job *x, gemm_space *space) {
  const int lone = x->m <= VW;  // one vector wide: twice as many rows, to keep as many sums under way
  const int strip = lone ? 2 * MR : MR;
  for (int pc = 0; pc < x->k; pc += KC) {
    int kc = gemm_least(KC, x->k - pc), accumulate = x->accumulate || pc > 0;
    gemm_pack(NR, !x->transposeA, x->m, kc, gemm_at(x->A, x->transposeA, x->lda, 0, pc), x->lda, space->b);
    for (int i = 0; i < x->n; i += strip) {
      int mr = gemm_least(strip, x->n - i);
      const float *a = x->B + i * x->ldb + pc;
      ptrdiff_t aRow = x->ldb, aStep = 1;
      if (mr < strip) {  // rows beyond the last may not be read: a padded copy
        if (lone) gemm_pack(2 * MR, 1, mr, kc, a, x->ldb, space->a);
        else gemm_pack(MR, 1, mr, kc, a, x->ldb, space->a);
        a = space->a, aRow = 1, aStep = strip;
      }
      for (int j = 0; j < x->m; j += NR) {
        const float *b = space->b + j * kc;
        float *c = x->C + j * x->ldc + i;
        int nr = gemm_least(NR, x->m - j);
        if (lone) gemm_store_transposed(2 * MR, 1, kc, a, aRow, aStep, b, c, x->ldc, mr, nr, accumulate, space->tile);
        else if (nr <= VW) gemm_store_transposed(MR, 1, kc, a, aRow, aStep, b, c, x->ldc, mr, nr, accumulate, space->tile);
        else gemm_store_transposed(MR, NV, kc, a, aRow, aStep, b, c, x->ldc, mr, nr, accumulate, space->tile);
      }
    }
  }
}

static void gemm_run(const product_job *x) {
  if (x->k == 0 && !x->accumulate)
    for (int i = 0; i < x->m; i++)
      for (int j = 0; j < x->n; j++) x->C[i * x->ldc + j] = 0;
  gemm_space *space = thread_scratch();
  if (x->transposeB && x->m <= FEW && !x->rounded) gemm_few_rows(x, space);
  else gemm_packed(x, space);
}

// C [m,n] (+)= op(A) op(B) on the calling thread, for use within the parts of other kernels. lda, ldb, ldc: distance of rows as stored.
static inline void FN(gemm_part)(int transposeA, int transposeB, int m, int n, int k, const float *A, ptrdiff_t lda, const float *B,
                                 ptrdiff_t ldb, float *C, ptrdiff_t ldc, int accumulate) {
  product_job x = {transposeA, transposeB, m, n, k, A, lda, B, ldb, C, ldc, accumulate, 0};
  gemm_run(&x);
}

#define PART_WORK (1 << 17)  // multiply-adds worth another part

typedef struct {
  product_job whole;
  ptrdiff_t strideA, strideB;
  int splits, byRows, length;  // each matrix of the batch in `splits` ranges of `length` rows or columns
} gemm_batch;

static void gemm_batch_part(void *context, int part, int parts) {
  (void)parts;
  const gemm_batch *g = context;
  product_job x = g->whole;
  ptrdiff_t item = part / g->splits;
  int from = part % g->splits * g->length;
  x.A += item * g->strideA;
  x.B += item * g->strideB;
  x.C += item * x.m * x.n;
  if (g->byRows) {
    x.m = gemm_least(g->length, x.m - from);
    if (x.m <= 0) return;
    x.A = gemm_at(x.A, x.transposeA, x.lda, from, 0);
    x.C += from * x.ldc;
  } else {
    x.n = gemm_least(g->length, x.n - from);
    if (x.n <= 0) return;
    x.B = gemm_at(x.B, x.transposeB, x.ldb, 0, from);
    x.C += from;
  }
  gemm_run(&x);
}

void FN(round_products)(const arg *a) { rounded_products = INT(0); }

void FN(gemm)(const arg *a) {
  int transposeA = INT(3), transposeB = INT(4), batch = INT(5), m = INT(6), n = INT(7), k = INT(8);
  gemm_batch g = {
      .whole = {transposeA, transposeB, m, n, k, F(0), transposeA ? m : k, F(1), transposeB ? k : n, F(2), n, INT(11), rounded_products},
      .strideA = (ptrdiff_t)a[9].n,
      .strideB = (ptrdiff_t)a[10].n,
  };
  // Two parts per thread balance the time that threads lose to other processes; rows are split if both ways pack the same.
  double work = (double)m * n * k * batch;
  int parts = thread_count() == 1 ? 1 : gemm_least(2 * thread_count(), 1 + (int)(work / PART_WORK));
  g.byRows = m >= n && m > FEW;
  int lines = g.byRows ? m : n, unit = g.byRows ? MR : NR;
  int splits = (parts + batch - 1) / (batch > 0 ? batch : 1);
  g.length = splits <= 1 ? lines : ((lines + splits - 1) / splits + unit - 1) / unit * unit;
  if (g.length < 1) g.length = 1;
  g.splits = (lines + g.length - 1) / g.length;
  if (g.splits < 1) g.splits = 1;
  if (parts == 1) for (int part = 0; part < batch * g.splits; part++) gemm_batch_part(&g, part, batch * g.splits);
  else parallel(gemm_batch_part, &g, batch * g.splits);
}
