// Elementwise kernels and kernels over rows. All of them are bound by memory: what counts is one pass, in order.
// Sums over rows (gradients of weights and biases) are split by columns, so that each has one order whatever the number of threads.
#pragma once
#include "vec.h"

#define RANGE 16384  // elements of one part

INLINE ptrdiff_t range_least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
INLINE int range_parts(ptrdiff_t elements) { return (int)((elements + RANGE - 1) / RANGE); }
// Rows of d elements that make a part, and how many parts that gives.
INLINE int rows_each(int d) { return d >= RANGE ? 1 : RANGE / (d > 0 ? d : 1); }
INLINE int rows_parts(int n, int d) { return (n + rows_each(d) - 1) / rows_each(d); }
// The columns of a part: a multiple of 16, so that two threads do not write to one cache line.
INLINE int column_at(int d, int part, int parts) {
  return part == parts ? d : (int)range_least(((ptrdiff_t)d * part / parts + 15) / 16 * 16, d);
}
INLINE int column_parts(int n, int d) { return (int)range_least(thread_count(), 1 + range_least((ptrdiff_t)n * d / RANGE, d / 16)); }

INLINE void run_parts(part_body body, void *context, int parts) {
  if (parts == 1) body(context, 0, 1);
  else if (parts > 1) parallel(body, context, parts);
}

// Runs `whole` over vectors from `i` to `end`, `single` over what is left, both written in terms of i.
#define SWEEP(end, whole, single)        \
  for (; i + VW <= (end); i += VW) {     \
    whole;                               \
  }                                      \
  for (; i < (end); i++) {               \
    single;                              \
  }

#define ELEMENTS(type)                                            \
  const type *x = context;                                        \
  ptrdiff_t i = (ptrdiff_t)part * RANGE, end = range_least(i + RANGE, x->n); \
  (void)parts

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
    case 0: SWEEP(end, vstore(out + i, vload(a + i) + vload(b + i)), out[i] = a[i] + b[i]) break;
    case 1: SWEEP(end, vstore(out + i, vload(a + i) - vload(b + i)), out[i] = a[i] - b[i]) break;
    case 2: SWEEP(end, vstore(out + i, vload(a + i) * vload(b + i)), out[i] = a[i] * b[i]) break;
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
  const float *from;
  const int32_t *ids;
  float *to;
  int n, d, vocab;
} embed_job;

static void embed_part(void *context, int part, int parts) {
  (void)parts;
  const embed_job *x = context;
  int row = part * rows_each(x->d), end = (int)range_least(row + rows_each(x->d), x->n);
  for (; row < end; row++) {
    const float *from = x->from + (ptrdiff_t)x->ids[row] * x->d;
    float *to = x->to + (ptrdiff_t)row * x->d;
    for (int i = 0; i < x->d; i++) to[i] = from[i];
  }
}

void FN(embed)(const arg *a) {
  embed_job x = {F(0), I32(1), F(2), INT(3), INT(4), 0};
  run_parts(embed_part, &x, rows_parts(x.n, x.d));
}

static void embed_grad_part(void *context, int part, int parts) {
  const embed_job *x = context;
  int low = column_at(x->d, part, parts), high = column_at(x->d, part + 1, parts);
  for (int row = 0; row < x->vocab; row++)
    for (int i = low; i < high; i++) x->to[(ptrdiff_t)row * x->d + i] = 0;
  for (int row = 0; row < x->n; row++) {
    const float *from = x->from + (ptrdiff_t)row * x->d;
    float *to = x->to + (ptrdiff_t)x->ids[row] * x->d;
    for (int i = low; i < high; i++) to[i] += from[i];
  }
}

void FN(embed_grad)(const arg *a) {
  embed_job x = {F(0), I32(1), F(2), INT(3), INT(4), INT(5)};
  run_parts(embed_grad_part, &x, column_parts(x.n + x.vocab, x.d));
}

typedef struct {
  const float *dy, *x, *weight;
  float *y, *rstd, *dWeight;
  int n, d;
  float eps;
} norm_job;

static void rms_norm_part(void *context, int part, int parts) {
  (void)parts;
  const norm_job *g = context;
  int row = part * rows_each(g->d), end = (int)range_least(row + rows_each(g->d), g->n);
  for (; row < end; row++) {
    const float *x = g->x + (ptrdiff_t)row * g->d;
    float *y = g->y + (ptrdiff_t)row * g->d;
    vf squares = {0};
    float sum = 0;
    int i = 0;
    SWEEP(g->d, squares += vload(x + i) * vload(x + i), sum += x[i] * x[i])
    float rstd = 1 / __builtin_sqrtf((sum + vsum(squares)) / g->d + g->eps);
    g->rstd[row] = rstd;
    i = 0;
    SWEEP(g->d, vstore(y + i, vload(x + i) * rstd * vload(g->weight + i)), y[i] = x[i] * rstd * g->weight[i])
  }
}

void FN(rms_norm)(const arg *a) {
  norm_job g = {.x = F(0), .weight = F(1), .y = F(2), .rstd = F(3), .n = INT(4), .d = INT(5), .eps = NUM(6)};
  run_parts(rms_norm_part, &g, rows_parts(g.n, g.d));
}

// With u = x * rstd: dx = rstd * (dy*weight - u * mean(dy*weight*u)).
static void rms_norm_grad_part(void *context, int part, int parts) {
  (void)parts;
  const norm_job *g = context;
  const float *w = g->weight;
  int row = part * rows_each(g->d), end = (int)range_least(row + rows_each(g->d), g->n);
  for (; row < end; row++) {
    const float *x = g->x + (ptrdiff_t)row * g->d, *dy = g->dy + (ptrdiff_t)row * g->d;
    float *dx = g->y + (ptrdiff_t)row * g->d, rstd = g->rstd[row], sum = 0;
    vf sums = {0};
    int i = 0;
    SWEEP(g->d, sums += vload(dy + i) * vload(w + i) * vload(x + i), sum += dy[i] * w[i] * x[i])
    float mean = (sum + vsum(sums)) / g->d * rstd * rstd;
    i = 0;
    SWEEP(g->d, vstore(dx + i, (vload(dy + i) * vload(w + i) - vload(x + i) * mean) * rstd), dx[i] = (dy[i] * w[i] - x[i] * mean) * rstd)
  }
}

static void rms_norm_weight_part(void *context, int part, int parts) {
  const norm_job *g = context;
  int low = column_at(g->d, part, parts), high = column_at(g->d, part + 1, parts);
  for (int i = low; i < high; i++) g->dWeight[i] = 0;
  for (int row = 0; row < g->n; row++) {
    const float *x = g->x + (ptrdiff_t)row * g->d, *dy = g->dy + (ptrdiff_t)row * g->d;
    float rstd = g->rstd[row], *RESTRICT to = g->dWeight;
    for (int i = low; i < high; i++) to[i] += dy[i] * x[i] * rstd;
  }
}

void FN(rms_norm_grad)(const arg *a) {
  norm_job g = {.dy = F(0), .x = F(1), .weight = F(2), .rstd = F(3), .y = F(4), .dWeight = F(5), .n = INT(6), .d = INT(7)};
  run_parts(rms_norm_grad_part, &g, rows_parts(g.n, g.d));
  run_parts(rms_norm_weight_part, &g, column_parts(g.n, g.d));
}

typedef struct {
  const float *from, *bias, *cos, *sin;
  const int32_t *positions;
  float *to, *dBias;
  int n, heads, headDim, back;
} rotate_job;

// Forward: bias, then (low, high) -> (low cos - high sin, high cos + low sin). Backward: the inverse rotation.
static void rotate_part(void *context, int part, int parts) {
  (void)parts;
  const rotate_job *g = context;
  int half = g->headDim / 2, d = g->heads * g->headDim;
  int row = part * rows_each(d), end = (int)range_least(row + rows_each(d), g->n);
  for (; row < end; row++) {
    const float *cos = g->cos + (ptrdiff_t)g->positions[row] * half, *sin = g->sin + (ptrdiff_t)g->positions[row] * half;
    for (int head = 0; head < g->heads; head++) {
      const float *low = g->from + (ptrdiff_t)row * d + head * g->headDim, *high = low + half;
      float *lowTo = g->to + (ptrdiff_t)row * d + head * g->headDim, *highTo = lowTo + half;
      int i = 0;
      if (g->back) {
        SWEEP(half,
              vf c = vload(cos + i); vf s = vload(sin + i); vf l = vload(low + i); vf h = vload(high + i);
              vstore(lowTo + i, l * c + h * s); vstore(highTo + i, h * c - l * s),
              float l = low[i]; float h = high[i];
              lowTo[i] = l * cos[i] + h * sin[i]; highTo[i] = h * cos[i] - l * sin[i])
      } else {
        const float *bias = g->bias ? g->bias + head * g->headDim : 0;
        SWEEP(half,
              vf c = vload(cos + i); vf s = vload(sin + i); vf l = vload(low + i); vf h = vload(high + i);
              if (bias) { l += vload(bias + i); h += vload(bias + half + i); }
              vstore(lowTo + i, l * c - h * s); vstore(highTo + i, h * c + l * s),
              float l = low[i]; float h = high[i];
              if (bias) { l += bias[i]; h += bias[half + i]; }
              lowTo[i] = l * cos[i] - h * sin[i]; highTo[i] = h * cos[i] + l * sin[i])
      }
    }
  }
}

static void rotate_bias_part(void *context, int part, int parts) {
  const rotate_job *g = context;
  int d = g->heads * g->headDim, low = column_at(d, part, parts), high = column_at(d, part + 1, parts);
  float *RESTRICT to = g->dBias;
  for (int i = low; i < high; i++) to[i] = 0;
  for (int row = 0; row < g->n; row++) {
    const float *from = g->to + (ptrdiff_t)row * d;
    for (int i = low; i < high; i++) to[i] += from[i];
  }
}

void FN(rotate)(const arg *a) {
  rotate_job g = {.from = F(0), .bias = F(1), .positions = I32(2), .cos = F(3), .sin = F(4), .to = F(5), .n = INT(6), .heads = INT(7), .headDim = INT(8)};
  run_parts(rotate_part, &g, rows_parts(g.n, g.heads * g.headDim));
}

void FN(rotate_grad)(const arg *a) {
  rotate_job g = {.from = F(0), .positions = I32(1), .cos = F(2), .sin = F(3), .to = F(4), .dBias = F(5), .n = INT(6), .heads = INT(7), .headDim = INT(8), .back = 1};
  run_parts(rotate_part, &g, rows_parts(g.n, g.heads * g.headDim));
  if (g.dBias) run_parts(rotate_bias_part, &g, column_parts(g.n, g.heads * g.headDim));
}

typedef struct {
  const float *dy, *gate, *up;
  float *y, *dGate, *dUp;
  ptrdiff_t n;
} swi_glu_job;

// The last vector of a part may be a short one: it is copied, so that every element goes through the same vexp.
static void swi_glu_part(void *context, int part, int parts) {
  ELEMENTS(swi_glu_job);
  for (; i < end; i += VW) {
    int lanes = (int)range_least(VW, end - i);
    vf gate = vload_lanes(x->gate + i, lanes), up = vload_lanes(x->up + i, lanes);
    vf y = gate / (vexp(-gate) + 1.f) * up;
    vstore_lanes(x->y + i, y, lanes);
  }
}

// silu'(g) = s (1 + g (1 - s)) with s = 1 / (1 + e^-g).
static void swi_glu_grad_part(void *context, int part, int parts) {
  ELEMENTS(swi_glu_job);
  for (; i < end; i += VW) {
    int lanes = (int)range_least(VW, end - i);
    vf dy = vload_lanes(x->dy + i, lanes), gate = vload_lanes(x->gate + i, lanes), up = vload_lanes(x->up + i, lanes);
    vf s = 1.f / (vexp(-gate) + 1.f);
    vstore_lanes(x->dGate + i, dy * up * s * (gate * (1.f - s) + 1.f), lanes);
    vstore_lanes(x->dUp + i, dy * gate * s, lanes);
  }
}

void FN(swi_glu)(const arg *a) {
  swi_glu_job x = {.gate = F(0), .up = F(1), .y = F(2), .n = (ptrdiff_t)a[3].n};
  run_parts(swi_glu_part, &x, range_parts(x.n));
}

void FN(swi_glu_grad)(const arg *a) {
  swi_glu_job x = {.dy = F(0), .gate = F(1), .up = F(2), .dGate = F(3), .dUp = F(4), .n = (ptrdiff_t)a[5].n};
  run_parts(swi_glu_grad_part, &x, range_parts(x.n));
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
