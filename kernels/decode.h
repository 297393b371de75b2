// decode_step: new tokens of many sequences through all layers over a KV cache, in one call.
//
// Arguments: tokens int32 [n], starts int32 [rows+1], slots int32 [rows], past int32 [rows],
//   keys, values [layers,slotCount,kvHeads,maxLength,headDim] (written in place), embed [vocab,d], norm [d], head (packed) [vocab,d],
//   logits [rows,vocab], temp, rows, d, heads, kvHeads, headDim, inner, vocab, layers, slotCount, maxLength, scale, eps, normOffset,
//   embedScale, activation, chunk, precision, times [4]|0; then for each layer: window (0: none), cos, sin [positions,headDim/2]|0 (no
//   rotation), inputNorm, q, k, v, o, qBias|0, kBias|0, vBias|0, qNorm|0, kNorm|0, attentionOutputNorm|0, mlpNorm, gate, up, down,
//   mlpOutputNorm|0. Matrices are packed, all in that precision (pack.h).
// `times` is for measurements: the processor seconds of the attention's projections (with the embedding), the attention itself, the MLP and
// the logits are added to its elements. Tokens are processed in chunks of at most `chunk`; temp [chunk*(2*d + 2*heads*headDim +
// 2*kvHeads*headDim + 2*inner + 2) + 2*rows*d].
#pragma once
#include "attend_token.h"
#include "pack.h"

enum {
  WINDOW, COS, SIN, INPUT_NORM, Q_WEIGHT, K_WEIGHT, V_WEIGHT, O_WEIGHT, Q_BIAS, K_BIAS, V_BIAS, Q_NORM, K_NORM, ATTENTION_OUTPUT_NORM, MLP_NORM, GATE,
  UP, DOWN, MLP_OUTPUT_NORM, LAYER_ARGUMENTS
};
enum { PROJECTIONS, ATTENTION, MLP, LOGITS };
#define FIRST_LAYER 29

typedef struct {
  const int32_t *tokens, *starts, *slots, *past;
  float *keys, *values;
  const float *embed, *norm, *head;
  float *logits;
  int rows, d, heads, kvHeads, headDim, inner, vocab, layers, slotCount, maxLength, precision, activation;
  float scale, eps, normOffset, embedScale;
  // One row for each token of the chunk: residual stream, its norm, queries, attention, keys, values, gate and up; and the last token of
  // each sequence.
  float *x, *normed, *q, *o, *k, *v, *gate, *up, *last;
  int32_t *position, *slot;
  int first, count;      // the chunk: tokens [first, first + count)
  int firstRow, endRow;  // rows that have tokens in it
  int blocks;            // most query blocks of one of them
  const arg *weights;    // of the current layer
  int layer, window;
  float *times;
  double since;  // when the current phase began
} decoder;

// Adds the time since the last call to a phase.
static void count_time(decoder *x, int phase) {
  if (!x->times) return;
  double now = spent_seconds();
  x->times[phase] += (float)(now - x->since);
  x->since = now;
}

INLINE const float *layer_weight(const decoder *x, int index) { return x->weights[index].p; }

static void normalize(const decoder *x, const float *from, const float *weight, float *to, int n, int d) {
  norm_job g = {.x = from, .weight = weight, .y = to, .n = n, .d = d, .eps = x->eps, .offset = x->normOffset};
  run_parts(rms_norm_part, &g, rows_parts(n, d));
}

// y [n, rows] (+)= from [n, k] weight^T
static void project(const decoder *x, const float *from, int n, int k, const float *weight, float *y, int rows, int accumulate) {
  packed_product g = {from, n, k, x->precision, 1, accumulate, {{weight, y, rows}}};
  multiply_packed(&g);
}

// ---- queries, keys, values ----------------------------------------------------------------------------------------------------

// The first position of a slot in a cache, for one kv head of the current layer.
INLINE float *cache_of(const decoder *x, float *cache, int slot, int h) {
  return cache + (((ptrdiff_t)x->layer * x->slotCount + slot) * x->kvHeads + h) * x->maxLength * x->headDim;
}

// Bias, norm of each head and rotation of queries or keys, in place.
static void place_heads(const decoder *x, float *y, int heads, const float *bias, const float *norm) {
  int d = heads * x->headDim;
  rows_job add = {.from = y, .row = bias, .to = y, .n = x->count, .d = d};
  if (bias) run_parts(add_rows_part, &add, rows_parts(x->count, d));
  if (norm) normalize(x, y, norm, y, x->count * heads, x->headDim);
  rotate_job turn = {.from = y, .positions = x->position, .cos = layer_weight(x, COS), .sin = layer_weight(x, SIN), .to = y, .n = x->count,
                     .heads = heads, .headDim = x->headDim};
  if (turn.cos) run_parts(rotate_part, &turn, rows_parts(x->count, d));
}

static void keep_part(void *context, int part, int parts) {
  const decoder *x = context;
  (void)parts;
  int hd = x->headDim, d = x->kvHeads * hd, t = part * rows_each(d), end = (int)range_least(t + rows_each(d), x->count);
  const float *bias = layer_weight(x, V_BIAS);
  for (; t < end; t++)
    for (int h = 0; h < x->kvHeads; h++) {
      ptrdiff_t from = (ptrdiff_t)t * d + h * hd, at = (ptrdiff_t)x->position[t] * hd;
      float *key = cache_of(x, x->keys, x->slot[t], h) + at, *value = cache_of(x, x->values, x->slot[t], h) + at;
      for (int c = 0; c < hd; c++) key[c] = x->k[from + c];
      for (int c = 0; c < hd; c++) value[c] = bias ? x->v[from + c] + bias[h * hd + c] : x->v[from + c];
    }
}

static void project_heads(const decoder *x) {
  int query = x->heads * x->headDim, key = x->kvHeads * x->headDim;
  normalize(x, x->x, layer_weight(x, INPUT_NORM), x->normed, x->count, x->d);
  packed_product g = {x->normed, x->count, x->d, x->precision, 3, 0,
                      {{layer_weight(x, Q_WEIGHT), x->q, query}, {layer_weight(x, K_WEIGHT), x->k, key}, {layer_weight(x, V_WEIGHT), x->v, key}}};
  multiply_packed(&g);
  place_heads(x, x->q, x->heads, layer_weight(x, Q_BIAS), layer_weight(x, Q_NORM));
  place_heads(x, x->k, x->kvHeads, layer_weight(x, K_BIAS), layer_weight(x, K_NORM));
  run_parts(keep_part, (void *)x, rows_parts(x->count, key));
}

// ---- attention ----------------------------------------------------------------------------------------------------------------

INLINE float *decode_scratch(void) { return (float *)((char *)thread_scratch() + SCRATCH_BYTES / 2); }

// One token, `heads` (a constant) query heads from `at` on; k and v of the keys that it sees.
INLINE void attend_heads(const decoder *x, const int heads, ptrdiff_t at, const float *k, const float *v, int keys) {
  int hd = x->headDim;
  ptrdiff_t ld = x->maxLength;
  float *q = decode_scratch(), *scores = q + heads * hd;
  for (int c = 0; c < heads * hd; c++) q[c] = x->q[at + c] * x->scale;
  score_keys(heads, q, k, v, keys, hd, scores, ld);
  for (int i = 0; i < heads; i++) softmax(scores + i * ld, keys);
  weigh_values(heads, scores, ld, v, keys, hd, x->o + at);
}

// One token, all query heads of kv head h, several at a time: each pass reads the keys and values once.
static void attend_token(const decoder *x, int t, int h, const float *k, const float *v) {
  int hd = x->headDim, group = x->heads / x->kvHeads, end = x->position[t] + 1, keys = least(end, x->window);
  k += (ptrdiff_t)(end - keys) * hd;
  v += (ptrdiff_t)(end - keys) * hd;
  for (int head = h * group, last = head + group; head < last; head += HEADS_AT_ONCE) {
    ptrdiff_t at = ((ptrdiff_t)t * x->heads + head) * hd;
    switch (least(HEADS_AT_ONCE, last - head)) {
      case 1: attend_heads(x, 1, at, k, v, keys); break;
      case 2: attend_heads(x, 2, at, k, v, keys); break;
#if HEADS_AT_ONCE > 2
      case 3: attend_heads(x, 3, at, k, v, keys); break;
      case 4: attend_heads(x, 4, at, k, v, keys); break;
#endif
    }
  }
}

// A block of tokens [t, t + count) of one row, all query heads of kv head h.
static void attend_tokens(const decoder *x, int t, int count, int h, const float *k, const float *v) {
  int hd = x->headDim, group = x->heads / x->kvHeads;
  ptrdiff_t wide = (ptrdiff_t)x->heads * hd;
  float *scores = decode_scratch(), *queries = scores + KEY_BLOCK * QUERY_BLOCK;
  query_sums sums = {.scores = scores, .out = queries + hd * QUERY_BLOCK};
  key_span span = {k, v, hd, x->position[t] + count, x->position[t], x->window};
  for (int head = h * group; head < (h + 1) * group; head++) {
    ptrdiff_t at = t * wide + head * hd;
    transpose_queries(x->q + at, wide, count, hd, x->scale, queries);
    sums.begun = 0;
    attend_span(queries, count, &span, hd, &sums);
    for (int i = 0; i < count; i++) {
      float share = 1.f / sums.sum[i], *to = x->o + at + i * wide;
      for (int c = 0; c < hd; c++) to[c] = sums.out[i * hd + c] * share;
    }
  }
}

// A part: one block of new tokens of one row for one kv head.
static void decode_attend_part(void *context, int part, int parts) {
  const decoder *x = context;
  (void)parts;
  int block = part % x->blocks, h = part / x->blocks % x->kvHeads, row = x->firstRow + part / x->blocks / x->kvHeads;
  int from = most(0, x->starts[row] - x->first), to = least(x->count, x->starts[row + 1] - x->first);
  int t = from + block * QUERY_BLOCK, count = least(QUERY_BLOCK, to - t);
  if (count <= 0) return;
  const float *k = cache_of(x, x->keys, x->slots[row], h), *v = cache_of(x, x->values, x->slots[row], h);
  if (count >= VW) attend_tokens(x, t, count, h, k, v);
  else
    for (int i = 0; i < count; i++) attend_token(x, t + i, h, k, v);
}

// ---- the kernel --------------------------------------------------------------------------------------------------------------------

// Positions, slots and rows of the chunk's tokens.
static void place_chunk(decoder *x) {
  x->blocks = 1;
  for (int row = x->firstRow; row < x->rows && x->starts[row] < x->first + x->count; row++) {
    int from = most(x->first, x->starts[row]), to = least(x->first + x->count, x->starts[row + 1]);
    for (int t = from; t < to; t++) {
      x->position[t - x->first] = x->past[row] + t - x->starts[row];
      x->slot[t - x->first] = x->slots[row];
    }
    x->blocks = most(x->blocks, (to - from + QUERY_BLOCK - 1) / QUERY_BLOCK);
    x->endRow = row + 1;
  }
}

// Adds a branch's output, [count, k] weight^T, to the residual stream, normalized if there is a norm.
static void add_branch(const decoder *x, const float *from, int k, int weight, int norm) {
  if (!layer_weight(x, norm)) {
    project(x, from, x->count, k, layer_weight(x, weight), x->x, x->d, 1);
    return;
  }
  project(x, from, x->count, k, layer_weight(x, weight), x->normed, x->d, 0);
  normalize(x, x->normed, layer_weight(x, norm), x->normed, x->count, x->d);
  binary_job sum = {OPERATION_ADD, x->x, x->normed, x->x, (ptrdiff_t)x->count * x->d};
  run_parts(binary_part, &sum, range_parts(sum.n));
}

static void run_layer(decoder *x) {
  ptrdiff_t inner = (ptrdiff_t)x->count * x->inner;
  x->window = window_of((int)x->weights[WINDOW].n);
  project_heads(x);
  count_time(x, PROJECTIONS);
  parallel(decode_attend_part, x, (x->endRow - x->firstRow) * x->kvHeads * x->blocks);
  count_time(x, ATTENTION);
  add_branch(x, x->o, x->heads * x->headDim, O_WEIGHT, ATTENTION_OUTPUT_NORM);
  count_time(x, PROJECTIONS);
  normalize(x, x->x, layer_weight(x, MLP_NORM), x->normed, x->count, x->d);
  packed_product g = {x->normed, x->count, x->d, x->precision, 2, 0,
                      {{layer_weight(x, GATE), x->gate, x->inner}, {layer_weight(x, UP), x->up, x->inner}}};
  multiply_packed(&g);
  glu_job mix = {.gate = x->gate, .up = x->up, .y = x->gate, .n = inner, .activation = x->activation};
  run_parts(glu_part, &mix, glu_parts(inner));
  add_branch(x, x->gate, x->inner, DOWN, MLP_OUTPUT_NORM);
  count_time(x, MLP);
}

// Keeps the last token's output of the sequences that end in this chunk.
static void keep_last(decoder *x) {
  for (int row = x->firstRow; row < x->endRow; row++) {
    int t = x->starts[row + 1] - 1 - x->first;
    if (t >= x->count) continue;
    for (int c = 0; c < x->d; c++) x->last[(ptrdiff_t)row * x->d + c] = x->x[(ptrdiff_t)t * x->d + c];
  }
}

void FN(decode_step)(const arg *a) {
  decoder x = {.tokens = I32(0), .starts = I32(1), .slots = I32(2), .past = I32(3), .keys = F(4), .values = F(5), .embed = F(6),
               .norm = F(7), .head = F(8), .logits = F(9), .rows = INT(11), .d = INT(12), .heads = INT(13), .kvHeads = INT(14),
               .headDim = INT(15), .inner = INT(16), .vocab = INT(17), .layers = INT(18), .slotCount = INT(19), .maxLength = INT(20),
               .scale = NUM(21), .eps = NUM(22), .normOffset = NUM(23), .embedScale = NUM(24), .activation = INT(25), .precision = INT(27),
               .times = F(28)};
  int n = x.starts[x.rows], query = x.heads * x.headDim, key = x.kvHeads * x.headDim;
  ptrdiff_t chunk = INT(26);
  x.x = F(10);
  x.normed = x.x + chunk * x.d;
  x.q = x.normed + chunk * x.d;
  x.o = x.q + chunk * query;
  x.k = x.o + chunk * query;
  x.v = x.k + chunk * key;
  x.gate = x.v + chunk * key;
  x.up = x.gate + chunk * x.inner;
  x.position = (int32_t *)(x.up + chunk * x.inner);
  x.slot = x.position + chunk;
  x.last = (float *)(x.slot + chunk);
  if (x.times) x.since = spent_seconds();

  for (x.first = 0; x.first < n; x.first += chunk) {
    x.count = least((int)chunk, n - x.first);
    while (x.starts[x.firstRow + 1] <= x.first) x.firstRow++;
    place_chunk(&x);
    embed_job rows = {x.embed, x.tokens + x.first, x.x, x.count, x.d, 0};
    run_parts(embed_part, &rows, rows_parts(x.count, x.d));
    scale_job larger = {x.x, x.x, (ptrdiff_t)x.count * x.d, x.embedScale};
    if (x.embedScale != 1) run_parts(scale_part, &larger, range_parts(larger.n));
    for (x.layer = 0; x.layer < x.layers; x.layer++) {
      x.weights = a + FIRST_LAYER + x.layer * LAYER_ARGUMENTS;
      run_layer(&x);
    }
    keep_last(&x);
  }
  float *normed = x.last + (ptrdiff_t)x.rows * x.d;
  normalize(&x, x.last, x.norm, normed, x.rows, x.d);
  project(&x, normed, x.rows, x.d, x.head, x.logits, x.vocab, 0);
  count_time(&x, LOGITS);
}
