// The policy loss of the GRPO family with its KL penalty, its gradient and its metrics in one pass.
// A few operations per token: one thread, double precision.
#pragma once
#include "choices.h"
#include "vec.h"


// e^x - 1 - x without cancellation near 0, where ratios and KL terms live (Taylor up to x^12).
static double exp_excess(double x) {
  if (!(x > -0.5 && x < 0.5)) return (double)sexp((float)x) - 1 - x;
  double sum = 1;
  for (int i = 12; i > 2; i--) sum = 1 + sum * x / i;
  return sum * x * x / 2;
}

// An estimate of KL(policy || reference) from one token, x = ref - logProb (Schulman 2020), and its derivative for logProb. As a loss, k1
// has no effect: its derivative is 1 whatever the reference, and its gradient over the policy's own samples is 0 in expectation (the mean
// of a score function). k3's derivative is that of another divergence; k2's equals the reverse KL's in expectation, so k3+ combines it with
// k3's value.
static double kl_term(int kind, double x, double *slope) {
  double k3 = exp_excess(x);
  switch (kind) {
    case KL_K1: *slope = 1; return -x;
    case KL_K2: *slope = -x; return x * x / 2;
    case KL_K3: *slope = -(x + k3); return k3;  // 1 - e^x
    default: *slope = -x; return k3;
  }
}

typedef struct {
  int kind;
  double low, high;           // bounds of the ratio
  double positive, negative;  // SAPO's temperatures by the sign of the advantage
} surrogate;

// A token's term of the loss without the KL penalty, and its derivative for logProb:
// CLIP: PPO's, -min(r A, clip(r) A);
// CISPO (arXiv 2506.13585): -min(r, high) A logProb with the ratio as a constant, so that every token keeps its gradient;
// SAPO (arXiv 2511.20347): -4 A sigmoid(t (r - 1)) / t, whose slope decreases as the ratio departs from 1.
static double policy_term(const surrogate *s, double ratio, double advantage, double logProb, double *slope) {
  if (s->kind == SURROGATE_CISPO) {
    *slope = -(ratio > s->high ? s->high : ratio) * advantage;
    return *slope * logProb;
  }
  if (s->kind == SURROGATE_SAPO) {
    double t = advantage > 0 ? s->positive : s->negative;
    double gate = 1 / (1 + (double)sexp((float)(t * (1 - ratio))));
    *slope = -4 * gate * (1 - gate) * ratio * advantage;
    return -4 * gate / t * advantage;
  }
  double clipped = ratio < s->low ? s->low : ratio > s->high ? s->high : ratio;
  double free = ratio * advantage, bound = clipped * advantage;
  *slope = free > bound ? 0 : -free;  // the minimum is the clipped one: constant
  return free > bound ? -bound : -free;
}

void FN(grpo_loss)(const arg *a) {
  const float *logProbs = F(0), *old = F(1), *ref = F(2), *advantages = F(3), *mask = F(4);
  const int32_t *starts = I32(5);
  float *dLogProbs = F(7), *metrics = F(8);
  int sequences = INT(9), aggregation = INT(10), importance = INT(11), kind = INT(15);
  double beta = a[14].n, normalizer = a[16].n;
  surrogate policy = {INT(17), 1 - a[12].n, 1 + a[13].n, a[18].n, a[19].n};
  double loss = 0, tokens = 0, kl = 0, clippedLow = 0, clippedHigh = 0, ratios = 0;

  for (int s = 0; s < sequences; s++) {
    double advantage = advantages[s], count = 0, change = 0;
    for (int i = starts[s]; i < starts[s + 1]; i++) {
      if (mask[i] == 0) continue;
      count += 1;
      change += (double)logProbs[i] - old[i];
    }
    double seen = 0, weight = 1 / (aggregation == AGGREGATION_SEQUENCE ? count * normalizer : normalizer);
    tokens += count;
    for (int i = starts[s]; i < starts[s + 1]; i++) {
      dLogProbs[i] = 0;
      if (mask[i] == 0) continue;
      // With one ratio for the sequence, the geometric mean, each token's term is ratio.detach() * exp(l - l.detach()) (GSPO's token
      // form): the mean's 1/count and the sum over its tokens cancel, so value and slope are the ratio in both cases.
      double x = importance == IMPORTANCE_SEQUENCE ? change / count : (double)logProbs[i] - old[i];
      double ratio = 1 + x + exp_excess(x), slope;
      double term = policy_term(&policy, ratio, advantage, logProbs[i], &slope);
      if (ref) {
        double tilt, k = kl_term(kind, (double)ref[i] - logProbs[i], &tilt);
        kl += k;
        if (beta != 0) {
          term += beta * k;
          slope += beta * tilt;
        }
      }
      loss += term * weight;
      dLogProbs[i] = (float)(slope * weight);
      ratios += ratio;
      seen += 1;
      if (policy.kind == SURROGATE_SAPO || (importance == IMPORTANCE_SEQUENCE && seen > 1)) continue;  // one ratio is clipped or not, once
      clippedLow += policy.kind == SURROGATE_CLIP && ratio < policy.low && advantage < 0;
      clippedHigh += ratio > policy.high && advantage > 0;
    }
  }
  F(6)[0] = (float)loss;
  const double sums[8] = {tokens, kl, clippedLow, clippedHigh, ratios};
  for (int i = 0; i < 8; i++) metrics[i] = (float)sums[i];
}
