// Weights [rows, k] as decoding reads them, and products with a few rows of activations: y [n, rows] (+)= x [n, k] weight^T.
//
// Blocks of 2*VW rows of the weight are stored consecutively, and within a block its columns in order, so that a decoding step reads every
// weight once, sequentially, and one load serves all activation rows of a tile. Weights are stored in float32 or
//   as bfloat16 (precision 1): a 32-bit lane holds two columns of a row, as the instruction of AVX-512 BF16 takes them;
//   as int8 with a scale for each row (2): a lane holds two columns of both vectors, and a block begins with its
//   scales.
// They are widened on the way to the multiplication, except where bfloat16_few multiplies pairs: there the activations
// are rounded to bfloat16, too. Sums are float32 always. Each element of y is one sum over k, in order, independent of
// the other rows and of the number of threads.
#pragma once
#include "choices.h"
#include "gemm.h"
#include "rows.h"


#define BLOCK_ROWS (2 * VW)
#if VW == 16
#define TILE_TOKENS 12
#elif VW == 8
#define TILE_TOKENS 6
#elif defined(__aarch64__)
#define TILE_TOKENS 8
#else
#define TILE_TOKENS 4
#endif

// Size of a block in 32-bit words.
INLINE ptrdiff_t block_size(int k, int precision) {
  if (precision == PRECISION_FLOAT32) return (ptrdiff_t)BLOCK_ROWS * k;
  return precision == PRECISION_BFLOAT16 ? (ptrdiff_t)BLOCK_ROWS * ((k + 1) / 2) : BLOCK_ROWS + (ptrdiff_t)VW * ((k + 1) / 2);
}
INLINE int block_count(int rows) { return (rows + BLOCK_ROWS - 1) / BLOCK_ROWS; }

typedef struct {
  const float *from;
  float *to;
  int rows, k, precision;
} pack_job;

// The scale of a row: its largest weight becomes 127. A row that holds NaN gets a scale of NaN.
static float row_scale(const float *row, int k) {
  float top = 0;
  for (int p = 0; p < k; p++) {
    float size = row[p] < 0 ? -row[p] : row[p];
    if (!(size <= top)) top = size;
    if (top != top) break;
  }
  return top / 127.f;
}

INLINE uint32_t int8_bits(float x, float scale) {
  if (!(scale > 0 && scale <= 3.4028235e38f)) return 0;
  float q = x / scale;
  return (uint32_t)(int32_t)(q + (q < 0 ? -0.5f : 0.5f)) & 0xff;
}

// Rows of weights as int8, with their scales.
static void pack_int8(const float *from, int lines, int k, float *to) {
  uint32_t *lanes = (uint32_t *)to + BLOCK_ROWS;
  for (ptrdiff_t i = 0; i < (ptrdiff_t)VW * ((k + 1) / 2); i++) lanes[i] = 0;
  for (int i = 0; i < BLOCK_ROWS; i++) {
    const float *row = from + (ptrdiff_t)i * k;
    to[i] = i < lines ? row_scale(row, k) : 0;
    if (i < lines)
      for (int p = 0; p < k; p++)
        lanes[(ptrdiff_t)(p / 2) * VW + i % VW] |= int8_bits(row[p], to[i]) << (p % 2 * 16 + i / VW * 8);
  }
}

static void pack_part(void *context, int block, int parts) {
  (void)parts;
  const pack_job *g = context;
  int k = g->k, first = block * BLOCK_ROWS, lines = least(BLOCK_ROWS, g->rows - first);
  float *to = g->to + block * block_size(k, g->precision);
  const float *from = g->from + (ptrdiff_t)first * k;
  if (g->precision == PRECISION_FLOAT32) gemm_pack(BLOCK_ROWS, 1, lines, k, from, k, to);
  else if (g->precision == PRECISION_INT8) pack_int8(from, lines, k, to);
  else
    for (int p = 0; p < k; p += KC)
      gemm_pack_pairs(BLOCK_ROWS, 1, lines, least(KC, k - p), from + p, k, (uint32_t *)to + p / 2 * BLOCK_ROWS);
}

void FN(pack_weight)(const arg *a) {
  pack_job g = {F(0), F(1), INT(2), INT(3), INT(4)};
  parallel(pack_part, &g, block_count(g.rows));
}

void FN(packed_size)(const arg *a) { I32(0)[0] = (int32_t)(block_count(INT(1)) * block_size(INT(2), INT(3))); }

// Whether bfloat16_few multiplies.
INLINE int in_pairs(int precision) { return precision == PRECISION_BFLOAT16 && VW == 16 && bfloat16_few; }

// ---- products ------------------------------------------------------------------------------------------------------------------

// sum[t] = the products of `tokens` (a constant where it is called) rows of activations, given as x [k, tokens], with a block.
INLINE void packed_tile(const int tokens, const int precision, int k, const float *w, const float *x,
                        fetch_ahead ahead, vf sum[][2]) {
  UNROLL_TILE for (int t = 0; t < tokens; t++) sum[t][0] = sum[t][1] = (vf){0};
  if (precision == PRECISION_FLOAT32) {
    for (int p = 0; p < k; p++, x += tokens, w += BLOCK_ROWS) {
      FETCH(ahead);
      vf w0 = vload(w), w1 = vload(w + VW);
      UNROLL_TILE for (int t = 0; t < tokens; t++) {
        vf a = vset(x[t]);
        sum[t][0] = vmadd(a, w0, sum[t][0]);
        sum[t][1] = vmadd(a, w1, sum[t][1]);
      }
    }
    return;
  }
  const float *scales = w;
  if (precision == PRECISION_INT8) w += BLOCK_ROWS;
  for (int p = 0; p < k; p += 2, x += 2 * tokens) {
    FETCH(ahead);
    vf w0, w1, w2, w3;  // column p of both vectors of rows, then column p + 1
    if (precision == PRECISION_INT8) {
      vi all = *(const vi *)w;
      w0 = __builtin_convertvector(all << 24 >> 24, vf), w1 = __builtin_convertvector(all << 16 >> 24, vf);
      w2 = __builtin_convertvector(all << 8 >> 24, vf), w3 = __builtin_convertvector(all >> 24, vf);
      w += VW;
    } else {
      vi low = *(const vi *)w, high = *(const vi *)(w + VW);
      w0 = (vf)(low << 16), w1 = (vf)(high << 16);
      w2 = (vf)(low & (int32_t)0xffff0000), w3 = (vf)(high & (int32_t)0xffff0000);
      w += BLOCK_ROWS;
    }
    UNROLL_TILE for (int t = 0; t < tokens; t++) {
      sum[t][0] = vmadd(vset(x[t]), w0, sum[t][0]);
      sum[t][1] = vmadd(vset(x[t]), w1, sum[t][1]);
    }
    UNROLL_TILE for (int t = 0; t < tokens; t++) {
      sum[t][0] = vmadd(vset(x[tokens + t]), w2, sum[t][0]);
      sum[t][1] = vmadd(vset(x[tokens + t]), w3, sum[t][1]);
    }
  }
  if (precision != PRECISION_INT8) return;
  UNROLL_TILE for (int t = 0; t < tokens; t++) {
    sum[t][0] *= vload(scales);
    sum[t][1] *= vload(scales + VW);
  }
}

#define TILE_CASE(count)                                                                \
  case count:                                                                           \
    if (precision == PRECISION_FLOAT32) packed_tile(count, PRECISION_FLOAT32, k, w, x, ahead, sum);            \
    else if (precision == PRECISION_BFLOAT16) packed_tile(count, PRECISION_BFLOAT16, k, w, x, ahead, sum);       \
    else packed_tile(count, PRECISION_INT8, k, w, x, ahead, sum);                                        \
    break;

static void any_tile(int tokens, int precision, int k, const float *w, const float *x, fetch_ahead ahead, float *to) {
  if (in_pairs(precision)) {
    bfloat16_few(tokens, (k + 1) / 2, (const uint32_t *)w, (const uint32_t *)x, to, ahead);
    return;
  }
  vf sum[TILE_TOKENS][2];
  switch (tokens) {
    TILE_CASE(1)
    TILE_CASE(2)
    TILE_CASE(3)
    TILE_CASE(4)
#if TILE_TOKENS > 4
    TILE_CASE(5)
    TILE_CASE(6)
#endif
#if TILE_TOKENS > 6
    TILE_CASE(7)
    TILE_CASE(8)
#endif
#if TILE_TOKENS > 8
    TILE_CASE(9)
    TILE_CASE(10)
    TILE_CASE(11)
    TILE_CASE(12)
#endif
  }
  for (int t = 0; t < tokens; t++) {
    vstore(to + t * BLOCK_ROWS, sum[t][0]);
    vstore(to + t * BLOCK_ROWS + VW, sum[t][1]);
  }
}

// Up to three packed weights that are multiplied with the same activations.
typedef struct {
  const float *weight;
  float *y;  // [n, rows]
  int rows;
} packed_output;

typedef struct {
  const float *x;  // [n, k]
  int n, k, precision, count, accumulate;
  packed_output outputs[3];
  unsigned long long number;  // unique
} packed_product;

INLINE int product_blocks(const packed_product *g) {
  int total = 0;
  for (int i = 0; i < g->count; i++) total += block_count(g->outputs[i].rows);
  return total;
}

// The activations of a tile are stored as [k, tokens] while it runs: as many as fit into half the scratch.
#define TILE_SPACE (SCRATCH_BYTES / 2 / sizeof(float))

// Floats that an activation row takes within a tile.
INLINE int tile_row(int k, int precision) { return in_pairs(precision) ? (k + 1) / 2 : k + k % 2; }

// What tile `group` of a block's `groups` fetches: the first fetches the next block, or the first two half of it each.
INLINE fetch_ahead fetch_during(const packed_product *g, const packed_output *out, int block, int group, int groups) {
  ptrdiff_t bytes = sizeof(float) * block_size(g->k, g->precision);
  int step = sizeof(float) * (g->precision == PRECISION_INT8 ? VW : BLOCK_ROWS);
  int another = out + 1 < g->outputs + g->count;
  const char *next = (const char *)out->weight + (block + 1) * bytes;
  if (block + 1 == block_count(out->rows)) next = (const char *)(another ? out[1].weight : out->weight);
  if (groups == 1) return (fetch_ahead){next, step / 2};
  return group < 2 ? (fetch_ahead){next + group * bytes / 2, step / 4} : (fetch_ahead){next, 0};
}

static void packed_block(const packed_product *g, const packed_output *out, int block, int first, int count, const float *x) {
  float tile[TILE_TOKENS * BLOCK_ROWS];
  const float *w = out->weight + block * block_size(g->k, g->precision);
  int row = block * BLOCK_ROWS, rows = least(BLOCK_ROWS, out->rows - row);
  int groups = (count + TILE_TOKENS - 1) / TILE_TOKENS, size = tile_row(g->k, g->precision);
  for (int group = 0; group < groups; group++) {
    int from = count * group / groups, tokens = count * (group + 1) / groups - from;
    any_tile(tokens, g->precision, g->k, w, x + (ptrdiff_t)from * size,
             fetch_during(g, out, block, group, groups), tile);
    for (int t = 0; t < tokens; t++) {
      float *y = out->y + (ptrdiff_t)(first + from + t) * out->rows + row;
      const float *sum = tile + t * BLOCK_ROWS;
      if (g->accumulate) for (int i = 0; i < rows; i++) y[i] += sum[i];
      else for (int i = 0; i < rows; i++) y[i] = sum[i];
    }
  }
}

// The activation rows [first, first + count), tile after tile as [k, tokens], with a column of zeros where k is odd; in pairs for bfloat16_few.
static void interleave(const packed_product *g, int first, int count, float *to) {
  int k = g->k, groups = (count + TILE_TOKENS - 1) / TILE_TOKENS, size = tile_row(k, g->precision);
  for (int group = 0; group < groups; group++) {
    int from = count * group / groups, tokens = count * (group + 1) / groups - from;
    const float *x = g->x + (ptrdiff_t)(first + from) * k;
    float *tile = to + (ptrdiff_t)from * size;
    if (in_pairs(g->precision)) {
      for (int p = 0; p < k; p += KC) pack_line_pairs(tokens, tokens, least(KC, k - p), x + p, k, (uint32_t *)tile + p / 2 * tokens);
      continue;
    }
    transpose(x, k, tokens, k, tile, tokens);
    if (k % 2) for (int t = 0; t < tokens; t++) tile[k * tokens + t] = 0;
  }
}

// The product whose activations are in this thread's scratch: a thread with several of its parts arranges them once.
static _Thread_local unsigned long long arranged_product;

static void packed_part(void *context, int part, int parts) {
  const packed_product *g = context;
  int total = product_blocks(g);
  int low = (int)((ptrdiff_t)total * part / parts), high = (int)((ptrdiff_t)total * (part + 1) / parts);
  float *x = (float *)((char *)thread_scratch() + SCRATCH_BYTES / 2);
  int fitting = most(1, (int)(TILE_SPACE / (size_t)(g->k + 1)));
  for (int first = 0; first < g->n; first += fitting) {
    int count = least(fitting, g->n - first), begin = 0;
    if (arranged_product != g->number || count < g->n) interleave(g, first, count, x);
    arranged_product = g->number;
    for (int i = 0; i < g->count; i++) {
      int blocks = block_count(g->outputs[i].rows);
      for (int block = most(low, begin); block < least(high, begin + blocks); block++)
        packed_block(g, &g->outputs[i], block - begin, first, count, x);
      begin += blocks;
    }
  }
}

// Two parts per thread balance the time that threads lose to other processes.
static void multiply_packed(packed_product *g) {
  static _Atomic unsigned long long products;
  g->number = ++products;
  run_parts(packed_part, g, thread_count() == 1 ? 1 : least(product_blocks(g), 2 * thread_count()));
}
