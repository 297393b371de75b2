// The one calling convention of all kernels, native and WebAssembly alike.
//
// A kernel is `void name(const arg *a)`. Arguments are 8 bytes each on both targets: a pointer (float32 or int32 data,
// NULL when absent) or a number (double). JavaScript passes typed arrays and numbers in the order of list.h. Kernels
// never allocate: outputs come from the caller, temporary space from scratch(). Results must not depend on the number
// of threads: split the work so that each output element is computed by one part, in a fixed order.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef union {
  void *p;
  double n;
  uint64_t bits;
} arg;

typedef void (*kernel)(const arg *a);
typedef struct {
  const char *name;
  kernel run;
  const char *fixed, *group;  // letters of its arguments, and of the group that may be repeated (list.h)
} named_kernel;  // a table of them ends with a NULL name
typedef void (*part_body)(void *context, int part, int parts);

#define F(i) ((float *)a[i].p)      // float32 data
#define I32(i) ((int32_t *)a[i].p)  // int32 data
#define INT(i) ((int)a[i].n)
#define NUM(i) ((float)a[i].n)

// Given by the target (addon.c, wasm.c):
#define SCRATCH_BYTES (4u << 20)
void *thread_scratch(void);  // SCRATCH_BYTES of 64-byte aligned space of the calling thread; the first half belongs to gemm.h
void parallel(part_body body, void *context, int parts);           // runs part 0..parts-1, each exactly once, over the threads; returns when all are done
int thread_count(void);
double spent_seconds(void);  // processor time of this process so far; 0 where the target has no clock

// c [12,32] (+)= a^T b, its rows ldc apart, where a [pairs][12] and b [pairs][32] hold two numbers in bfloat16 each (the lower half first); sums
// in float32. NULL where the processor has no instruction for it.
extern void (*bfloat16_tile)(int pairs, const uint32_t *a, const uint32_t *b, float *c, ptrdiff_t ldc, int accumulate);

// Memory that a loop over weights fetches into the second cache while it computes, some in each step.
typedef struct {
  const char *from;
  int half;  // bytes of half a step
} fetch_ahead;
#define FETCH(ahead)                                     \
  __builtin_prefetch((ahead).from, 0, 2);                \
  __builtin_prefetch((ahead).from + (ahead).half, 0, 2); \
  (ahead).from += 2 * (ahead).half

// to [tokens,32] = x w^T for up to 12 tokens: w [pairs][32] and x [pairs][tokens] hold two numbers in bfloat16 each. NULL likewise.
extern void (*bfloat16_few)(int tokens, int pairs, const uint32_t *w, const uint32_t *x, float *to, fetch_ahead ahead);
