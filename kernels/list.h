// Every kernel, once: the tables of addon.c and the exports of wasm.c are made from this list.
// Arguments in call order; [shape] float32 unless said int32; "|0" = may be absent (JavaScript passes 0). All matrices row-major.
// Packed sequences: the tokens of all sequences one after the other, [n, ...]; `starts` int32 [sequences + 1] holds their offsets (starts[0] = 0, the last = n).

// gemm.h -----------------------------------------------------------------------------------------------------------------
KERNEL(gemm)                  // A, B, C, transposeA, transposeB, batch, m, n, k, strideA, strideB, accumulate: C[b] (+)= op(A[b]) op(B[b]); strides in elements, 0 = shared
KERNEL(round_products)        // flag: whether products of matrices round their factors to bfloat16 from now on (sums stay in float32)

// elementwise.h ----------------------------------------------------------------------------------------------------------
KERNEL(binary)                // op (0 add, 1 subtract, 2 multiply, 3 divide), a [n], b [n], out [n], n
KERNEL(add_n)                 // out [n], n, count, inputs... [n] each
KERNEL(scale)                 // x [n], out [n], n, factor
KERNEL(glu)                   // gate [n], up [n], y [n], n, activation (0 silu, 1 gelu by the tanh): activation(gate) * up
KERNEL(glu_grad)              // dy, gate, up, dGate, dUp, n, activation
KERNEL(dropout)               // x [n], y [n], n, rate, seed: y[i] = bits(seed, i) >= rate ? x[i] / (1 - rate) : 0   (hash of random.ts)
KERNEL(sum_squares)           // out [1], count, then (x [n], n) pairs
KERNEL(adam_w)                // p, g, m, v [n] (p, m, v in place), n, lr, beta1, beta2, eps, weightDecay, correction1 (1-beta1^t), correction2 (1-beta2^t), gradScale

// rows.h -----------------------------------------------------------------------------------------------------------------
KERNEL(embed)                 // table [vocab,d], ids int32 [n], out [n,d], n, d
KERNEL(embed_grad)            // dy [n,d], ids int32 [n], dTable [vocab,d] (overwritten), n, d, vocab
KERNEL(add_rows)              // x [n,d], row [d], y [n,d], n, d: the row added to each of x
KERNEL(sum_rows)              // x [n,d], out [d], n, d
KERNEL(rms_norm)              // x [n,d], weight [d], y [n,d], rstd [n], n, d, eps, offset: the weight counts for that much more (Gemma: 1)
KERNEL(rms_norm_grad)         // dy [n,d], x [n,d], weight [d], rstd [n], dx [n,d], dWeight [d], n, d, offset
KERNEL(rotate)                // x [n,heads*headDim], bias [heads*headDim]|0, positions int32 [n], cos [positions,headDim/2], sin, y, n, heads, headDim
KERNEL(rotate_grad)           // dy, positions int32 [n], cos, sin, dx, dBias|0, n, heads, headDim

// attend.h ----------------------------------------------------------------------------------------------------------------
KERNEL(attend)                // q [n,heads*headDim], k [n,kvHeads*headDim], v, starts int32, parents int32 [sequences]|0, out [n,heads*headDim], lse [n,heads], sequences, heads, kvHeads, headDim, scale, window (0: none): causal within each sequence, which also sees its parent (an earlier one without a parent; -1: none), of all that the last `window` tokens
KERNEL(attend_grad)           // dOut, q, k, v, out, lse, starts int32, parents int32|0, dq, dk, dv, sequences, heads, kvHeads, headDim, scale, window

// vocabulary.h --------------------------------------------------------------------------------------------------------------
KERNEL(token_log_probs)       // hidden [n,d], weight [vocab,d], ids int32 [n], logProbs [n], entropy [n], lse [n], temp [rows*(columns+1)], n, d, vocab, temperature, rows, columns (chunk sizes)
KERNEL(token_log_probs_grad)  // dLogProbs [n], hidden, weight, ids int32, lse, dHidden [n,d], dWeight [vocab,d]|0, temp [rows*columns], n, d, vocab, temperature, rows, columns
KERNEL(sample_token)          // logits [rows,vocab], uniforms [rows], ids int32 [rows], logProbs [rows], temp [rows*vocab], rows, vocab, temperature, topK, topP, minP

// grpo.h ------------------------------------------------------------------------------------------------------------------
KERNEL(grpo_loss)             // logProbs [n], old [n], ref [n]|0, advantages [sequences], mask [n], starts int32, loss [1], dLogProbs [n], metrics [8], sequences, aggregation, importance, clipLow, clipHigh, beta, kl, normalizer, surrogate, sapoPositive, sapoNegative

// pack.h ------------------------------------------------------------------------------------------------------------------
KERNEL(pack_weight)           // weight [rows,k], packed, rows, k, precision (0 float32, 1 bfloat16, 2 int8): as decode_step reads it
KERNEL(packed_size)           // out int32 [1], rows, k, precision: the numbers of 32 bits that the packed weight takes

// decode.h ----------------------------------------------------------------------------------------------------------------
KERNEL(decode_step)           // see decode.h
