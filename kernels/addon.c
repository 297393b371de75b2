// The native addon: the kernel tables of all instruction sets in it, offered to JavaScript through Node-API.
//   isas: string[]                    what this processor can run, best first
//   open(isa, threads)                -> {isa, threads, kernels: {name: (...args) => void}}
// Every argument of a kernel is a typed array (its data), a number, or null, as list.h says; a call that does not fit is refused.
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <dlfcn.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <node_api.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "parallel.h"

#define MAX_ARGS 4096
#define MAX_THREADS 64

typedef struct {
  const char *isa;
  const named_kernel *kernels;
  int usable;
} table;

void (*bfloat16_tile)(int pairs, const uint32_t *a, const uint32_t *b, float *c, ptrdiff_t ldc, int accumulate);
void (*bfloat16_few)(int tokens, int pairs, const uint32_t *w, const uint32_t *x, float *to, fetch_ahead ahead);

#if defined(__x86_64__)
#ifdef HAS_BFLOAT16
void bfloat16_tile_avx512(int pairs, const uint32_t *a, const uint32_t *b, float *c, ptrdiff_t ldc, int accumulate);
void bfloat16_few_avx512(int tokens, int pairs, const uint32_t *w, const uint32_t *x, float *to, fetch_ahead ahead);
#endif
extern const named_kernel kernel_table_generic[], kernel_table_avx2[], kernel_table_avx512[];
static int find_tables(table *tables) {
  __builtin_cpu_init();
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#ifdef HAS_BFLOAT16
  if (avx512 && __builtin_cpu_supports("avx512bf16")) {
    bfloat16_tile = bfloat16_tile_avx512;
    bfloat16_few = bfloat16_few_avx512;
  }
#endif
  tables[0] = (table){"avx512", kernel_table_avx512, avx512};
  tables[1] = (table){"avx2", kernel_table_avx2, avx2};
  tables[2] = (table){"generic", kernel_table_generic, 1};
  return 3;
}
#elif defined(__aarch64__)
extern const named_kernel kernel_table_neon[];
static int find_tables(table *tables) {
  tables[0] = (table){"neon", kernel_table_neon, 1};
  return 1;
}
#else
extern const named_kernel kernel_table_generic[];
static int find_tables(table *tables) {
  tables[0] = (table){"generic", kernel_table_generic, 1};
  return 1;
}
#endif

double spent_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

// What the function object of a kernel refers to. Never freed: a few kilobytes for each open().
typedef struct {
  named_kernel kernel;
  int threads;
} bound_kernel;

// Whether a kernel takes `count` arguments.
static int takes(const named_kernel *k, size_t count) {
  size_t fixed = strlen(k->fixed), group = strlen(k->group);
  return count == fixed || (group && count > fixed && (count - fixed) % group == 0);
}

// The letter of an argument (list.h).
static char kind_of(const named_kernel *k, size_t i) {
  size_t fixed = strlen(k->fixed);
  return i < fixed ? k->fixed[i] : k->group[(i - fixed) % strlen(k->group)];
}

static napi_value refuse_count(napi_env env, const named_kernel *k, size_t count) {
  char message[160];
  snprintf(message, sizeof message, "kernel %s: %zu arguments, where it takes %zu", k->name, count, strlen(k->fixed));
  if (*k->group) snprintf(message + strlen(message), sizeof message - strlen(message), " and groups of %zu", strlen(k->group));
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

static napi_value refuse(napi_env env, const char *name, size_t index, const char *why) {
  char message[160];
  snprintf(message, sizeof message, "kernel %s: argument %zu %s", name, index, why);
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

static napi_value call_kernel(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGS];
  arg args[MAX_ARGS];
  size_t count = MAX_ARGS;
  bound_kernel *bound;
  napi_get_cb_info(env, info, &count, values, NULL, (void **)&bound);
  const named_kernel *k = &bound->kernel;
  if (count > MAX_ARGS) return refuse(env, k->name, count, "is one too many");
  if (!takes(k, count)) return refuse_count(env, k, count);
  for (size_t i = 0; i < count; i++) {
    napi_valuetype type;
    napi_typeof(env, values[i], &type);
    char kind = kind_of(k, i);
    if (kind == 'n') {
      if (type != napi_number) return refuse(env, k->name, i, "is not a number");
      napi_get_value_double(env, values[i], &args[i].n);
    } else if (kind == 'o' && type == napi_null) {
      args[i].p = NULL;
    } else {
      bool typed = false;
      if (type == napi_object) napi_is_typedarray(env, values[i], &typed);
      if (!typed) return refuse(env, k->name, i, kind == 'o' ? "is not data or null" : "is not data");
      napi_get_typedarray_info(env, values[i], NULL, NULL, &args[i].p, NULL, NULL);
    }
  }
  calling_threads = bound->threads;
  k->run(args);
  return NULL;
}

// Training allocates and frees hundreds of tensors of all sizes. glibc keeps freed blocks that are smaller than the
// largest freed so far (mallopt(3), M_MMAP_THRESHOLD); these get fragmented, and a training process then holds a third
// more memory than its tensors need.
static void return_large_blocks(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

static napi_value open_library(napi_env env, napi_callback_info info) {
  napi_value values[2], result, kernels, value;
  size_t count = 2;
  char isa[16] = "";
  int32_t threads = 1;
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  napi_get_value_string_utf8(env, values[0], isa, sizeof isa, NULL);
  napi_get_value_int32(env, values[1], &threads);
  if (threads < 1) threads = 1;
  if (threads > MAX_THREADS) threads = MAX_THREADS;
  return_large_blocks();

  table tables[4];
  const named_kernel *found = NULL;
  for (int i = find_tables(tables) - 1; i >= 0; i--)
    if (tables[i].usable && !strcmp(tables[i].isa, isa)) found = tables[i].kernels;
  if (!found) {
    napi_throw_error(env, NULL, "this processor cannot run that instruction set");
    return NULL;
  }
  napi_create_object(env, &result);
  napi_create_object(env, &kernels);
  for (const named_kernel *k = found; k->name; k++) {
    bound_kernel *bound = malloc(sizeof *bound);
    if (!bound) abort();
    *bound = (bound_kernel){*k, threads};
    napi_create_function(env, k->name, NAPI_AUTO_LENGTH, call_kernel, bound, &value);
    napi_set_named_property(env, kernels, k->name, value);
  }
  napi_create_string_utf8(env, isa, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, result, "isa", value);
  napi_create_int32(env, threads, &value);
  napi_set_named_property(env, result, "threads", value);
  napi_set_named_property(env, result, "kernels", kernels);
  return result;
}

// Node unloads an addon with the last worker thread that uses it, but the helpers still run its code.
static void stay_loaded(void) {
  Dl_info self;
  if (dladdr((void *)stay_loaded, &self) && self.dli_fname) dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

NAPI_MODULE_INIT() {
  stay_loaded();
  table tables[4];
  napi_value isas, value;
  napi_create_array(env, &isas);
  uint32_t usable = 0;
  int count = find_tables(tables);
  for (int i = 0; i < count; i++) {
    if (!tables[i].usable) continue;
    napi_create_string_utf8(env, tables[i].isa, NAPI_AUTO_LENGTH, &value);
    napi_set_element(env, isas, usable++, value);
  }
  napi_set_named_property(env, exports, "isas", isas);
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, open_library, NULL, &value);
  napi_set_named_property(env, exports, "open", value);
  return exports;
}
