// The WebAssembly module: the kernels of isa.c for 128-bit SIMD in one compilation, exported under the names of list.h, over an imported shared
// memory. src/kernels/native/wasm.ts lays out the memory, calls begin() once, and runs help() in each of its worker threads.
#define ISA simd128
#define VW 4
#include "isa.c"
#include "parallel.h"

#define EXPORT(name) __attribute__((export_name(name)))

#define KERNEL(name, fixed, group) \
  EXPORT(#name) void export_##name(const arg *a) { FN(name)(a); }
#include "list.h"
#undef KERNEL

void (*bfloat16_tile)(int pairs, const uint32_t *a, const uint32_t *b, float *c, ptrdiff_t ldc, int accumulate);
void (*bfloat16_few)(int tokens, int pairs, const uint32_t *w, const uint32_t *x, float *to, fetch_ahead ahead);

double spent_seconds(void) { return 0; }

EXPORT("scratch_bytes") int scratch_bytes(void) { return SCRATCH_BYTES; }

EXPORT("begin") void begin(void *scratch, int threads) {
  own_scratch = scratch;
  calling_threads = threads;
}

EXPORT("help") void help(int number, void *scratch) {
  own_scratch = scratch;
  help_forever(number);
}
