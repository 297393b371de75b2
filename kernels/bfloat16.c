// The product of packed slivers in bfloat16 by the instruction of AVX-512 BF16: twice as many multiplications as in float32.
#include "abi.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>

void bfloat16_tile_avx512(int pairs, const uint32_t *a, const uint32_t *b, float *tile) {
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
  for (int r = 0; r < 12; r++) {
    _mm512_storeu_ps(tile + r * 32, sum[r][0]);
    _mm512_storeu_ps(tile + r * 32 + 16, sum[r][1]);
  }
}
#endif
