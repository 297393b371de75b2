/** A model in training on a Tinker server, and samplers for its weights. */
import { UserError } from '../../errors';
import { objectIn, readingOf, type TinkerClient, TinkerError, textIn } from './client';
import {
  type PassRow,
  passAsJson,
  passAsProtobuf,
  passFromJson,
  passFromProtobuf,
  type SampledSequence,
  samplesFromJson,
  samplesFromProtobuf,
  type TinkerLoss,
  type TinkerPassResult,
} from './wire';

/** AdamW with the interface's names. */
export interface AdamParams {
  learning_rate: number;
  beta1: number;
  beta2: number;
  eps: number;
  weight_decay: number;
  /** 0 means no clipping. */
  grad_clip_norm: number;
}

/** Maximum rows and bytes per request. */
const maxRows = 1024;
const maxTokens = 250_000;

export class RemoteModel {
  private sequence = 0;
  private forwardRoute = true;

  private constructor(
    private readonly client: TinkerClient,
    readonly id: string,
    private readonly base: string,
    private readonly rank: number,
  ) {}

  static async create(client: TinkerClient, base: string, lora: { rank: number; seed: number }): Promise<RemoteModel> {
    const asked = await client.json('create_model', {
      session_id: client.sessionId,
      model_seq_id: client.nextModel(),
      base_model: base,
      lora_config: lora,
      type: 'create_model',
    });
    const made = await client.result(textIn(asked, 'request_id', 'create_model'));
    const id = textIn({ ...asked, ...(made as object) }, 'model_id', 'create_model');
    return new RemoteModel(client, id, base, lora.rank);
  }

  /** A new model with saved weights; servers load them only as a model's first call. */
  async loaded(path: string, moments: boolean): Promise<RemoteModel> {
    const model = await RemoteModel.create(this.client, this.base, { rank: this.rank, seed: 0 });
    try {
      await model.call('load_weights', { path, optimizer: moments, type: 'load_weights' });
    } catch (error) {
      await model.unload();
      throw error;
    }
    return model;
  }

  /** Log-probabilities of the rows' targets, without gradients. */
  async forward(rows: readonly PassRow[], signal?: AbortSignal): Promise<Float32Array[]> {
    this.client.meter.check();
    const parts = await Promise.all(
      inParts(rows).map(async (part) => (await (await this.pass(part, 'cross_entropy', true))(signal)).logProbs),
    );
    const found = parts.flat();
    if (found.length !== rows.length || found.some(({ length }, i) => length !== rows[i].tokens.length))
      throw new UserError('the Tinker server returned log-probs of other rows than those it was sent', {
        code: 'backend',
        remedy: 'docs/cluster.md lists tested servers.',
      });
    return found;
  }

  /**
   * Accumulates the gradients of the rows, then makes one optimizer step. Both calls are queued before either is
   * awaited.
   */
  async step(rows: readonly PassRow[], loss: TinkerLoss, adam: AdamParams): Promise<TinkerPassResult[]> {
    this.client.meter.check();
    const passes = [];
    for (const part of inParts(rows)) passes.push(await this.pass(part, loss, false));
    const update = await this.submit('optim_step', { adam_params: adam, type: 'optim_step' });
    const results: TinkerPassResult[] = [];
    for (const pass of passes) results.push(await pass());
    const updated = (await update()) as { metrics?: Record<string, number> };
    results.push({ logProbs: [], metrics: updated.metrics ?? {} });
    return results;
  }

  /** Saves weights and moments on the server; returns their path there. */
  save = async (name: string) =>
    textIn(await this.call('save_weights', { path: name, type: 'save_weights' }), 'path', 'save_weights');

  /** Saves a downloadable adapter; returns its path there. */
  saveForDownload = async (name: string) => {
    const asked = { path: name, type: 'save_weights_for_sampler' };
    return textIn(await this.call('save_weights_for_sampler', asked), 'path', 'save_weights_for_sampler');
  };

  async sampler(): Promise<Sampler> {
    const saved = (await this.call('save_weights_for_sampler', {
      sampling_session_seq_id: this.client.nextSampler(),
      type: 'save_weights_for_sampler',
    })) as { sampling_session_id?: string; path?: string };
    if (saved.sampling_session_id) return new Sampler(this.client, saved.sampling_session_id);
    const made = await this.client.json('create_sampling_session', {
      session_id: this.client.sessionId,
      sampling_session_seq_id: this.client.nextSampler(),
      model_path: saved.path,
      type: 'create_sampling_session',
    });
    return new Sampler(this.client, textIn(made, 'sampling_session_id', 'create_sampling_session'));
  }

  /** Frees memory on the server. A server without this call frees it when the session ends. */
  async unload(): Promise<void> {
    try {
      await this.call('unload_model', { type: 'unload_model' });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }

  private async call(path: string, body: object): Promise<unknown> {
    return (await this.submit(path, body))();
  }

  /** Queues a call; the server executes a model's calls in the order of their numbers. */
  private async submit(path: string, body: object): Promise<(signal?: AbortSignal) => Promise<unknown>> {
    const asked = await this.client.json(path, { model_id: this.id, seq_id: this.sequence + 1, ...body });
    this.sequence++;
    const id = textIn(asked, 'request_id', path);
    return (signal) => this.client.result(id, signal);
  }

  private async pass(rows: readonly PassRow[], loss: TinkerLoss, forwardOnly: boolean) {
    const tokens = rows.reduce((sum, row) => sum + row.tokens.length, 0);
    this.client.meter.count(forwardOnly ? 'prompt' : 'trained', tokens);
    if (this.client.wire !== 'json') {
      const done = await this.passByProtobuf(rows, loss, forwardOnly);
      if (done) return done;
    }
    const request = { model: this.id, sequence: this.sequence + 1, rows, loss, forwardOnly };
    const ask = async (path: string, body: object) => {
      const done = await this.submit(path, body);
      return async (signal?: AbortSignal) => {
        const value = (await done(signal)) as Parameters<typeof passFromJson>[0];
        return readingOf(path, () => passFromJson(value));
      };
    };
    if (forwardOnly && this.forwardRoute) {
      try {
        return await ask('forward', { forward_input: passAsJson(request) });
      } catch (error) {
        if (!(error instanceof TinkerError && error.status === 404)) throw error;
        this.forwardRoute = false;
      }
    }
    // Without that route: a backward pass with zero weights returns the same log-probs and adds a zero gradient.
    const silent = rows.map((row) => ({ ...row, weights: row.weights.map(() => 0) }));
    const sent = passAsJson({ ...request, rows: forwardOnly ? silent : rows });
    return ask('forward_backward', { forward_backward_input: sent });
  }

  /** Null if the server takes only JSON. */
  private async passByProtobuf(rows: readonly PassRow[], loss: TinkerLoss, forwardOnly: boolean) {
    const { client } = this;
    const body = passAsProtobuf({ model: this.id, sequence: this.sequence + 1, rows, loss, forwardOnly });
    const learning = client.wire === 'unknown';
    const answer = await client.send('forward_backward', learning ? { body, tries: 1 } : { body });
    if (learning && [400, 415, 422, 500].includes(answer.status)) {
      client.wire = 'json';
      return null;
    }
    const id = textIn(objectIn(answer, 'forward_backward'), 'request_id', 'forward_backward');
    this.sequence++;
    client.wire = 'protobuf';
    return async (signal?: AbortSignal) => {
      const value = (await client.result(id, signal)) as Uint8Array;
      return readingOf('forward_backward', () => passFromProtobuf(value));
    };
  }
}

function inParts(rows: readonly PassRow[]): PassRow[][] {
  const parts: PassRow[][] = [];
  let tokens = 0;
  for (const row of rows) {
    const last = parts.at(-1);
    tokens += row.tokens.length;
    if (last && last.length < maxRows && tokens <= maxTokens) last.push(row);
    else {
      parts.push([row]);
      tokens = row.tokens.length;
    }
  }
  return parts;
}

export interface SamplingParams {
  max_tokens: number;
  temperature: number;
  seed: number;
  top_p: number;
  /** -1 means all. */
  top_k: number;
  stop: readonly number[];
}

/** Samples from the weights at the time of its creation. */
export class Sampler {
  private sequence = 0;

  constructor(
    private readonly client: TinkerClient,
    private readonly session: string,
  ) {}

  async sample(
    prompt: readonly number[],
    count: number,
    params: SamplingParams,
    signal?: AbortSignal,
  ): Promise<SampledSequence[]> {
    const { meter } = this.client;
    meter.check();
    const asked = await this.client.json(
      'asample',
      {
        sampling_session_id: this.session,
        seq_id: this.sequence++,
        num_samples: count,
        prompt: { chunks: [{ type: 'encoded_text', tokens: prompt }] },
        sampling_params: params,
        type: 'sample',
      },
      { signal },
    );
    const value = await this.client.result(textIn(asked, 'request_id', 'asample'), signal);
    const samples = readingOf('asample', () =>
      value instanceof Uint8Array
        ? samplesFromProtobuf(value)
        : samplesFromJson(value as Parameters<typeof samplesFromJson>[0]),
    );
    meter.count('prompt', prompt.length);
    meter.count(
      'sampled',
      samples.reduce((sum, { tokens }) => sum + tokens.length, 0),
    );
    return samples;
  }
}
