// The product of packed slivers in bfloat16, by AVX-512 BF16's instruction, which does twice as many multiplications as
// float32's.
#include "abi.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>

void bfloat16_tile_avx512(int pairs, const uint32_t *a, const uint32_t *b, float *c, ptrdiff_t ldc, int accumulate) {
  __m512 sum[12][2];
  for (int r = 0; r < 12; r++) sum[r][0] = sum[r][1] = _mm512_setzero_ps();
  for (int p = 0; p < pairs; p++, a += 12, b += 32) {
    __m512bh low = (__m512bh)_mm512_loadu_si512(b), high = (__m512bh)_mm512_loadu_si512(b + 16);
#pragma GCC unroll 12
    for (int r = 0; r < 12; r++) {
      __m512bh x = (__m512bh)_mm512_set1_epi32((int)a[r]);
      sum[r][0] = _mm512_dpbf16_ps(sum[r][0], x, low);
      sum[r][1] = _mm512_dpbf16_ps(sum[r][1], x, high);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < 12; r++, c += ldc) {
    _mm512_storeu_ps(c, accumulate ? _mm512_add_ps(_mm512_loadu_ps(c), sum[r][0]) : sum[r][0]);
    _mm512_storeu_ps(c + 16, accumulate ? _mm512_add_ps(_mm512_loadu_ps(c + 16), sum[r][1]) : sum[r][1]);
  }
}

static inline __attribute__((always_inline)) void few(const int tokens, int pairs, const uint32_t *w, const uint32_t *x,
                                                      float *to, fetch_ahead ahead) {
  __m512 sum[12][2];
#pragma GCC unroll 12
  for (int t = 0; t < tokens; t++) sum[t][0] = sum[t][1] = _mm512_setzero_ps();
  for (int p = 0; p < pairs; p++, w += 32, x += tokens) {
    FETCH(ahead);
    __m512bh low = (__m512bh)_mm512_loadu_si512(w), high = (__m512bh)_mm512_loadu_si512(w + 16);
#pragma GCC unroll 12
    for (int t = 0; t < tokens; t++) {
      __m512bh a = (__m512bh)_mm512_set1_epi32((int)x[t]);
      sum[t][0] = _mm512_dpbf16_ps(sum[t][0], a, low);
      sum[t][1] = _mm512_dpbf16_ps(sum[t][1], a, high);
    }
  }
#pragma GCC unroll 12
  for (int t = 0; t < tokens; t++) {
    _mm512_storeu_ps(to + t * 32, sum[t][0]);
    _mm512_storeu_ps(to + t * 32 + 16, sum[t][1]);
  }
}

#define FEW_CASE(count) \
  case count: few(count, pairs, w, x, to, ahead); break;

void bfloat16_few_avx512(int tokens, int pairs, const uint32_t *w, const uint32_t *x, float *to, fetch_ahead ahead) {
  switch (tokens) {
    FEW_CASE(1) FEW_CASE(2) FEW_CASE(3) FEW_CASE(4) FEW_CASE(5) FEW_CASE(6)
    FEW_CASE(7) FEW_CASE(8) FEW_CASE(9) FEW_CASE(10) FEW_CASE(11) FEW_CASE(12)
  }
}
#endif
