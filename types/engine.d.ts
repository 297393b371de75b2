/** Generated from src/engine/process/wire.ts by `npx tsx scripts/generate-schemas.ts`. */

/** JSON has no NaN and no infinities; `Number` reads all of these. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

/** Token ids by row. */
export interface Rows {
  /** The length of each row: int32, base64 of the little-endian bytes. */
  lengths: string;
  /** int32 values: base64 of their little-endian bytes. */
  values: string;
}

/** A float32 value per token, by row. */
export interface FloatRows {
  /** The length of each row: int32, base64 of the little-endian bytes. */
  lengths: string;
  /** float32 values: base64 of their little-endian bytes. */
  values: string;
}

/** Prompts and their completions, by row. */
export interface Examples {
  /** Token ids of each prompt; at least one. */
  prompts: Rows;
  /** Token ids of each completion, including its end token if it was sampled. */
  completions: Rows;
}

/** Parameters and result of every request, by method (docs/engine.md). */
export interface EngineRequests {
  /** The first request. */
  hello: {
    params: {
      protocol: number;
      client: string;
    };
    result: {
      protocol: number;
      engine: string;
      version: string;
      /** Versions of Python and the libraries, by name. */
      versions?: {
        [name: string]: string;
      };
      /** The default device, such as cpu or cuda. */
      device: string;
      devices?: (
        | string
        | {
            name: string;
            /** Memory of the device. */
            totalBytes?: number;
            freeBytes?: number;
            [name: string]: unknown;
          }
      )[];
      dtypes?: string[];
      families?: string;
      adapters?: boolean;
      samplers?: string[];
      losses?: string[];
      processes?: number;
      [name: string]: unknown;
    };
  };
  /**
   * Speed of a large product in the default dtype on the default device; floating-point operations per
   * second.
   */
  speed: {
    params: Record<string, never>;
    result: {
      flops: number;
      dtype: string;
    };
  };
  /** Memory of work on a student, without opening it. */
  memory: {
    params: {
      /** Absolute path of a folder. */
      student: string;
      /** null: all weights are trained. */
      adapter: {
        rank: number;
        alpha: number;
        dropout: number;
        /** The linear layers of a decoder layer, by Distillery's short names. */
        targets: ('q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down')[];
      } | null;
      dtype?: string;
      device?: string;
      quantization?: string;
    };
    result: {
      /** All parameters, including the adapter. */
      weights: number;
      /** One copy of the trained parameters; AdamW keeps two more, and the gradients take one. */
      trained: number;
      /** Memory of a training pass per input token. */
      token: number;
      /** The same if activations are recomputed in the backward pass. */
      tokenAgain: number;
      /** Memory of the output layer per completion token. */
      target: number;
      /** Maximum memory of the output layer, as logits are computed in chunks. */
      targets: number;
      /** Memory for sampling besides the weights. */
      merged: number;
      /** KV cache per token. */
      cache: number;
      /** Memory of the device; null if unknown. */
      free: number | null;
      total: number | null;
    };
  };
  /** Opens a student for training or inference. */
  open: {
    params: {
      /** Absolute path of a folder. */
      student: string;
      /** null: all weights are trained. */
      adapter: {
        rank: number;
        alpha: number;
        dropout: number;
        /** The linear layers of a decoder layer, by Distillery's short names. */
        targets: ('q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down')[];
      } | null;
      dtype?: string;
      device?: string;
      quantization?: string;
      /** Initial weights or adapter from this checkpoint folder. */
      checkpoint?: string;
      seed: number;
    };
    result: {
      /** Id of an open student. */
      id: string;
      facts: {
        vocabSize: number;
        maxPositions: number;
        parameters: number;
        trainable: number;
      };
      /** One line for people: the computing device. */
      description: string;
      /** Set if the student is not quite as requested. */
      warnings?: string[];
    };
  };
  /** Completions, ordered by prompt and then by index in the group. */
  sample: {
    params: {
      /** Id of an open student. */
      id: string;
      prompts: Rows;
      groupSize: number;
      sampling: {
        /** 0 = greedy. */
        temperature: number;
        /** The k most likely tokens; 0 = all. */
        topK: number;
        /** The smallest set of most likely tokens with this probability mass; 1 = all. */
        topP: number;
        /** Tokens with at least this share of the highest probability; 0 = all. */
        minP: number;
      };
      maxNewTokens: number;
      eosIds: number[];
      seed: number;
      /** Further seeds of the draws. */
      stream: (number | string)[];
      maxRows: number;
    };
    result: {
      tokens: Rows;
      logProbs: FloatRows;
      finished: boolean[];
      seconds: number;
    };
  };
  /** Log-probabilities and entropies of the completions' tokens, in nats. */
  logProbs: {
    params: {
      /** Id of an open student. */
      id: string;
      examples: Examples;
      temperature: number;
      /** Maximum tokens of a forward pass; larger batches are split, and their gradients added. */
      microBatchTokens: number;
      /** Name of weights kept by the engine. */
      snapshot?: string;
    };
    result: {
      logProbs: FloatRows;
      entropy: FloatRows;
    };
  };
  /** The mean cross-entropy of the completions' tokens, in nats. */
  loss: {
    params: {
      /** Id of an open student. */
      id: string;
      examples: Examples;
      /** Maximum tokens of a forward pass; larger batches are split, and their gradients added. */
      microBatchTokens: number;
    };
    result: {
      loss: JsonNumber;
    };
  };
  supervisedStep: {
    params: {
      /** Id of an open student. */
      id: string;
      examples: Examples;
      learningRate: number;
      /** Of matrices only; norms and biases do not decay. */
      weightDecay: number;
      /** Gradients with a larger global norm are scaled down to it; 0 = never. */
      maxGradNorm: number;
      adam: {
        beta1: number;
        beta2: number;
        epsilon: number;
      };
      dropout: number;
      /** Maximum tokens of a forward pass; larger batches are split, and their gradients added. */
      microBatchTokens: number;
      /** Recompute activations in the backward pass, which saves memory. */
      checkpointing: boolean;
      seed: number;
    };
    result: {
      loss: JsonNumber;
      gradNorm: JsonNumber;
      tokens: number;
    };
  };
  grpoStep: {
    params: {
      /** Id of an open student. */
      id: string;
      episodes: {
        /** Token ids of each prompt; at least one. */
        prompts: Rows;
        /** Token ids of each completion, including its end token if it was sampled. */
        completions: Rows;
        /** Log-probabilities of the tokens at sampling. */
        logProbs: FloatRows;
        /** float32 values: base64 of their little-endian bytes. */
        advantages: string;
        /** Excluded from the loss. */
        masked: boolean[];
      };
      replay: Examples | null;
      reference: string | null;
      learningRate: number;
      seed: number;
      options: {
        /** Of matrices only; norms and biases do not decay. */
        weightDecay: number;
        /** Gradients with a larger global norm are scaled down to it; 0 = never. */
        maxGradNorm: number;
        adam: {
          beta1: number;
          beta2: number;
          epsilon: number;
        };
        dropout: number;
        /** Maximum tokens of a forward pass; larger batches are split, and their gradients added. */
        microBatchTokens: number;
        /** Recompute activations in the backward pass, which saves memory. */
        checkpointing: boolean;
        loss: 'grpo' | 'bnpo' | 'dr_grpo' | 'dapo' | 'gspo' | 'cispo' | 'sapo';
        clipLow: number;
        clipHigh: number;
        sapoTemperature: {
          positive: number;
          negative: number;
        };
        beta: number;
        kl: 'k1' | 'k2' | 'k3' | 'k3+';
        temperature: number;
        /** The constant divisor of dr_grpo. */
        maxNewTokens: number;
        iterations: number;
        minibatches: number;
        policyWeight: number;
        replayWeight: number;
      };
    };
    result: {
      measures: {
        loss: JsonNumber;
        gradNorm: JsonNumber;
        tokens: number;
        entropy?: JsonNumber;
        ratio?: JsonNumber;
        kl?: JsonNumber;
        clipLow?: JsonNumber;
        clipHigh?: JsonNumber;
        replayLoss?: JsonNumber;
      };
      entropy: FloatRows;
      refLogProbs: FloatRows | null;
    };
  };
  /** Resets the optimizer: moments and step 0. */
  restartOptimizer: {
    params: {
      /** Id of an open student. */
      id: string;
    };
    result: Record<string, never>;
  };
  /** Keeps a copy of the current trained weights, or of those in a checkpoint folder, under a name. */
  snapshot: {
    params: {
      /** Id of an open student. */
      id: string;
      /** Absolute path of a folder. */
      checkpoint?: string;
    };
    result: {
      /** Name of weights kept by the engine. */
      snapshot: string;
    };
  };
  restore: {
    params: {
      /** Id of an open student. */
      id: string;
      /** Name of weights kept by the engine. */
      snapshot: string;
    };
    result: Record<string, never>;
  };
  discard: {
    params: {
      /** Id of an open student. */
      id: string;
      /** Name of weights kept by the engine. */
      snapshot: string;
    };
    result: Record<string, never>;
  };
  /** Writes a Hugging Face folder, or PEFT's for an adapter, with the tokenizer files. */
  save: {
    params: {
      /** Id of an open student. */
      id: string;
      /** Absolute path of a folder. */
      folder: string;
      moments: boolean;
      eosIds: number[];
    };
    result: Record<string, never>;
  };
  load: {
    params: {
      /** Id of an open student. */
      id: string;
      /** Absolute path of a folder. */
      folder: string;
      moments: boolean;
      step: number;
    };
    result: Record<string, never>;
  };
  close: {
    params: {
      /** Id of an open student. */
      id: string;
    };
    result: Record<string, never>;
  };
  /** The engine answers and exits. */
  shutdown: {
    params: Record<string, never>;
    result: Record<string, never>;
  };
}

/** Sent at least every five seconds during a request. */
export interface EngineProgress {
  request: number;
  done: number;
  total: number;
  /** For sample: the tokens so far of every completion, in the order of the result. */
  drafts?: Rows;
}

/** The reason of a failed request: the `data` of a JSON-RPC error. */
export interface EngineError {
  code: 'memory' | 'diverged' | 'config' | 'checkpoint' | 'backend' | 'disk' | 'missing';
  message: string;
  remedy?: string;
  file?: string;
}
