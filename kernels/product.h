// C[m,n] (+)= A[m,k] B[k,n] for small matrices that are in the cache already: nothing is packed. Elements of A are broadcast, vectors run
// along the rows of B and C (both with contiguous rows); A[i,p] = a[i*rowStep + p*step], with rowStep or step 1.
// For attention over blocks; gemm.h computes large matrices, pack.h packed weights.
#pragma once
#include "vec.h"

#if defined(__wasm__)
#define TILE_ROWS 4  // 16 registers at most, and no fused multiply-add: a taller tile spills
#else
#define TILE_ROWS 6
#endif

#if defined(__clang__)
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

INLINE vf vload_first(const float *p, int lanes) {
  vf v = {0};
  for (int i = 0; i < lanes; i++) v[i] = p[i];
  return v;
}

// One tile of `rows` x (`vectors` vectors, or the first `lanes` lanes of one). rows, vectors and whole are constants where it is called.
INLINE void product_tile(const int rows, const int vectors, const int whole, int lanes, int k, const float *a, ptrdiff_t rowStep,
                         ptrdiff_t step, const float *b, ptrdiff_t ldb, float *c, ptrdiff_t ldc, int accumulate) {
  vf sum[2 * TILE_ROWS][2];
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = (vf){0};
  for (int p = 0; p < k; p++) {
    vf row[2];
    UNROLL for (int v = 0; v < vectors; v++) row[v] = whole ? vload(b + v * VW) : vload_first(b, lanes);
    UNROLL for (int r = 0; r < rows; r++) {
      vf x = vset(a[r * rowStep]);
      UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vmadd(x, row[v], sum[r][v]);
    }
    a += step;
    b += ldb;
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) {
    float *to = c + r * ldc + v * VW;
    if (whole) {
      vstore(to, accumulate ? vload(to) + sum[r][v] : sum[r][v]);
    } else {
      for (int i = 0; i < lanes; i++) to[i] = accumulate ? to[i] + sum[r][v][i] : sum[r][v][i];
    }
  }
}

INLINE void product_columns(const int rows, int n, int k, const float *a, ptrdiff_t rowStep, ptrdiff_t step, const float *b,
                            ptrdiff_t ldb, float *c, ptrdiff_t ldc, int accumulate) {
  int j = 0;
  for (; j + 2 * VW <= n; j += 2 * VW) product_tile(rows, 2, 1, VW, k, a, rowStep, step, b + j, ldb, c + j, ldc, accumulate);
  if (j + VW <= n) {
    product_tile(rows, 1, 1, VW, k, a, rowStep, step, b + j, ldb, c + j, ldc, accumulate);
    j += VW;
  }
  if (j < n) product_tile(rows, 1, 0, n - j, k, a, rowStep, step, b + j, ldb, c + j, ldc, accumulate);
}

// Specialised by the caller's constant: a row-major (step 1) or transposed (rowStep 1).
INLINE void product_rows(int m, int n, int k, const float *a, ptrdiff_t rowStep, ptrdiff_t step, const float *b, ptrdiff_t ldb, float *c,
                         ptrdiff_t ldc, int accumulate) {
  int i = 0;
  if (n == VW)  // one vector wide: twice as many rows, to keep as many sums under way
    for (; i + 2 * TILE_ROWS <= m; i += 2 * TILE_ROWS)
      product_tile(2 * TILE_ROWS, 1, 1, VW, k, a + i * rowStep, rowStep, step, b, ldb, c + i * ldc, ldc, accumulate);
  for (; i + TILE_ROWS <= m; i += TILE_ROWS)
    product_columns(TILE_ROWS, n, k, a + i * rowStep, rowStep, step, b, ldb, c + i * ldc, ldc, accumulate);
  a += i * rowStep;
  c += i * ldc;
  switch (m - i) {
    case 1: product_columns(1, n, k, a, rowStep, step, b, ldb, c, ldc, accumulate); break;
    case 2: product_columns(2, n, k, a, rowStep, step, b, ldb, c, ldc, accumulate); break;
    case 3: product_columns(3, n, k, a, rowStep, step, b, ldb, c, ldc, accumulate); break;
#if TILE_ROWS > 4
    case 4: product_columns(4, n, k, a, rowStep, step, b, ldb, c, ldc, accumulate); break;
    case 5: product_columns(5, n, k, a, rowStep, step, b, ldb, c, ldc, accumulate); break;
#endif
  }
}

// A row-major: a[i*lda + p].
static void product(int m, int n, int k, const float *a, ptrdiff_t lda, const float *b, ptrdiff_t ldb, float *c, ptrdiff_t ldc,
                    int accumulate) {
  product_rows(m, n, k, a, lda, 1, b, ldb, c, ldc, accumulate);
}

// A given transposed: a[p*lda + i].
static void product_transposed(int m, int n, int k, const float *a, ptrdiff_t lda, const float *b, ptrdiff_t ldb, float *c,
                               ptrdiff_t ldc, int accumulate) {
  product_rows(m, n, k, a, 1, lda, b, ldb, c, ldc, accumulate);
}
