// All kernels for one instruction set; compiled once for each, with ISA its name and VW its vector width.
#define JOIN_NAMES(name, isa) name##_##isa
#define JOIN(name, isa) JOIN_NAMES(name, isa)
#define FN(name) JOIN(name, ISA)
#include "abi.h"

#define KERNEL(name) void FN(name)(const arg *a) __attribute__((weak));
#include "list.h"
#undef KERNEL

#include "gemm.h"
#include "rows.h"
#if __has_include("attend.h")
#include "attend.h"
#endif
#if __has_include("vocabulary.h")
#include "vocabulary.h"
#endif
#if __has_include("grpo.h")
#include "grpo.h"
#endif
#if __has_include("decode.h")
#include "decode.h"
#endif

const named_kernel FN(kernel_table)[] = {
#define KERNEL(name) {#name, FN(name)},
#include "list.h"
#undef KERNEL
    {0, 0},
};
