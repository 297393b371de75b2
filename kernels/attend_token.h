// Attention of one token over cached keys and values [keys, headDim]: dot products along the rows of the keys, because
// one query (or some heads that share them) cannot fill the lanes. Limited by the bandwidth of the cache.
#pragma once
#include "attend.h"

#if VW == 16
#define HEADS_AT_ONCE 4  // as many sums as there are registers for
#else
#define HEADS_AT_ONCE 2
#endif

INLINE v4 fold(vf v) {
  union { vf all; v4 quarter[VW / 4]; } u = {v};
  v4 sum = u.quarter[0];
  for (int i = 1; i < VW / 4; i++) sum += u.quarter[i];
  return sum;
}

// Sums over the lanes, for four vectors.
INLINE v4 sum_lanes(vf a, vf b, vf c, vf d) {
  v4 p = fold(a), q = fold(b), r = fold(c), s = fold(d);
  v4 pq = SHUFFLE4(p, q, 0, 4, 1, 5) + SHUFFLE4(p, q, 2, 6, 3, 7);
  v4 rs = SHUFFLE4(r, s, 0, 4, 1, 5) + SHUFFLE4(r, s, 2, 6, 3, 7);
  return SHUFFLE4(pq, rs, 0, 1, 4, 5) + SHUFFLE4(pq, rs, 2, 3, 6, 7);
}

// scores[h][j] = q[h] . k[j] for up to HEADS_AT_ONCE (a constant) heads; k [keys, headDim], q [.., headDim],
// scores [.., ld].
// Prefetches the following keys, and the values v of these keys, which are needed next and are no longer in the
// processor's caches since the last step.
INLINE void score_keys(const int heads, const float *q, const float *k, const float *v, int keys, int headDim, float *scores, ptrdiff_t ld) {
  int j = 0, whole = headDim / VW * VW;
  for (; j + 4 <= keys; j += 4) {
    const float *key = k + (ptrdiff_t)j * headDim;
    for (int i = 0; i < 4 * headDim; i += 16) {
      __builtin_prefetch(key + 8 * headDim + i);
      __builtin_prefetch(v + (ptrdiff_t)j * headDim + i);
    }
    vf sum[HEADS_AT_ONCE][4];
    UNROLL for (int h = 0; h < heads; h++) UNROLL for (int i = 0; i < 4; i++) sum[h][i] = (vf){0};
    for (int c = 0; c < whole; c += VW) {
      vf x[4];
      UNROLL for (int i = 0; i < 4; i++) x[i] = vload(key + i * headDim + c);
      UNROLL for (int h = 0; h < heads; h++) {
        vf y = vload(q + h * headDim + c);
        UNROLL for (int i = 0; i < 4; i++) sum[h][i] = vmadd(x[i], y, sum[h][i]);
      }
    }
    UNROLL for (int h = 0; h < heads; h++) {
      v4 sums = sum_lanes(sum[h][0], sum[h][1], sum[h][2], sum[h][3]);
      for (int c = whole; c < headDim; c++)
        for (int i = 0; i < 4; i++) sums[i] += key[i * headDim + c] * q[h * headDim + c];
      *(v4 *)(scores + h * ld + j) = sums;
    }
  }
  for (; j < keys; j++)
    for (int h = 0; h < heads; h++) scores[h * ld + j] = dot_product(q + h * headDim, k + (ptrdiff_t)j * headDim, headDim);
}

// In place; the sum is divided out.
static void softmax(float *x, int n) {
  int j = 0;
  vf tops = vset(NO_SCORE);
  for (; j + VW <= n; j += VW) tops = vmax(vload(x + j), tops);
  float top = vtop(tops);
  for (; j < n; j++) top = x[j] > top ? x[j] : top;
  vf sums = {0};
  for (j = 0; j + VW <= n; j += VW) {
    vf p = vexp(vload(x + j) - top);
    vstore(x + j, p);
    sums += p;
  }
  float sum = vsum(sums);
  for (; j < n; j++) sum += x[j] = sexp(x[j] - top);
  float share = 1.f / sum;
  for (j = 0; j < n; j++) x[j] *= share;
}

// out[h] = sum over keys of shares[h][j] * v[j], for up to HEADS_AT_ONCE (a constant) heads: one pass over v if its
// rows are narrow enough.
INLINE void weigh_values(const int heads, const float *shares, ptrdiff_t ld, const float *v, int keys, int headDim, float *out) {
  int c = 0;
  for (; c + 4 * VW <= headDim; c += 4 * VW) {
    vf sum[HEADS_AT_ONCE][4];
    UNROLL for (int h = 0; h < heads; h++) UNROLL for (int i = 0; i < 4; i++) sum[h][i] = (vf){0};
    const float *row = v + c;
    for (int j = 0; j < keys; j++, row += headDim)
      UNROLL for (int h = 0; h < heads; h++) UNROLL for (int i = 0; i < 4; i++)
        sum[h][i] = vmadd(vload(row + i * VW), vset(shares[h * ld + j]), sum[h][i]);
    UNROLL for (int h = 0; h < heads; h++) UNROLL for (int i = 0; i < 4; i++) vstore(out + h * headDim + c + i * VW, sum[h][i]);
  }
  if (c < headDim) product(heads, headDim - c, keys, shares, ld, v + c, headDim, out + c, headDim, 0);
}
