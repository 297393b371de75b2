// Elementwise kernels. Most are bound by memory, so each makes one pass, in order, in parts of RANGE elements.
#pragma once
#include "choices.h"
#include "vec.h"

#define RANGE 16384  // elements of one part

INLINE ptrdiff_t range_least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
INLINE int range_parts(ptrdiff_t elements) { return (int)((elements + RANGE - 1) / RANGE); }
INLINE void run_parts(part_body body, void *context, int parts) {
  if (parts == 1) body(context, 0, 1);
  else if (parts > 1) parallel(body, context, parts);
}

// Runs `whole` for vectors from `i` to `end` and `single` for the remaining elements, both written in terms of i.
#define SWEEP(end, whole, single)        \
  for (; i + VW <= (end); i += VW) {     \
    whole;                               \
  }                                      \
  for (; i < (end); i++) {               \
    single;                              \
  }

#define ELEMENTS_OF(type, range)                                  \
  const type *x = context;                                        \
  ptrdiff_t i = (ptrdiff_t)part * (range), end = range_least(i + (range), x->n); \
  (void)parts
#define ELEMENTS(type) ELEMENTS_OF(type, RANGE)

typedef struct {
  int op;
  const float *a, *b;
  float *out;
  ptrdiff_t n;
} binary_job;

static void binary_part(void *context, int part, int parts) {
  ELEMENTS(binary_job);
  const float *a = x->a, *b = x->b;
  float *out = x->out;
  switch (x->op) {
    case OPERATION_ADD: SWEEP(end, vstore(out + i, vload(a + i) + vload(b + i)), out[i] = a[i] + b[i]) break;
    case OPERATION_SUBTRACT: SWEEP(end, vstore(out + i, vload(a + i) - vload(b + i)), out[i] = a[i] - b[i]) break;
    case OPERATION_MULTIPLY: SWEEP(end, vstore(out + i, vload(a + i) * vload(b + i)), out[i] = a[i] * b[i]) break;
    default: SWEEP(end, vstore(out + i, vload(a + i) / vload(b + i)), out[i] = a[i] / b[i]) break;
  }
}

void FN(binary)(const arg *a) {
  binary_job x = {INT(0), F(1), F(2), F(3), (ptrdiff_t)a[4].n};
  run_parts(binary_part, &x, range_parts(x.n));
}

typedef struct {
  const arg *inputs;
  float *out;
  ptrdiff_t n;
  int count;
} add_n_job;

static void add_n_part(void *context, int part, int parts) {
  ELEMENTS(add_n_job);
  float *out = x->out;
  ptrdiff_t start = i;
  for (; i < end; i++) out[i] = 0;
  for (int c = 0; c < x->count; c++) {
    const float *from = x->inputs[c].p;
    i = start;
    SWEEP(end, vstore(out + i, vload(out + i) + vload(from + i)), out[i] += from[i])
  }
}

void FN(add_n)(const arg *a) {
  add_n_job x = {a + 3, F(0), (ptrdiff_t)a[1].n, INT(2)};
  run_parts(add_n_part, &x, range_parts(x.n));
}

typedef struct {
  const float *from;
  float *to;
  ptrdiff_t n;
  float factor;
} scale_job;

static void scale_part(void *context, int part, int parts) {
  ELEMENTS(scale_job);
  SWEEP(end, vstore(x->to + i, vload(x->from + i) * x->factor), x->to[i] = x->from[i] * x->factor)
}

void FN(scale)(const arg *a) {
  scale_job x = {F(0), F(1), (ptrdiff_t)a[2].n, NUM(3)};
  run_parts(scale_part, &x, range_parts(x.n));
}

typedef struct {
  const float *dy, *gate, *up;
  float *y, *dGate, *dUp;
  ptrdiff_t n;
  int activation;
} glu_job;

// Both activations are g s(z), s(z) = 1 / (1 + e^-z): SiLU with z = g, and GELU by the tanh, g/2 (1 + tanh(z/2)), with
// z = 2 sqrt(2/pi) (g + 0.044715 g^3).
#define GELU_LINEAR 1.5957691216057308f
#define GELU_CUBIC 0.07135481282052102f  // 0.044715 * 2 sqrt(2/pi)

INLINE vf reciprocal_sigmoid(const int activation, vf gate) {
  vf z = activation == ACTIVATION_SILU ? gate : gate * (gate * gate * GELU_CUBIC + GELU_LINEAR);
  return vexp(-z) + 1.f;
}

// The last vector of a part may be short: it is copied, so that vexp computes every element in the same way.
INLINE void glu_range(const int activation, const glu_job *x, ptrdiff_t i, ptrdiff_t end) {
  for (; i < end; i += VW) {
    int lanes = (int)range_least(VW, end - i);
    vf gate = vload_lanes(x->gate + i, lanes), up = vload_lanes(x->up + i, lanes);
    vf y = gate / reciprocal_sigmoid(activation, gate) * up;
    vstore_lanes(x->y + i, y, lanes);
  }
}

// Bound by the exponentials, not by memory: shorter parts are worth a thread.
#define GLU_RANGE (RANGE / 4)
INLINE int glu_parts(ptrdiff_t elements) { return (int)((elements + GLU_RANGE - 1) / GLU_RANGE); }

static void glu_part(void *context, int part, int parts) {
  ELEMENTS_OF(glu_job, GLU_RANGE);
  if (x->activation == ACTIVATION_SILU) glu_range(ACTIVATION_SILU, x, i, end);
  else glu_range(ACTIVATION_GELU_TANH, x, i, end);
}

// The slope of g s(z) is s (1 + g (1 - s) z').
INLINE void glu_grad_range(const int activation, const glu_job *x, ptrdiff_t i, ptrdiff_t end) {
  for (; i < end; i += VW) {
    int lanes = (int)range_least(VW, end - i);
    vf dy = vload_lanes(x->dy + i, lanes), gate = vload_lanes(x->gate + i, lanes), up = vload_lanes(x->up + i, lanes);
    vf s = 1.f / reciprocal_sigmoid(activation, gate);
    vf turned = activation == ACTIVATION_SILU ? gate : gate * (gate * gate * (3 * GELU_CUBIC) + GELU_LINEAR);
    vstore_lanes(x->dGate + i, dy * up * s * (turned * (1.f - s) + 1.f), lanes);
    vstore_lanes(x->dUp + i, dy * gate * s, lanes);
  }
}

static void glu_grad_part(void *context, int part, int parts) {
  ELEMENTS_OF(glu_job, GLU_RANGE);
  if (x->activation == ACTIVATION_SILU) glu_grad_range(ACTIVATION_SILU, x, i, end);
  else glu_grad_range(ACTIVATION_GELU_TANH, x, i, end);
}

void FN(glu)(const arg *a) {
  glu_job x = {.gate = F(0), .up = F(1), .y = F(2), .n = (ptrdiff_t)a[3].n, .activation = INT(4)};
  run_parts(glu_part, &x, glu_parts(x.n));
}

void FN(glu_grad)(const arg *a) {
  glu_job x = {.dy = F(0), .gate = F(1), .up = F(2), .dGate = F(3), .dUp = F(4), .n = (ptrdiff_t)a[5].n, .activation = INT(6)};
  run_parts(glu_grad_part, &x, glu_parts(x.n));
}

typedef struct {
  const float *from;
  float *to;
  ptrdiff_t n;
  uint32_t seed, threshold;
  float factor;
} dropout_job;

INLINE uint32_t mix(uint32_t h) {  // src/random.ts
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

static void dropout_part(void *context, int part, int parts) {
  ELEMENTS(dropout_job);
  const float *RESTRICT from = x->from;
  float *RESTRICT to = x->to, factor = x->factor;
  uint32_t key = mix(x->seed ^ 0x9e3779b9u) + 0x7f4a7c15u, threshold = x->threshold;
  for (; i < end; i++) to[i] = mix(mix(key + (uint32_t)i * 0x9e3779b1u)) >= threshold ? from[i] * factor : 0;
}

void FN(dropout)(const arg *a) {
  double rate = a[3].n, edge = rate * 4294967296.0;
  uint32_t threshold = edge >= 4294967295.0 ? 4294967295u : (uint32_t)edge;
  if (threshold < edge) threshold++;
  dropout_job x = {F(0), F(1), (ptrdiff_t)a[2].n, (uint32_t)(int64_t)a[4].n, threshold, (float)(1 / (1 - rate))};
  run_parts(dropout_part, &x, range_parts(x.n));
}

// A tensor's squares in at most SQUARE_PARTS ranges, each summed in float over short runs and in double over the runs.
#define SQUARE_PARTS 256

typedef struct {
  const float *from;
  ptrdiff_t n, length;
  double *sums;
} squares_job;

static void squares_part(void *context, int part, int parts) {
  (void)parts;
  const squares_job *x = context;
  ptrdiff_t i = part * x->length, end = range_least(i + x->length, x->n);
  double sum = 0;
  while (i < end) {
    ptrdiff_t stop = range_least(i + 1024, end);
    vf squares = {0};
    float rest = 0;
    SWEEP(stop, squares += vload(x->from + i) * vload(x->from + i), rest += x->from[i] * x->from[i])
    sum += (double)vsum(squares) + rest;
  }
  x->sums[part] = sum;
}

void FN(sum_squares)(const arg *a) {
  double sums[SQUARE_PARTS], total = 0;
  int count = INT(1);
  for (int c = 0; c < count; c++) {
    ptrdiff_t n = (ptrdiff_t)a[3 + 2 * c].n, length = (n + SQUARE_PARTS - 1) / SQUARE_PARTS;
    if (length < RANGE) length = RANGE;
    squares_job x = {F(2 + 2 * c), n, length, sums};
    int parts = (int)((n + length - 1) / length);
    run_parts(squares_part, &x, parts);
    for (int part = 0; part < parts; part++) total += sums[part];
  }
  F(0)[0] = (float)total;
}

typedef struct {
  float *p, *m, *v;
  const float *g;
  ptrdiff_t n;
  float keep, rate, beta1, beta2, rest1, rest2, root, eps, gradScale;
} adam_job;

// As torch.optim.AdamW: p *= 1 - lr*decay; p -= lr / correction1 * m / (sqrt(v / correction2) + eps).
static void adam_part(void *context, int part, int parts) {
  ELEMENTS(adam_job);
  float *RESTRICT p = x->p, *RESTRICT m = x->m, *RESTRICT v = x->v;
  const float *RESTRICT grad = x->g;
  const adam_job o = *x;
  for (; i < end; i++) {
    float g = grad[i] * o.gradScale;
    m[i] = m[i] * o.beta1 + g * o.rest1;
    v[i] = v[i] * o.beta2 + g * g * o.rest2;
    p[i] = p[i] * o.keep - o.rate * (m[i] / (__builtin_sqrtf(v[i]) * o.root + o.eps));
  }
}

void FN(adam_w)(const arg *a) {
  double lr = a[5].n, beta1 = a[6].n, beta2 = a[7].n;
  adam_job x = {
      .p = F(0), .g = F(1), .m = F(2), .v = F(3), .n = (ptrdiff_t)a[4].n,
      .keep = (float)(1 - lr * a[9].n), .rate = (float)(lr / a[10].n),
      .beta1 = (float)beta1, .beta2 = (float)beta2, .rest1 = (float)(1 - beta1), .rest2 = (float)(1 - beta2),
      .root = (float)(1 / __builtin_sqrt(a[11].n)), .eps = NUM(8), .gradScale = NUM(12),
  };
  run_parts(adam_part, &x, range_parts(x.n));
}
