// Kernels over the rows of a matrix: embedding, RMSNorm, rotary positions, with their gradients.
// Sums over rows (gradients of weights and biases) are split by columns, so that the order does not depend on the number of threads.
#pragma once
#include "elementwise.h"

// The number of rows of d elements in a part, and the number of parts.
INLINE int rows_each(int d) { return d >= RANGE ? 1 : RANGE / (d > 0 ? d : 1); }
INLINE int rows_parts(int n, int d) { return (n + rows_each(d) - 1) / rows_each(d); }
// The columns of a part: a multiple of 16, so that two threads do not write to one cache line.
INLINE int column_at(int d, int part, int parts) {
  return part == parts ? d : (int)range_least(((ptrdiff_t)d * part / parts + 15) / 16 * 16, d);
}
INLINE int column_parts(int n, int d) { return (int)range_least(thread_count(), 1 + range_least((ptrdiff_t)n * d / RANGE, d / 16)); }

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
  const float *from, *row;
  float *to;
  int n, d;
} rows_job;

static void add_rows_part(void *context, int part, int parts) {
  (void)parts;
  const rows_job *x = context;
  int row = part * rows_each(x->d), end = (int)range_least(row + rows_each(x->d), x->n);
  for (; row < end; row++) {
    const float *from = x->from + (ptrdiff_t)row * x->d, *added = x->row;
    float *to = x->to + (ptrdiff_t)row * x->d;
    int i = 0;
    SWEEP(x->d, vstore(to + i, vload(from + i) + vload(added + i)), to[i] = from[i] + added[i])
  }
}

void FN(add_rows)(const arg *a) {
  rows_job x = {.from = F(0), .row = F(1), .to = F(2), .n = INT(3), .d = INT(4)};
  run_parts(add_rows_part, &x, rows_parts(x.n, x.d));
}

static void sum_rows_part(void *context, int part, int parts) {
  const rows_job *x = context;
  int low = column_at(x->d, part, parts), high = column_at(x->d, part + 1, parts);
  float *RESTRICT to = x->to;
  for (int i = low; i < high; i++) to[i] = 0;
  for (int row = 0; row < x->n; row++) {
    const float *from = x->from + (ptrdiff_t)row * x->d;
    for (int i = low; i < high; i++) to[i] += from[i];
  }
}

void FN(sum_rows)(const arg *a) {
  rows_job x = {.from = F(0), .to = F(1), .n = INT(2), .d = INT(3)};
  run_parts(sum_rows_part, &x, column_parts(x.n, x.d));
}

typedef struct {
  const float *dy, *x, *weight;
  float *y, *rstd, *dWeight;
  int n, d;
  float eps, offset;
} norm_job;

static void rms_norm_part(void *context, int part, int parts) {
  (void)parts;
  const norm_job *g = context;
  float offset = g->offset;
  int row = part * rows_each(g->d), end = (int)range_least(row + rows_each(g->d), g->n);
  for (; row < end; row++) {
    const float *x = g->x + (ptrdiff_t)row * g->d;
    float *y = g->y + (ptrdiff_t)row * g->d;
    vf squares = {0};
    float sum = 0;
    int i = 0;
    SWEEP(g->d, squares += vload(x + i) * vload(x + i), sum += x[i] * x[i])
    float rstd = 1 / __builtin_sqrtf((sum + vsum(squares)) / g->d + g->eps);
    if (g->rstd) g->rstd[row] = rstd;
    i = 0;
    SWEEP(g->d, vstore(y + i, vload(x + i) * rstd * (vload(g->weight + i) + offset)), y[i] = x[i] * rstd * (g->weight[i] + offset))
  }
}

void FN(rms_norm)(const arg *a) {
  norm_job g = {.x = F(0), .weight = F(1), .y = F(2), .rstd = F(3), .n = INT(4), .d = INT(5), .eps = NUM(6), .offset = NUM(7)};
  run_parts(rms_norm_part, &g, rows_parts(g.n, g.d));
}

// With u = x * rstd and w = weight + offset: dx = rstd * (dy*w - u * mean(dy*w*u)).
static void rms_norm_grad_part(void *context, int part, int parts) {
  (void)parts;
  const norm_job *g = context;
  const float *w = g->weight, offset = g->offset;
  int row = part * rows_each(g->d), end = (int)range_least(row + rows_each(g->d), g->n);
  for (; row < end; row++) {
    const float *x = g->x + (ptrdiff_t)row * g->d, *dy = g->dy + (ptrdiff_t)row * g->d;
    float *dx = g->y + (ptrdiff_t)row * g->d, rstd = g->rstd[row], sum = 0;
    vf sums = {0};
    int i = 0;
    SWEEP(g->d, sums += vload(dy + i) * (vload(w + i) + offset) * vload(x + i), sum += dy[i] * (w[i] + offset) * x[i])
    float mean = (sum + vsum(sums)) / g->d * rstd * rstd;
    i = 0;
    SWEEP(g->d, vstore(dx + i, (vload(dy + i) * (vload(w + i) + offset) - vload(x + i) * mean) * rstd),
          dx[i] = (dy[i] * (w[i] + offset) - x[i] * mean) * rstd)
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
  norm_job g = {.dy = F(0), .x = F(1), .weight = F(2), .rstd = F(3), .y = F(4), .dWeight = F(5), .n = INT(6), .d = INT(7), .offset = NUM(8)};
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

void FN(rotate)(const arg *a) {
  rotate_job g = {.from = F(0), .bias = F(1), .positions = I32(2), .cos = F(3), .sin = F(4), .to = F(5), .n = INT(6), .heads = INT(7), .headDim = INT(8)};
  run_parts(rotate_part, &g, rows_parts(g.n, g.heads * g.headDim));
}

void FN(rotate_grad)(const arg *a) {
  rotate_job g = {.from = F(0), .positions = I32(1), .cos = F(2), .sin = F(3), .to = F(4), .dBias = F(5), .n = INT(6), .heads = INT(7), .headDim = INT(8), .back = 1};
  run_parts(rotate_part, &g, rows_parts(g.n, g.heads * g.headDim));
  rows_job sum = {.from = g.to, .to = g.dBias, .n = g.n, .d = g.heads * g.headDim};
  if (sum.to) run_parts(sum_rows_part, &sum, column_parts(sum.n, sum.d));
}
