// All kernels for one instruction set; compiled once for each, with ISA its name and VW its vector width.
#include "abi.h"

#define JOIN_NAMES(name, isa) name##_##isa
#define JOIN(name, isa) JOIN_NAMES(name, isa)
#define FN(name) JOIN(name, ISA)

#include "gemm.h"
#include "elementwise.h"
#include "rows.h"

#include "attend.h"
#include "decode.h"
#include "grpo.h"
#include "vocabulary.h"

const named_kernel FN(kernel_table)[] = {
#define KERNEL(name, fixed, group) {#name, FN(name), fixed, group},
#include "list.h"
#undef KERNEL
    {0, 0, 0, 0},
};
