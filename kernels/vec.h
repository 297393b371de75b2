// Portable vectors by the compilers' vector extensions (gcc, clang). VW = lanes: 4 (NEON, WebAssembly, SSE), 8 (AVX2), 16 (AVX-512).
#pragma once
#include "abi.h"

#ifndef VW
#define VW 4
#endif
typedef float vf __attribute__((vector_size(VW * 4), aligned(4)));
typedef int32_t vi __attribute__((vector_size(VW * 4), aligned(4)));

#define INLINE static inline __attribute__((always_inline))
#define RESTRICT __restrict__

INLINE vf vload(const float *p) { return *(const vf *)p; }
INLINE void vstore(float *p, vf v) { *(vf *)p = v; }
// The first `lanes` lanes only; the others load as 0.
INLINE vf vload_lanes(const float *p, int lanes) {
  if (lanes == VW) return vload(p);
  vf v = {0};
  for (int i = 0; i < lanes; i++) v[i] = p[i];
  return v;
}
INLINE void vstore_lanes(float *p, vf v, int lanes) {
  if (lanes == VW) vstore(p, v);
  else for (int i = 0; i < lanes; i++) p[i] = v[i];
}
INLINE vf vset(float x) { return x - (vf){0}; }
// x * y + sum, fused where the target can: compilers do that by themselves, except for WebAssembly's relaxed SIMD.
#ifdef __wasm_relaxed_simd__
INLINE vf vmadd(vf x, vf y, vf sum) { return __builtin_wasm_relaxed_madd_f32x4(x, y, sum); }
#else
INLINE vf vmadd(vf x, vf y, vf sum) { return x * y + sum; }
#endif
INLINE vf vselect(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }
#ifdef __wasm_simd128__
INLINE vf vmax(vf x, vf y) { return __builtin_wasm_pmax_f32x4(y, x); }
INLINE vf vmin(vf x, vf y) { return __builtin_wasm_pmin_f32x4(y, x); }
#else
INLINE vf vmax(vf x, vf y) { return vselect(x > y, x, y); }
INLINE vf vmin(vf x, vf y) { return vselect(x < y, x, y); }
#endif

typedef float v4 __attribute__((vector_size(16), aligned(4)));
#ifdef __clang__
#define SHUFFLE4(x, y, i, j, k, l) __builtin_shufflevector(x, y, i, j, k, l)
#else
#define SHUFFLE4(x, y, i, j, k, l) __builtin_shuffle(x, y, (__attribute__((vector_size(16))) int32_t){i, j, k, l})
#endif

// to[j*step + i] = from[i*ld + j] * factor for i, j < 4.
INLINE void transpose_tile(const float *from, ptrdiff_t ld, float factor, float *to, ptrdiff_t step) {
  v4 p = *(v4 *)from * factor, q = *(v4 *)(from + ld) * factor, r = *(v4 *)(from + 2 * ld) * factor, s = *(v4 *)(from + 3 * ld) * factor;
  v4 pq = SHUFFLE4(p, q, 0, 4, 1, 5), rs = SHUFFLE4(r, s, 0, 4, 1, 5);
  v4 pq2 = SHUFFLE4(p, q, 2, 6, 3, 7), rs2 = SHUFFLE4(r, s, 2, 6, 3, 7);
  *(v4 *)to = SHUFFLE4(pq, rs, 0, 1, 4, 5);
  *(v4 *)(to + step) = SHUFFLE4(pq, rs, 2, 3, 6, 7);
  *(v4 *)(to + 2 * step) = SHUFFLE4(pq2, rs2, 0, 1, 4, 5);
  *(v4 *)(to + 3 * step) = SHUFFLE4(pq2, rs2, 2, 3, 6, 7);
}

// The same for a matrix: to[j*step + i] = from[i*ld + j] for i < rows, j < columns.
INLINE void transpose(const float *from, ptrdiff_t ld, int rows, int columns, float *to, ptrdiff_t step) {
  int i = 0;
  for (; i + 4 <= rows; i += 4) {
    int j = 0;
    for (; j + 4 <= columns; j += 4) transpose_tile(from + i * ld + j, ld, 1, to + j * step + i, step);
    for (; j < columns; j++)
      for (int r = i; r < i + 4; r++) to[j * step + r] = from[r * ld + j];
  }
  for (; i < rows; i++)
    for (int j = 0; j < columns; j++) to[j * step + i] = from[i * ld + j];
}

INLINE int least(int a, int b) { return a < b ? a : b; }
INLINE int most(int a, int b) { return a > b ? a : b; }
INLINE float vsum(vf v) {
  float s = 0;
  for (int i = 0; i < VW; i++) s += v[i];
  return s;
}
INLINE float vtop(vf v) {
  float s = v[0];
  for (int i = 1; i < VW; i++) s = v[i] > s ? v[i] : s;
  return s;
}

// e^x, relative error about 2e-7 over the float range: 2^n * polynomial (Cephes expf coefficients, S. Moshier). NaN stays NaN: it is the
// second operand of vmax and vmin, which return it if a comparison fails.
INLINE vf vexp(vf x) {
  x = vmin(vset(88.3762626647949f), vmax(vset(-87.336544f), x));
  vf magic = vset(12582912.f);  // 1.5 * 2^23: adding it rounds to the nearest integer, which the low bits then hold
  vf shifted = vmadd(x, vset(1.44269504088896341f), magic);
  vf n = shifted - magic;
  vf r = vmadd(n, vset(-0.693359375f), x);
  r = vmadd(n, vset(2.12194440e-4f), r);
  vf p = vset(1.9875691500e-4f);
  p = vmadd(p, r, vset(1.3981999507e-3f));
  p = vmadd(p, r, vset(8.3334519073e-3f));
  p = vmadd(p, r, vset(4.1665795894e-2f));
  p = vmadd(p, r, vset(1.6666665459e-1f));
  p = vmadd(p, r, vset(5.0000001201e-1f));
  p = vmadd(p, r * r, r) + 1.f;
  return p * (vf)(((vi)shifted + 127) << 23);
}
INLINE float sexp(float x) { return vexp(vset(x))[0]; }

// ln x for x > 0 (normal floats), relative error about 2e-7 (Cephes logf coefficients). NaN and infinity give themselves.
INLINE float slog(float x) {
  if (!(x <= 3.4028235e38f)) return x;
  union { float f; int32_t i; } u = {x};
  int e = ((u.i >> 23) & 255) - 126;
  u.i = (u.i & 0x007fffff) | 0x3f000000;
  float m = u.f;
  if (m < 0.70710678f) { e--; m = m + m - 1.f; } else m = m - 1.f;
  float z = m * m;
  float y = 7.0376836292e-2f;
  y = y * m - 1.1514610310e-1f;
  y = y * m + 1.1676998740e-1f;
  y = y * m - 1.2420140846e-1f;
  y = y * m + 1.4249322787e-1f;
  y = y * m - 1.6668057665e-1f;
  y = y * m + 2.0000714765e-1f;
  y = y * m - 2.4999993993e-1f;
  y = y * m + 3.3333331174e-1f;
  y *= m * z;
  y += e * -2.12194440e-4f;
  y -= 0.5f * z;
  return m + y + e * 0.693359375f;
}
