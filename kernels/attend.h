// Causal grouped-query attention in blocks of queries against blocks of keys, with a running maximum and sum
// (FlashAttention, arXiv 2205.14135; backward by recomputation, arXiv 2307.08691). Scores are stored transposed, [keys,
// queries], so that the softmax of a query stays in one lane and needs no sums across lanes; only the queries have to
// be transposed.
#pragma once
#include "product.h"

#define QUERY_BLOCK 64
#define KEY_BLOCK 64
// On the diagonal, queries are processed in strips of this size (a multiple of VW), which skips most of the masked half.
#define QUERY_STRIP 16
#define NO_SCORE (-3.0e38f)  // below every score
#define NO_WINDOW (1 << 30)

// A query at position p sees the keys p - window + 1 .. p; a window of 0 means no window.
INLINE int window_of(int window) { return window > 0 ? window : NO_WINDOW; }

INLINE vi lane_index(int first) {
  vi v;
  for (int i = 0; i < VW; i++) v[i] = first + i;
  return v;
}

static float dot_product(const float *x, const float *y, int n) {
  vf sum = {0};
  int i = 0;
  for (; i + VW <= n; i += VW) sum = vmadd(vload(x + i), vload(y + i), sum);
  float total = vsum(sum);
  for (; i < n; i++) total += x[i] * y[i];
  return total;
}

// to[c, i] = from[i, c] * factor for i < count, 0 up to QUERY_BLOCK. from [count, columns] with row length ld; to [columns, QUERY_BLOCK].
static void transpose_queries(const float *from, ptrdiff_t ld, int count, int columns, float factor, float *to) {
  int i = 0, whole = columns / 4 * 4;
  for (; i + 4 <= count; i += 4) {
    for (int c = 0; c < whole; c += 4) {
      const float *x = from + i * ld + c;
      float *y = to + c * QUERY_BLOCK + i;
      transpose_tile(x, ld, factor, y, QUERY_BLOCK);
    }
    for (int c = whole; c < columns; c++)
      for (int j = i; j < i + 4; j++) to[c * QUERY_BLOCK + j] = from[j * ld + c] * factor;
  }
  for (; i < QUERY_BLOCK; i++)
    for (int c = 0; c < columns; c++) to[c * QUERY_BLOCK + i] = i < count ? from[i * ld + c] * factor : 0;
}

// The strip of queries [first, first + width) of a block whose first query is at `position`, against keys [key, key + keys).
typedef struct {
  int first, width;  // width is a multiple of VW; queries past the block's count are zeros and harmless
  int keys;          // keys visible to any of them
} strip;

// Iterates over the strips of a block that see any of its keys; returns 0 at the end. Start with {0}.
INLINE int next_strip(strip *s, int count, int position, int key, int keys) {
  int padded = (count + VW - 1) / VW * VW;
  int all = key + keys - 1 <= position;  // the first query sees every key: one strip
  s->first += s->width;
  while (s->first < padded) {
    s->width = all ? padded : least(QUERY_STRIP, padded - s->first);
    s->keys = least(keys, position + s->first + s->width - key);
    if (s->keys > 0) return 1;
    s->first += s->width;
  }
  return 0;
}

// The keys of a block that the lanes of a query vector see: all lanes see [from, to), some also the keys around it.
typedef struct {
  int from, to;
  vi at, least;  // a lane's last key, and the one before its first
} lane_view;

INLINE lane_view view_of(const strip *s, int c, int position, int key, int window) {
  lane_view v = {.at = lane_index(position + c - key)};
  v.least = v.at - window;
  v.to = most(0, least(s->keys, position + c - key + 1));
  v.from = most(0, least(v.to, position + c + VW - key - window));
  return v;
}
INLINE vi sees(const lane_view *v, int j) { return (v->at >= j) & (v->least < j); }
// The first key at or after j that not every lane sees.
INLINE int next_partial(const lane_view *v, int j) { return j == v->from ? v->to : j; }

// Running softmax of the scores of a strip: scores become exp(score - top) (0 where masked), `top` and `sum` [QUERY_BLOCK] are updated, and
// `fade` receives the factor for the previous sums.
static void soften(float *scores, const strip *s, int position, int key, int window, float *top, float *sum, float *fade) {
  for (int c = s->first; c < s->first + s->width; c += VW) {
    lane_view v = view_of(s, c, position, key, window);
    vf old = vload(top + c), best = old;
    for (int j = v.from; j < v.to; j++) best = vmax(vload(scores + j * QUERY_BLOCK + c), best);
    for (int j = next_partial(&v, 0); j < s->keys; j = next_partial(&v, j + 1))
      best = vselect(sees(&v, j), vmax(vload(scores + j * QUERY_BLOCK + c), best), best);
    vf total = {0};
    for (int j = v.from; j < v.to; j++) {
      vf p = vexp(vload(scores + j * QUERY_BLOCK + c) - best);
      vstore(scores + j * QUERY_BLOCK + c, p);
      total += p;
    }
    for (int j = next_partial(&v, 0); j < s->keys; j = next_partial(&v, j + 1)) {
      vf p = vselect(sees(&v, j), vexp(vload(scores + j * QUERY_BLOCK + c) - best), (vf){0});
      vstore(scores + j * QUERY_BLOCK + c, p);
      total += p;
    }
    vf old_share = vexp(old - best);
    vstore(top + c, best);
    vstore(fade + c, old_share);
    vstore(sum + c, vload(sum + c) * old_share + total);
  }
}

// Keys and values that a block of queries sees: of its own sequence, or of the sequence's parent.
typedef struct {
  const float *k, *v;
  ptrdiff_t ld;
  int keys;
  int position;  // of the first query, counted from the first key: query i sees keys up to position + i
  int window;    // and that many at most
} key_span;

// Any of the `count` queries sees the keys [first_key, seen_keys); first_key is the start of a block.
INLINE int seen_keys(const key_span *s, int count) { return least(s->keys, s->position + count); }
INLINE int first_key(const key_span *s) { return most(0, s->position + 1 - s->window) / KEY_BLOCK * KEY_BLOCK; }

// The running sums of a block of queries. scores [KEY_BLOCK, QUERY_BLOCK] is work space; out [QUERY_BLOCK, headDim] is not yet divided by
// sum.
typedef struct {
  float *scores, *out;
  float top[QUERY_BLOCK], sum[QUERY_BLOCK];
  int begun;
} query_sums;

// Attention of one block of queries of one head to a span of keys. queries [headDim, QUERY_BLOCK], scaled.
static void attend_span(const float *queries, int count, const key_span *span, int headDim, query_sums *q) {
  float fade[QUERY_BLOCK], *scores = q->scores;
  if (!q->begun)
    for (int i = 0; i < QUERY_BLOCK; i++) {
      q->top[i] = NO_SCORE;
      q->sum[i] = 0;
    }
  int position = span->position, end = seen_keys(span, count);
  for (int key = first_key(span); key < end; key += KEY_BLOCK) {
    int keys = least(KEY_BLOCK, end - key);
    for (strip s = {0}; next_strip(&s, count, position, key, keys);) {
      product(s.keys, s.width, headDim, span->k + key * span->ld, span->ld, queries + s.first, QUERY_BLOCK, scores + s.first, QUERY_BLOCK, 0);
      soften(scores, &s, position, key, span->window, q->top, q->sum, fade);
      float *rows = q->out + s.first * headDim;
      if (q->begun)
        for (int i = 0; i < s.width; i++)
          for (int c = 0; c < headDim; c++) rows[i * headDim + c] *= fade[s.first + i];
      product_transposed(s.width, headDim, s.keys, scores + s.first, QUERY_BLOCK, span->v + key * span->ld, span->ld, rows, headDim, q->begun);
    }
    q->begun = 1;  // all strips of the block start at the same first keys
  }
}

typedef struct {
  const float *q, *k, *v;
  const int32_t *starts, *parents;
  float *out, *lse;
  const float *dOut;
  float *dq, *dk, *dv;
  int sequences, heads, kvHeads, headDim, blocks, window;
  float scale;
} attention;

// The parent of sequence s, whose tokens it continues; -1 for none.
INLINE int parent_of(const attention *a, int s) { return a->parents ? a->parents[s] : -1; }

static int longest(const int32_t *starts, int sequences) {
  int top = 0;
  for (int s = 0; s < sequences; s++) top = most(top, starts[s + 1] - starts[s]);
  return top;
}

// The keys that queries from `first` on of a sequence see, for kv head h: its parent's, if it has one that is not empty, and its own. Returns how
// many spans.
static int spans_of(const attention *a, int sequence, int h, int first, key_span *spans) {
  ptrdiff_t narrow = (ptrdiff_t)a->kvHeads * a->headDim;
  int count = 0, parent = parent_of(a, sequence);
  for (int own = parent < 0; own < 2; own++) {
    int s = own ? sequence : parent, keys = a->starts[s + 1] - a->starts[s];
    if (keys == 0) continue;
    ptrdiff_t at = a->starts[s] * narrow + h * a->headDim;
    spans[count++] = (key_span){a->k + at, a->v + at, narrow, keys, own ? first : keys + first, a->window};
  }
  return count;
}

// A part: one block of queries of one sequence for the query heads of one kv head.
static void attend_part(void *context, int part, int parts) {
  const attention *a = context;
  (void)parts;
  int block = part % a->blocks, h = part / a->blocks % a->kvHeads, sequence = part / a->blocks / a->kvHeads;
  int start = a->starts[sequence], length = a->starts[sequence + 1] - start;
  int first = block * QUERY_BLOCK, count = least(QUERY_BLOCK, length - first);
  if (count <= 0) return;
  int hd = a->headDim, group = a->heads / a->kvHeads;
  ptrdiff_t wide = (ptrdiff_t)a->heads * hd, narrow = (ptrdiff_t)a->kvHeads * hd;
  float *scores = (float *)((char *)thread_scratch() + SCRATCH_BYTES / 2);
  float *queries = scores + KEY_BLOCK * QUERY_BLOCK;
  query_sums sums = {.scores = scores, .out = queries + hd * QUERY_BLOCK};
  key_span spans[2];
  int count_spans = spans_of(a, sequence, h, first, spans);
  for (int head = h * group; head < (h + 1) * group; head++) {
    ptrdiff_t at = (start + first) * wide + head * hd;
    transpose_queries(a->q + at, wide, count, hd, a->scale, queries);
    sums.begun = 0;
    for (int i = 0; i < count_spans; i++) attend_span(queries, count, &spans[i], hd, &sums);
    for (int i = 0; i < count; i++) {
      float share = 1.f / sums.sum[i], *to = a->out + at + i * wide;
      for (int c = 0; c < hd; c++) to[c] = sums.out[i * hd + c] * share;
      a->lse[(ptrdiff_t)(start + first + i) * a->heads + head] = sums.top[i] + slog(sums.sum[i]);
    }
  }
}

void FN(attend)(const arg *a) {
  attention x = {.q = F(0), .k = F(1), .v = F(2), .starts = I32(3), .parents = I32(4), .out = F(5), .lse = F(6),
                 .sequences = INT(7), .heads = INT(8), .kvHeads = INT(9), .headDim = INT(10), .scale = NUM(11), .window = window_of(INT(12))};
  x.blocks = (longest(x.starts, x.sequences) + QUERY_BLOCK - 1) / QUERY_BLOCK;
  parallel(attend_part, &x, x.sequences * x.kvHeads * x.blocks);
}

// From scores and dOut . v^T (both transposed, of a strip): the probabilities and the gradient of the scores times scale.
static void soften_grad(float *scores, float *grads, const strip *s, int position, int key, int window, const float *lse,
                        const float *dots, float scale) {
  for (int c = s->first; c < s->first + s->width; c += VW) {
    lane_view v = view_of(s, c, position, key, window);
    vf norm = vload(lse + c), dot = vload(dots + c);
    for (int j = 0; j < s->keys; j++) {
      float *score = scores + j * QUERY_BLOCK + c, *grad = grads + j * QUERY_BLOCK + c;
      vf p = vexp(vload(score) - norm);
      vf g = p * (vload(grad) - dot) * scale;
      if (j < v.from || j >= v.to) {
        p = vselect(sees(&v, j), p, (vf){0});
        g = vselect(sees(&v, j), g, (vf){0});
      }
      vstore(score, p);
      vstore(grad, g);
    }
  }
}

// The gradients from the queries of one sequence, for one kv head.
static void attend_grad_sequence(const attention *a, int sequence, int h) {
  int start = a->starts[sequence], length = a->starts[sequence + 1] - start;
  int hd = a->headDim, group = a->heads / a->kvHeads;
  ptrdiff_t wide = (ptrdiff_t)a->heads * hd, narrow = (ptrdiff_t)a->kvHeads * hd;
  float *scores = (float *)((char *)thread_scratch() + SCRATCH_BYTES / 2);
  float *grads = scores + KEY_BLOCK * QUERY_BLOCK;
  float *queries = grads + KEY_BLOCK * QUERY_BLOCK;
  float *dOuts = queries + hd * QUERY_BLOCK;
  float lse[QUERY_BLOCK], dots[QUERY_BLOCK];
  for (int head = h * group; head < (h + 1) * group; head++) {
    for (int first = 0; first < length; first += QUERY_BLOCK) {
      int count = least(QUERY_BLOCK, length - first);
      ptrdiff_t at = (start + first) * wide + head * hd;
      const float *q = a->q + at, *dOut = a->dOut + at;
      transpose_queries(q, wide, count, hd, a->scale, queries);
      transpose_queries(dOut, wide, count, hd, 1, dOuts);
      for (int i = 0; i < QUERY_BLOCK; i++) {
        dots[i] = i < count ? dot_product(dOut + i * wide, a->out + at + i * wide, hd) : 0;
        lse[i] = i < count ? a->lse[(ptrdiff_t)(start + first + i) * a->heads + head] : 0;
      }
      key_span spans[2];
      int count_spans = spans_of(a, sequence, h, first, spans), begun = 0;
      for (int i = 0; i < count_spans; i++) {
        int position = spans[i].position, end = seen_keys(&spans[i], count);
        for (int key = first_key(&spans[i]); key < end; key += KEY_BLOCK) {
          int keys = least(KEY_BLOCK, end - key);
          const float *k = spans[i].k + key * narrow, *v = spans[i].v + key * narrow;
          float *dk = a->dk + (k - a->k), *dv = a->dv + (v - a->v);
          for (strip s = {0}; next_strip(&s, count, position, key, keys);) {
            float *p = scores + s.first, *g = grads + s.first;
            int real = least(s.width, count - s.first);
            ptrdiff_t row = s.first * wide;
            product(s.keys, s.width, hd, k, narrow, queries + s.first, QUERY_BLOCK, p, QUERY_BLOCK, 0);
            product(s.keys, s.width, hd, v, narrow, dOuts + s.first, QUERY_BLOCK, g, QUERY_BLOCK, 0);
            soften_grad(scores, grads, &s, position, key, a->window, lse, dots, a->scale);
            product(s.keys, hd, real, p, QUERY_BLOCK, dOut + row, wide, dv, narrow, 1);
            product(s.keys, hd, real, g, QUERY_BLOCK, q + row, wide, dk, narrow, 1);
            product_transposed(real, hd, s.keys, g, QUERY_BLOCK, k, narrow, a->dq + at + row, wide, begun);
          }
          begun = 1;
        }
      }
    }
  }
}

// A part: one kv head of one sequence without a parent and of all its children, with all query heads that share it, so that each element of
// dq, dk, dv has one owner.
static void attend_grad_part(void *context, int part, int parts) {
  const attention *a = context;
  (void)parts;
  int h = part % a->kvHeads, root = part / a->kvHeads, hd = a->headDim;
  ptrdiff_t narrow = (ptrdiff_t)a->kvHeads * hd;
  if (parent_of(a, root) >= 0) return;
  for (int s = root; s < a->sequences; s++) {
    if (s != root && parent_of(a, s) != root) continue;
    for (ptrdiff_t at = a->starts[s] * narrow + h * hd, end = a->starts[s + 1] * narrow; at < end; at += narrow)
      for (int c = 0; c < hd; c++) a->dk[at + c] = a->dv[at + c] = 0;
    attend_grad_sequence(a, s, h);
  }
}

void FN(attend_grad)(const arg *a) {
  attention x = {.dOut = F(0), .q = F(1), .k = F(2), .v = F(3), .out = F(4), .lse = F(5), .starts = I32(6), .parents = I32(7), .dq = F(8),
                 .dk = F(9), .dv = F(10), .sequences = INT(11), .heads = INT(12), .kvHeads = INT(13), .headDim = INT(14), .scale = NUM(15),
                 .window = window_of(INT(16))};
  parallel(attend_grad_part, &x, x.sequences * x.kvHeads);
}
