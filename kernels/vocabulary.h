// The output layer: log-probabilities of given tokens without storing [n, vocab] (chunks of rows times chunks of the vocabulary,
// the idea of Liger-Kernel's fused linear losses), and sampling from logits. Uses FN(gemm).
#pragma once
#include "vec.h"

static void matrix_product(const float *x, const float *y, float *out, int transposeX, int transposeY, int m, int n, int k, int accumulate) {
  const arg a[] = {{.p = (void *)x}, {.p = (void *)y}, {.p = out}, {.n = transposeX}, {.n = transposeY}, {.n = 1},
                   {.n = m}, {.n = n}, {.n = k}, {.n = 0}, {.n = 0}, {.n = accumulate}};
  FN(gemm)(a);
}

// ---- log-probabilities ------------------------------------------------------------------------------------------------------

typedef struct {
  const float *hidden, *weight, *dLogProbs, *lse;
  const int32_t *ids;
  float *chunk;  // [rows, columns] logits of rows [row, row + rows) and vocabulary [column, column + columns)
  int d, row, rows, column, columns;
  float factor;  // 1 / temperature
  // Running state of each row over the columns so far, indexed by absolute row: `sum` of e = exp(z - top), `spread` of (z - top) e.
  float *chosen, *top, *sum, *spread;
} vocabulary_chunk;

#define CHUNK_ROWS_PER_PART 8

static int row_parts(int rows) { return (rows + CHUNK_ROWS_PER_PART - 1) / CHUNK_ROWS_PER_PART; }

static void compute_logits(const vocabulary_chunk *c) {
  matrix_product(c->hidden + (ptrdiff_t)c->row * c->d, c->weight + (ptrdiff_t)c->column * c->d, c->chunk, 0, 1, c->rows, c->columns, c->d, 0);
}

// With a new maximum top' = top + rise, e and (z - top) e become e exp(-rise) and ((z - top) - rise) e exp(-rise).
static void absorb_part(void *context, int part, int parts) {
  const vocabulary_chunk *c = context;
  (void)parts;
  int end = least(c->rows, (part + 1) * CHUNK_ROWS_PER_PART);
  for (int i = part * CHUNK_ROWS_PER_PART; i < end; i++) {
    const float *z = c->chunk + (ptrdiff_t)i * c->columns;
    int row = c->row + i, j = 0, fresh = c->column == 0;
    vf best = vset(-3.0e38f);
    for (; j + VW <= c->columns; j += VW) best = vmax(vload(z + j), best);
    float top = vtop(best);
    for (; j < c->columns; j++) top = z[j] > top ? z[j] : top;
    top *= c->factor;
    if (!fresh && c->top[row] > top) top = c->top[row];

    vf sums = {0}, spreads = {0};
    for (j = 0; j + VW <= c->columns; j += VW) {
      vf x = vload(z + j) * c->factor - top, e = vexp(x);
      sums += e;
      spreads += x * e;
    }
    float sum = vsum(sums), spread = vsum(spreads);
    for (; j < c->columns; j++) {
      float x = z[j] * c->factor - top, e = sexp(x);
      sum += e;
      spread += x * e;
    }
    if (!fresh) {
      float rise = top - c->top[row], fade = sexp(-rise);
      sum += c->sum[row] * fade;
      spread += (c->spread[row] - rise * c->sum[row]) * fade;
    }
    c->top[row] = top;
    c->sum[row] = sum;
    c->spread[row] = spread;
    int id = c->ids[row] - c->column;
    if (id >= 0 && id < c->columns) c->chosen[row] = z[id] * c->factor;
  }
}

void FN(token_log_probs)(const arg *a) {
  int n = INT(7), vocab = INT(9), rows = INT(11), columns = INT(12);
  float *logProbs = F(3), *entropy = F(4), *lse = F(5), *temp = F(6);
  // The outputs hold the running state until the end; the sums are stored after the chunk.
  vocabulary_chunk c = {.hidden = F(0), .weight = F(1), .ids = I32(2), .chunk = temp, .d = INT(8), .factor = 1.f / NUM(10),
                        .chosen = logProbs, .top = lse, .spread = entropy};
  for (c.row = 0; c.row < n; c.row += rows) {
    c.rows = least(rows, n - c.row);
    c.sum = temp + (ptrdiff_t)rows * columns - c.row;
    for (c.column = 0; c.column < vocab; c.column += columns) {
      c.columns = least(columns, vocab - c.column);
      compute_logits(&c);
      parallel(absorb_part, &c, row_parts(c.rows));
    }
    for (int i = c.row; i < c.row + c.rows; i++) {
      float sum = c.sum[i], size = slog(sum);
      logProbs[i] -= lse[i] + size;
      entropy[i] = size - entropy[i] / sum;
      lse[i] += size;
    }
  }
}

// Logits of a chunk become their gradients: dz[v] = dLogProb (1[v = id] - p[v]) / temperature.
static void logit_grad_part(void *context, int part, int parts) {
  const vocabulary_chunk *c = context;
  (void)parts;
  int end = least(c->rows, (part + 1) * CHUNK_ROWS_PER_PART);
  for (int i = part * CHUNK_ROWS_PER_PART; i < end; i++) {
    float *z = c->chunk + (ptrdiff_t)i * c->columns;
    int row = c->row + i, j = 0;
    float dy = c->dLogProbs[row] * c->factor, lse = c->lse[row];
    for (; j + VW <= c->columns; j += VW) vstore(z + j, vexp(vload(z + j) * c->factor - lse) * -dy);
    for (; j < c->columns; j++) z[j] = sexp(z[j] * c->factor - lse) * -dy;
    int id = c->ids[row] - c->column;
    if (id >= 0 && id < c->columns) z[id] += dy;
  }
}

void FN(token_log_probs_grad)(const arg *a) {
  int n = INT(8), vocab = INT(10), rows = INT(12), columns = INT(13);
  float *dHidden = F(5), *dWeight = F(6);
  vocabulary_chunk c = {.dLogProbs = F(0), .hidden = F(1), .weight = F(2), .ids = I32(3), .lse = F(4), .chunk = F(7), .d = INT(9),
                        .factor = 1.f / NUM(11)};
  for (c.row = 0; c.row < n; c.row += rows) {
    c.rows = least(rows, n - c.row);
    for (c.column = 0; c.column < vocab; c.column += columns) {
      c.columns = least(columns, vocab - c.column);
      ptrdiff_t row = (ptrdiff_t)c.row * c.d, column = (ptrdiff_t)c.column * c.d;
      compute_logits(&c);
      parallel(logit_grad_part, &c, row_parts(c.rows));
      matrix_product(c.chunk, c.weight + column, dHidden + row, 0, 0, c.rows, c.d, c.columns, c.column > 0);
      if (dWeight) matrix_product(c.chunk, c.hidden + row, dWeight + column, 1, 0, c.columns, c.d, c.rows, c.row > 0);
    }
  }
}

// ---- sampling ---------------------------------------------------------------------------------------------------------------

typedef struct {
  const float *logits, *uniforms;
  int32_t *ids;
  float *logProbs, *temp;
  int vocab, topK;
  float temperature;
  double topP, minP;
} sampling;

#define SUM_BLOCK 256  // probabilities are summed in floats over blocks of this many, in doubles over blocks

// Number or mass of the shares that are at least `share`.
static double count_from(const float *shares, int n, float share) {
  int count = 0, j = 0;
  vi counts = {0};
  for (; j + VW <= n; j += VW) counts -= vload(shares + j) >= share;
  for (int i = 0; i < VW; i++) count += counts[i];
  for (; j < n; j++) count += shares[j] >= share;
  return count;
}

static double mass_from(const float *shares, int n, float share) {
  double mass = 0;
  for (int j = 0; j < n;) {
    int end = least(n, j + SUM_BLOCK);
    vf sum = {0};
    for (; j + VW <= end; j += VW) sum += vselect(vload(shares + j) < share, (vf){0}, vload(shares + j));
    mass += vsum(sum);
    for (; j < end; j++) mass += shares[j] < share ? 0 : shares[j];
  }
  return mass;  // NaN when a share is
}

// Keeps the largest shares until `measure` of them reaches `wanted` (of equal ones those with lower ids), and sets the
// rest to 0. Finds the smallest kept share by bisection on its bits (those of positive floats are ordered as they are):
// no sort.
static void keep_largest(float *shares, int n, double (*measure)(const float *, int, float), double wanted) {
  wanted = wanted > 0 ? wanted : 1e-30;  // the largest always stays
  union { int32_t bits; float share; } low = {.bits = 1}, high = {.share = 1.f}, middle;  // the largest share is 1
  if (measure(shares, n, low.share) <= wanted) return;
  while (high.bits - low.bits > 0) {
    middle.bits = low.bits + (high.bits - low.bits + 1) / 2;
    if (measure(shares, n, middle.share) >= wanted) low = middle;
    else high.bits = middle.bits - 1;
  }
  middle.bits = low.bits + 1;
  double reached = measure(shares, n, middle.share);
  double each = measure == count_from ? 1 : low.share;
  for (int j = 0; j < n; j++) {
    if (shares[j] > low.share) continue;
    if (shares[j] == low.share && reached < wanted) reached += each;
    else shares[j] = 0;
  }
}

// The first id whose cumulative share exceeds uniform * total.
static int draw(const float *shares, int n, float uniform) {
  double mass = 0, target = mass_from(shares, n, 0) * uniform;
  int last = 0;
  for (int from = 0; from < n; from += SUM_BLOCK) {
    int end = least(n, from + SUM_BLOCK);
    double block = mass_from(shares + from, end - from, 0);
    if (mass + block <= target) {
      mass += block;
      continue;
    }
    for (int j = from; j < end; j++) {
      if (shares[j] == 0) continue;
      last = j;
      mass += shares[j];
      if (mass > target) return j;
    }
    return last;  // rounding: the sum in this order stayed below the target
  }
  return last;
}

static void sample_part(void *context, int row, int parts) {
  const sampling *s = context;
  (void)parts;
  int n = s->vocab, best = 0, j = 0;
  const float *logits = s->logits + (ptrdiff_t)row * n;
  float *shares = s->temp + (ptrdiff_t)row * n;
  float factor = s->temperature > 0 ? 1.f / s->temperature : 1.f;

  vf tops = vset(-3.0e38f);
  for (; j + VW <= n; j += VW) tops = vmax(vload(logits + j), tops);
  float top = vtop(tops);
  for (; j < n; j++) top = logits[j] > top ? logits[j] : top;
  while (best < n - 1 && logits[best] != top) best++;

  // exp(logit - top); 0 on underflow and for logits of -infinity.
  for (j = 0; j + VW <= n; j += VW) {
    vf x = (vload(logits + j) - top) * factor;
    vstore(shares + j, vselect(x < -87.f, (vf){0}, vexp(x)));
  }
  for (; j < n; j++) {
    float x = (logits[j] - top) * factor;
    shares[j] = x < -87.f ? 0 : sexp(x);
  }
  double mass = mass_from(shares, n, 0);

  int id = best;
  if (s->temperature > 0 && mass == mass) {
    if (s->topK > 0 && s->topK < n) keep_largest(shares, n, count_from, s->topK);
    if (s->topP < 1) keep_largest(shares, n, mass_from, s->topP * mass_from(shares, n, 0));
    if (s->minP > 0)
      for (j = 0; j < n; j++) shares[j] = shares[j] >= s->minP ? shares[j] : 0;
    id = draw(shares, n, s->uniforms[row]);
  }
  s->ids[row] = id;
  s->logProbs[row] = (logits[id] - top) * factor - slog((float)mass);
}

void FN(sample_token)(const arg *a) {
  sampling s = {.logits = F(0), .uniforms = F(1), .ids = I32(2), .logProbs = F(3), .temp = F(4), .vocab = INT(6), .temperature = NUM(7),
                .topK = INT(8), .topP = a[9].n, .minP = a[10].n};
  parallel(sample_part, &s, INT(5));
}
