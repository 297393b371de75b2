// decode_step: new tokens of many sequences through all layers over a KV cache, in one call.
//
// Arguments: tokens int32 [n], starts int32 [rows+1], slots int32 [rows], past int32 [rows],
//   keys, values [layers,slotCount,kvHeads,maxLength,headDim] (written in place), embed [vocab,d], norm [d], head [vocab,d],
//   cos, sin [positions,headDim/2], logits [rows,vocab], temp, rows, d, heads, kvHeads, headDim, inner, vocab, layers, slotCount, maxLength,
//   scale, eps, chunk, times [4]|0; then for each layer: inputNorm, q, k, v, o, qBias|0, kBias|0, vBias|0, qNorm|0, kNorm|0, postNorm, gate, up, down.
// `times` is for measurements: to its elements are added the seconds of processor time that the projections of the attention (with the embedding), the
// attention itself, the MLP and the logits took.
// The tokens go in chunks of at most `chunk`; temp [chunk*(d + 2*heads*headDim + inner + headDim + 2) + rows*d], where chunk and rows are
// rounded up to multiples of 32.
//
// A few rows against large weights: packing the weights would cost as much as using them. So activations stand in panels
// [features, width tokens], a token to a lane, and weights are read where they lie (product.h). Biases, norms, rotation and gates then
// run down the lanes too, and a panel's tokens never meet but in the attention, where each reads its own slot.
#pragma once
#include "attend_token.h"

enum { INPUT_NORM, Q_WEIGHT, K_WEIGHT, V_WEIGHT, O_WEIGHT, Q_BIAS, K_BIAS, V_BIAS, Q_NORM, K_NORM, POST_NORM, GATE, UP, DOWN, LAYER_ARGUMENTS };
#define FIRST_LAYER 27
#define MAX_WIDTH (2 * VW)
#define ROW_UNIT (2 * TILE_ROWS)  // rows of a weight matrix are shared out in multiples of this
#define ROW_BLOCK (4 * ROW_UNIT)  // and stay in the first cache while the panels of a group pass by
#define DEPTH_BLOCK 256           // as does this much of a panel
#define GROUP_PANELS 8
#define GROUP_FLOATS (SCRATCH_BYTES / 4 / sizeof(float))  // for the normed panels of a group: a quarter of the scratch

typedef struct {
  const int32_t *tokens, *starts, *slots, *past;
  float *keys, *values;
  const float *embed, *norm, *head, *cos, *sin;
  float *logits;
  int rows, d, heads, kvHeads, headDim, inner, vocab, layers, slotCount, maxLength;
  float scale, eps;
  // Panels, [panel][feature][width]: residual stream, queries, attention, gated activations, rotations, and the last token of each row.
  float *x, *q, *o, *act, *cosines, *sines, *last;
  int32_t *position, *slot;  // of each token of the chunk
  int first, count;          // the chunk: tokens [first, first + count)
  int firstRow, endRow;      // rows that have tokens in it
  int blocks;                // most query blocks of one of them
  // How the work of a phase is shared out: groups of panels times ranges of rows of the weights.
  int width, panels, group, splits;
  const arg *weights;  // of the layer at hand
  int layer;
  float *times;
  double since;  // when the phase at hand began
} decoder;

enum { PROJECTIONS, ATTENTION, MLP, LOGITS };

// Counts the time since the last call to `phase`.
static void count_time(decoder *x, int phase) {
  if (!x->times) return;
  double now = spent_seconds();
  x->times[phase] += (float)(now - x->since);
  x->since = now;
}

// 1 / sqrt(x) for x > 0 by Newton's method from the well-known first guess (C. Lomont, 2003), to full precision.
static vf inverse_root(vf x) {
  vf y = (vf)(0x5f375a86 - ((vi)x >> 1));
  for (int i = 0; i < 4; i++) y = y * (1.5f - 0.5f * x * y * y);
  return y;
}

// y = x / rms(x) * weight down the lanes of a panel [d, width]; y may be x.
static void norm_panel(const float *x, const float *weight, float *y, int d, int width, float eps) {
  for (int lane = 0; lane < width; lane += VW) {
    vf even = {0}, odd = {0};
    int c = 0;
    for (; c + 2 <= d; c += 2) {
      vf a = vload(x + c * width + lane), b = vload(x + (c + 1) * width + lane);
      even += a * a;
      odd += b * b;
    }
    if (c < d) even += vload(x + c * width + lane) * vload(x + c * width + lane);
    vf share = inverse_root((even + odd) / (float)d + eps);
    for (c = 0; c < d; c++) vstore(y + c * width + lane, vload(x + c * width + lane) * share * weight[c]);
  }
}

typedef struct {
  int panel, endPanel;
  int row, endRow;  // of the weights
} decode_share;

// By rows rather than by panels: weights have the longer way, and the norm that each part then does for itself is little beside them.
static void share_out(decoder *x, int panels, int rows, int unit) {
  int fitting = most(1, (int)(GROUP_FLOATS / ((size_t)x->d * x->width)));
  int wanted = thread_count() == 1 ? 1 : 2 * thread_count();
  x->panels = panels;
  x->group = least(GROUP_PANELS, fitting);
  int groups = (panels + x->group - 1) / x->group;
  x->splits = most(1, least((wanted + groups - 1) / groups, (rows + unit - 1) / unit));
}

INLINE int decode_parts(const decoder *x) { return (x->panels + x->group - 1) / x->group * x->splits; }

INLINE decode_share share_of(const decoder *x, int part, int rows, int unit) {
  int group = part / x->splits, split = part % x->splits, units = (rows + unit - 1) / unit;
  return (decode_share){
      .panel = group * x->group,
      .endPanel = least(x->panels, (group + 1) * x->group),
      .row = units * split / x->splits * unit,
      .endRow = least(rows, units * (split + 1) / x->splits * unit),
  };
}

INLINE const float *layer_weight(const decoder *x, int index) { return x->weights[index].p; }
INLINE float *decode_scratch(void) { return (float *)((char *)thread_scratch() + SCRATCH_BYTES / 2); }

// The panels of a share, normed, at the beginning of this thread's scratch. Returns the space behind them.
static float *norm_share(const decoder *x, const decode_share *s, const float *from, const float *weight) {
  float *to = decode_scratch();
  ptrdiff_t size = (ptrdiff_t)x->d * x->width;
  for (int p = s->panel; p < s->endPanel; p++, to += size) norm_panel(from + p * size, weight, to, x->d, x->width, x->eps);
  return to;
}

// ---- embedding ---------------------------------------------------------------------------------------------------------------

static void embed_tokens_part(void *context, int panel, int parts) {
  const decoder *x = context;
  (void)parts;
  int half = x->headDim / 2, width = x->width;
  float *to = x->x + (ptrdiff_t)panel * x->d * width;
  float *cosines = x->cosines + (ptrdiff_t)panel * half * width, *sines = x->sines + (ptrdiff_t)panel * half * width;
  float *o = x->o + (ptrdiff_t)panel * x->heads * x->headDim * width;
  for (int lane = 0; lane < width; lane++) {
    int t = panel * width + lane, real = t < x->count;  // lanes behind the last token hold zeros
    const float *row = x->embed + (ptrdiff_t)(real ? x->tokens[x->first + t] : 0) * x->d;
    for (int c = 0; c < x->d; c++) to[c * width + lane] = real ? row[c] : 0;
    ptrdiff_t at = (ptrdiff_t)(real ? x->position[t] : 0) * half;
    for (int c = 0; c < half; c++) {
      cosines[c * width + lane] = x->cos[at + c];
      sines[c * width + lane] = x->sin[at + c];
    }
    if (!real)
      for (int c = 0; c < x->heads * x->headDim; c++) o[c * width + lane] = 0;
  }
}

// ---- queries, keys, values ----------------------------------------------------------------------------------------------------

static void rotate_panel(float *y, const float *cosines, const float *sines, int half, int width) {
  for (int c = 0; c < half * width; c += VW) {
    vf a = vload(y + c), b = vload(y + half * width + c), cos = vload(cosines + c), sin = vload(sines + c);
    vstore(y + c, a * cos - b * sin);
    vstore(y + half * width + c, b * cos + a * sin);
  }
}

// One head of one panel, from the normed residual stream: projection, bias, norm of the head, rotation.
static void project_head(const decoder *x, const float *from, int panel, const float *weight, const float *bias, const float *norm,
                         int rotates, float *y) {
  int hd = x->headDim, width = x->width;
  product_far(hd, width, x->d, weight, x->d, from, width, y, width, 0);
  if (bias)
    for (int c = 0; c < hd; c++)
      for (int lane = 0; lane < width; lane += VW) vstore(y + c * width + lane, vload(y + c * width + lane) + bias[c]);
  if (norm) norm_panel(y, norm, y, hd, width, x->eps);
  ptrdiff_t at = (ptrdiff_t)panel * (hd / 2) * width;
  if (rotates) rotate_panel(y, x->cosines + at, x->sines + at, hd / 2, width);
}

// The first position of a slot in a cache, for one kv head of the layer at hand.
INLINE float *cache_of(const decoder *x, float *cache, int slot, int h) {
  return cache + (((ptrdiff_t)x->layer * x->slotCount + slot) * x->kvHeads + h) * x->maxLength * x->headDim;
}

static void cache_head(const decoder *x, const float *y, int panel, float *cache, int h) {
  int hd = x->headDim, width = x->width;
  for (int lane = 0; lane < width; lane++) {
    int t = panel * width + lane;
    if (t >= x->count) return;
    float *to = cache_of(x, cache, x->slot[t], h) + (ptrdiff_t)x->position[t] * hd;
    for (int c = 0; c < hd; c++) to[c] = y[c * width + lane];
  }
}

// Rows are shared out by whole heads: those of q, then k, then v.
static void project_part(void *context, int part, int parts) {
  const decoder *x = context;
  (void)parts;
  int hd = x->headDim, all = x->heads + 2 * x->kvHeads, width = x->width;
  decode_share s = share_of(x, part, all, 1);
  float *y = norm_share(x, &s, x->x, layer_weight(x, INPUT_NORM));
  for (int head = s.row; head < s.endRow; head++) {
    int kind = head < x->heads ? 0 : head < x->heads + x->kvHeads ? 1 : 2;
    int h = head - (kind == 0 ? 0 : kind == 1 ? x->heads : x->heads + x->kvHeads);
    const float *weight = layer_weight(x, Q_WEIGHT + kind) + (ptrdiff_t)h * hd * x->d;
    const float *bias = layer_weight(x, Q_BIAS + kind), *norm = kind < 2 ? layer_weight(x, Q_NORM + kind) : NULL;
    for (int panel = s.panel; panel < s.endPanel; panel++) {
      const float *from = decode_scratch() + (ptrdiff_t)(panel - s.panel) * x->d * width;
      float *to = kind == 0 ? x->q + ((ptrdiff_t)panel * x->heads + h) * hd * width : y;
      project_head(x, from, panel, weight, bias ? bias + h * hd : NULL, norm, kind < 2, to);
      if (kind > 0) cache_head(x, y, panel, kind == 1 ? x->keys : x->values, h);
    }
  }
}

// ---- attention ----------------------------------------------------------------------------------------------------------------

// One token, all query heads of kv head h, two at a time.
static void attend_token(const decoder *x, int t, int h, const float *k, const float *v) {
  int hd = x->headDim, width = x->width, keys = x->position[t] + 1, group = x->heads / x->kvHeads;
  ptrdiff_t at = ((ptrdiff_t)(t / width) * x->heads * hd) * width + t % width;
  float *q = decode_scratch(), *out = q + 2 * hd, *scores = out + 2 * hd;
  ptrdiff_t ld = x->maxLength;
  for (int head = h * group; head < (h + 1) * group; head += 2) {
    int heads = least(2, (h + 1) * group - head);
    for (int c = 0; c < heads * hd; c++) q[c] = x->q[at + (head * hd + c) * width] * x->scale;
    if (heads == 2) score_keys(2, q, k, v, keys, hd, scores, ld);
    else score_keys(1, q, k, v, keys, hd, scores, ld);
    for (int i = 0; i < heads; i++) softmax(scores + i * ld, keys);
    if (heads == 2) weigh_values(2, scores, ld, v, keys, hd, out);
    else weigh_values(1, scores, ld, v, keys, hd, out);
    for (int c = 0; c < heads * hd; c++) x->o[at + (head * hd + c) * width] = out[c];
  }
}

// A block of tokens [t, t + count) of one row, all query heads of kv head h.
static void attend_tokens(const decoder *x, int t, int count, int h, const float *k, const float *v) {
  int hd = x->headDim, width = x->width, group = x->heads / x->kvHeads;
  float *scores = decode_scratch(), *queries = scores + KEY_BLOCK * QUERY_BLOCK, *out = queries + hd * QUERY_BLOCK;
  float top[QUERY_BLOCK], sum[QUERY_BLOCK];
  for (int head = h * group; head < (h + 1) * group; head++) {
    for (int i = 0; i < QUERY_BLOCK; i++) {
      const float *from = x->q + ((ptrdiff_t)((t + i) / width) * x->heads + head) * hd * width + (t + i) % width;
      for (int c = 0; c < hd; c++) queries[c * QUERY_BLOCK + i] = i < count ? from[c * width] * x->scale : 0;
    }
    attend_block(queries, count, x->position[t], k, v, hd, hd, scores, out, top, sum);
    for (int i = 0; i < count; i++) {
      float share = 1.f / sum[i];
      float *to = x->o + ((ptrdiff_t)((t + i) / width) * x->heads + head) * hd * width + (t + i) % width;
      for (int c = 0; c < hd; c++) to[c * width] = out[i * hd + c] * share;
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

// ---- back into the residual stream, and the gated layer ---------------------------------------------------------------------------

// x += weight . from, both in panels; weight [d, k].
static void project_back(const decoder *x, int part, const float *weight, const float *from, int k) {
  decode_share s = share_of(x, part, x->d, ROW_UNIT);
  int width = x->width;
  for (int row = s.row; row < s.endRow; row += ROW_BLOCK)
    for (int panel = s.panel; panel < s.endPanel; panel++)
      for (int p = 0; p < k; p += DEPTH_BLOCK)
        product_far(least(ROW_BLOCK, s.endRow - row), width, least(DEPTH_BLOCK, k - p), weight + (ptrdiff_t)row * k + p, k,
                    from + ((ptrdiff_t)panel * k + p) * width, width, x->x + ((ptrdiff_t)panel * x->d + row) * width, width, 1);
}

static void attended_part(void *context, int part, int parts) {
  const decoder *x = context;
  (void)parts;
  project_back(x, part, layer_weight(x, O_WEIGHT), x->o, x->heads * x->headDim);
}

static void down_part(void *context, int part, int parts) {
  const decoder *x = context;
  (void)parts;
  project_back(x, part, layer_weight(x, DOWN), x->act, x->inner);
}

static void gate_part(void *context, int part, int parts) {
  const decoder *x = context;
  (void)parts;
  int width = x->width, d = x->d;
  decode_share s = share_of(x, part, x->inner, ROW_UNIT);
  float *up = norm_share(x, &s, x->x, layer_weight(x, POST_NORM));
  for (int row = s.row; row < s.endRow; row += ROW_BLOCK) {
    int rows = least(ROW_BLOCK, s.endRow - row);
    for (int panel = s.panel; panel < s.endPanel; panel++) {
      const float *from = decode_scratch() + (ptrdiff_t)(panel - s.panel) * d * width;
      float *act = x->act + ((ptrdiff_t)panel * x->inner + row) * width;
      product_far(rows, width, d, layer_weight(x, GATE) + (ptrdiff_t)row * d, d, from, width, act, width, 0);
      product_far(rows, width, d, layer_weight(x, UP) + (ptrdiff_t)row * d, d, from, width, up, width, 0);
      for (int i = 0; i < rows * width; i += VW) {
        vf g = vload(act + i);
        vstore(act + i, g / (1.f + vexp(-g)) * vload(up + i));
      }
    }
  }
}

// ---- logits ---------------------------------------------------------------------------------------------------------------------

static void logits_part(void *context, int part, int parts) {
  const decoder *x = context;
  (void)parts;
  int width = x->width, d = x->d;
  decode_share s = share_of(x, part, x->vocab, ROW_UNIT);
  float *y = norm_share(x, &s, x->last, x->norm);
  for (int row = s.row; row < s.endRow; row += ROW_BLOCK) {
    int rows = least(ROW_BLOCK, s.endRow - row);
    for (int panel = s.panel; panel < s.endPanel; panel++) {
      product_far(rows, width, d, x->head + (ptrdiff_t)row * d, d, decode_scratch() + (ptrdiff_t)(panel - s.panel) * d * width, width, y, width, 0);
      for (int lane = 0; lane < width && panel * width + lane < x->rows; lane++) {
        float *to = x->logits + (ptrdiff_t)(panel * width + lane) * x->vocab + row;
        for (int i = 0; i < rows; i++) to[i] = y[i * width + lane];
      }
    }
  }
}

// ---- the whole --------------------------------------------------------------------------------------------------------------------

INLINE int panel_width(int tokens) { return tokens <= VW ? VW : MAX_WIDTH; }

// Positions and slots of the chunk's tokens, and which rows they belong to.
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

static void run_layer(decoder *x, int panels) {
  share_out(x, panels, x->heads + 2 * x->kvHeads, 1);
  parallel(project_part, x, decode_parts(x));
  count_time(x, PROJECTIONS);
  parallel(decode_attend_part, x, (x->endRow - x->firstRow) * x->kvHeads * x->blocks);
  count_time(x, ATTENTION);
  share_out(x, panels, x->d, ROW_UNIT);
  parallel(attended_part, x, decode_parts(x));
  count_time(x, PROJECTIONS);
  share_out(x, panels, x->inner, ROW_UNIT);
  parallel(gate_part, x, decode_parts(x));
  share_out(x, panels, x->d, ROW_UNIT);
  parallel(down_part, x, decode_parts(x));
  count_time(x, MLP);
}

// Copies what the rows that end in this chunk have last into panels of rows.
static void keep_last(decoder *x, int rowWidth) {
  for (int row = x->firstRow; row < x->endRow; row++) {
    int t = x->starts[row + 1] - 1 - x->first;
    if (t >= x->count) continue;
    const float *from = x->x + (ptrdiff_t)(t / x->width) * x->d * x->width + t % x->width;
    float *to = x->last + (ptrdiff_t)(row / rowWidth) * x->d * rowWidth + row % rowWidth;
    for (int c = 0; c < x->d; c++) to[c * rowWidth] = from[c * x->width];
  }
}

void FN(decode_step)(const arg *a) {
  decoder x = {.tokens = I32(0), .starts = I32(1), .slots = I32(2), .past = I32(3), .keys = F(4), .values = F(5), .embed = F(6),
               .norm = F(7), .head = F(8), .cos = F(9), .sin = F(10), .logits = F(11), .rows = INT(13), .d = INT(14), .heads = INT(15),
               .kvHeads = INT(16), .headDim = INT(17), .inner = INT(18), .vocab = INT(19), .layers = INT(20), .slotCount = INT(21),
               .maxLength = INT(22), .scale = NUM(23), .eps = NUM(24), .times = F(26)};
  int n = x.starts[x.rows], chunk = INT(25);
  ptrdiff_t tokens = (chunk + 31) / 32 * 32;
  x.x = F(12);
  x.q = x.x + tokens * x.d;
  x.o = x.q + tokens * x.heads * x.headDim;
  x.act = x.o + tokens * x.heads * x.headDim;
  x.cosines = x.act + tokens * x.inner;
  x.sines = x.cosines + tokens * (x.headDim / 2);
  x.position = (int32_t *)(x.sines + tokens * (x.headDim / 2));
  x.slot = x.position + tokens;
  x.last = (float *)(x.slot + tokens);
  if (x.times) x.since = spent_seconds();
  int single = n == x.rows && n <= chunk, rowWidth = panel_width(x.rows);

  for (x.first = 0; x.first < n; x.first += chunk) {
    x.count = least(chunk, n - x.first);
    x.width = panel_width(x.count);
    int panels = (x.count + x.width - 1) / x.width;
    while (x.starts[x.firstRow + 1] <= x.first) x.firstRow++;
    place_chunk(&x);
    parallel(embed_tokens_part, &x, panels);
    for (x.layer = 0; x.layer < x.layers; x.layer++) {
      x.weights = a + FIRST_LAYER + x.layer * LAYER_ARGUMENTS;
      run_layer(&x, panels);
    }
    if (!single) keep_last(&x, rowWidth);
  }
  if (single) x.last = x.x;  // one token a row: it is the last
  x.width = rowWidth;
  share_out(&x, (x.rows + rowWidth - 1) / rowWidth, x.vocab, ROW_UNIT);
  parallel(logits_part, &x, decode_parts(&x));
  count_time(&x, LOGITS);
}
