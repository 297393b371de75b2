/**
 * A test server of the Tinker API: real gradients of the embedded engine, with the differences between servers as
 * options.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mul, neg, type Scalar, sum, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { pack } from 'tar-stream';
import { defaultLora } from '../../../config/lora';
import { disposePacked, packExamples } from '../../../learning/batch';
import {
  accumulate,
  applyGradients,
  createOptimizer,
  type Gradients,
  type Optimizer,
} from '../../../learning/optimizer';
import { completionLogProbs } from '../../../learning/supervised';
import { fingerprint } from '../../../model/fingerprint';
import { createAdapter } from '../../../model/lora';
import { saveAdapter } from '../../../model/lora-files';
import { copyModel } from '../../../model/testing/copy';
import type { Model } from '../../../model/transformer';
import { sample } from '../../../rollout/sample';
import type { AdamParams, SamplingParams } from '../model';

export interface Ways {
  /** Averages over each row's weights and over rows, as SkyRL on JAX; otherwise a plain sum. */
  divides?: boolean;
  /** Settings that are silently ignored. */
  dropsSeeds?: boolean;
  dropsClipping?: boolean;
  /** Treats temperature 0 as 1. */
  neverGreedy?: boolean;
  /** Does not load moments. */
  forgetsMoments?: boolean;
  /** Lacks /forward. */
  noForward?: boolean;
  /** Deviations of adapter_config.json in its archives. */
  adapterConfig?: object;
}

interface TrainedModel {
  model: Model;
  optimizer: Optimizer;
  gradients: Gradients;
}

interface Datum {
  model_input: { chunks: { tokens: number[] }[] };
  loss_fn_inputs: Record<string, { data: number[] }>;
}

interface Body {
  model_id: string;
  lora_config: { rank: number; seed: number };
  forward_input: { data: Datum[] };
  forward_backward_input: { data: Datum[]; loss_fn: string };
  adam_params: AdamParams;
  path?: string;
  optimizer: boolean;
  sampling_session_id: string;
  num_samples: number;
  prompt: { chunks: { tokens: number[] }[] };
  sampling_params: SamplingParams;
  request_id: string;
}

export class TestServer {
  readonly unloaded: string[] = [];
  /** Number of further passes with gradients that fail. */
  failures = 0;
  /** API keys that requests came with. */
  readonly keys = new Set<string>();
  private readonly models = new Map<string, TrainedModel>();
  private readonly saved = new Map<string, TrainedModel>();
  private readonly samplers = new Map<string, Model>();
  private readonly promises = new Map<string, Promise<unknown>>();
  private count = 0;
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly base: Model,
    private readonly ways: Ways,
    private readonly server: Server,
  ) {}

  static async start(base: Model, ways: Ways = {}): Promise<TestServer> {
    const server = createServer();
    const one = new TestServer(base, ways, server);
    server.on('request', async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      one.keys.add(`${request.headers['x-api-key']}`);
      const route = (request.url ?? '').replace('/api/v1/', '');
      const { status, type, bytes } = await one.answer(
        route,
        `${request.headers['content-type']}`,
        Buffer.concat(parts),
      );
      response.writeHead(status, { 'content-type': type }).end(bytes);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return one;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private async answer(route: string, type: string, body: Buffer) {
    const json = (value: unknown, status = 200) => ({ status, type: 'application/json', bytes: JSON.stringify(value) });
    if (type.includes('protobuf')) return json({ detail: 'JSON only' }, 415);
    if (route.endsWith('/archive')) return { status: 200, type: 'application/x-tar', bytes: await this.archive(route) };
    const given = body.length > 0 ? (JSON.parse(body.toString()) as Body) : ({} as Body);
    if (route === 'retrieve_future') {
      try {
        return json(await this.promises.get(given.request_id));
      } catch (error) {
        return json({ error: (error as Error).message, category: 'server' });
      }
    }
    if (route === 'create_session') return json({ session_id: 's' });
    if (route === 'get_server_capabilities') return json({ supported_models: [{ model_name: 'tiny' }] });
    if (route === 'forward' && this.ways.noForward) return json({ detail: 'Not Found' }, 404);
    const work = this.work(route);
    if (!work) return json({ detail: 'Not Found' }, 404);
    const id = `r${this.count++}`;
    const done = this.last.then(() => work(given));
    this.last = done.catch(() => {});
    this.promises.set(id, done);
    done.catch(() => {});
    return json({ request_id: id });
  }

  private work(route: string): ((body: Body) => unknown) | undefined {
    const routes: Record<string, (body: Body) => unknown> = {
      create_model: (body) => this.create(body),
      forward: ({ model_id: id, forward_input: input }) => this.pass(id, input.data, 'cross_entropy', true),
      forward_backward: ({ model_id: id, forward_backward_input: input }) =>
        this.pass(id, input.data, input.loss_fn, false),
      optim_step: (body) => this.step(body),
      save_weights: ({ model_id: id, path }) => this.keep(`tinker://run/weights/${path}`, id),
      load_weights: (body) => this.load(body),
      save_weights_for_sampler: (body) => this.sampler(body),
      asample: (body) => this.sample(body),
      unload_model: ({ model_id: id }) => {
        this.unloaded.push(id);
        this.models.delete(id);
        return {};
      },
    };
    return routes[route];
  }

  private create({ lora_config: { rank, seed } }: Body) {
    const model = copyModel(this.base);
    model.adapter = createAdapter(
      model.config,
      { ...defaultLora, rank },
      { path: '', fingerprint: fingerprint(model.parameters) },
      seed,
    );
    const id = `m${this.count++}`;
    this.models.set(id, { model, optimizer: createOptimizer(model), gradients: new Map() });
    return { model_id: id };
  }

  private pass(id: string, data: Datum[], loss: string, forwardOnly: boolean) {
    if (!forwardOnly && this.failures-- > 0) throw new Error('no memory for this pass');
    const { model, gradients } = this.models.get(id)!;
    const outputs = data.map(({ model_input: input, loss_fn_inputs: inputs }) => {
      const targets = inputs.target_tokens.data;
      const packed = packExamples([{ prompt: input.chunks[0].tokens.slice(0, 1), completion: targets }]);
      const weights = inputs.weights.data;
      const total = weights.reduce((whole, one) => whole + one, 0);
      const share = this.ways.divides ? 1 / (Math.max(total, 1e-9) * data.length) : 1;
      let logProbs = new Float32Array();
      const lossOf = () => {
        const scored = completionLogProbs(model, packed).logProbs;
        logProbs = scored.dataSync().slice() as Float32Array<ArrayBuffer>;
        const weighted = mul(scored, tensor1d(weights));
        if (loss === 'cross_entropy') return mul(neg(sum(weighted)), share) as Scalar;
        // The derivative of exp(x) is exp(x): multiplying by a constant of that value gives the same gradient.
        const { logprobs, advantages } = inputs;
        const factors = weights.map(
          (weight, j) => weight * advantages.data[j] * Math.exp(logProbs[j] - logprobs.data[j]),
        );
        return mul(neg(sum(mul(scored, tensor1d(factors)))), share) as Scalar;
      };
      if (forwardOnly) tidy(() => void lossOf());
      else accumulate(model, gradients, lossOf);
      disposePacked(packed);
      return { logprobs: { data: Array.from(logProbs), dtype: 'float32', shape: [logProbs.length] } };
    });
    return { loss_fn_outputs: outputs, metrics: {} };
  }

  private step({ model_id: id, adam_params: adam }: Body) {
    const { model, optimizer, gradients } = this.models.get(id)!;
    const norm = applyGradients(model, optimizer, gradients, adam.learning_rate, {
      weightDecay: adam.weight_decay,
      maxGradNorm: this.ways.dropsClipping ? 0 : adam.grad_clip_norm,
      adam: { beta1: adam.beta1, beta2: adam.beta2, epsilon: adam.eps },
    });
    gradients.clear();
    return { metrics: { 'grad_norm:mean': norm } };
  }

  private copyOf({ model, optimizer }: TrainedModel): TrainedModel {
    const moments = new Map(
      [...optimizer.moments].map(([name, { first, second }]) => [
        name,
        { first: first.clone(), second: second.clone() },
      ]),
    );
    return { model: copyModel(model), optimizer: { step: optimizer.step, moments }, gradients: new Map() };
  }

  private keep(path: string, id: string) {
    this.saved.set(path, this.copyOf(this.models.get(id)!));
    return { path };
  }

  private load({ model_id: id, path, optimizer }: Body) {
    const found = this.saved.get(path!);
    if (!found) throw new Error(`no weights at ${path}`);
    const copy = this.copyOf(found);
    if (!optimizer || this.ways.forgetsMoments) copy.optimizer = createOptimizer(copy.model);
    this.models.set(id, copy);
    return { path };
  }

  private sampler({ model_id: id, path }: Body) {
    if (path) return this.keep(`tinker://run/sampler_weights/${path}`, id);
    const session = `p${this.count++}`;
    this.samplers.set(session, copyModel(this.models.get(id)!.model));
    return { sampling_session_id: session };
  }

  private async sample({ sampling_session_id: session, num_samples: count, prompt, sampling_params: params }: Body) {
    const { completions } = await sample(this.samplers.get(session)!, [prompt.chunks[0].tokens], {
      sampling: {
        temperature: params.temperature === 0 && this.ways.neverGreedy ? 1 : params.temperature,
        topK: Math.max(params.top_k, 0),
        topP: params.top_p,
        minP: 0,
      },
      maxNewTokens: params.max_tokens,
      eosIds: params.stop,
      seed: this.ways.dropsSeeds || this.ways.neverGreedy ? this.count++ : params.seed,
      groupSize: count,
    });
    return {
      sequences: completions.map(({ tokens, logProbs, finished }) => ({
        tokens,
        logprobs: Array.from(logProbs),
        stop_reason: finished ? 'stop' : 'length',
      })),
    };
  }

  /** As written by SkyRL 0.4: without target_modules. */
  private async archive(route: string): Promise<Buffer> {
    const name = decodeURIComponent(route.split('/').at(-2)!);
    const folder = mkdtempSync(join(tmpdir(), 'distillery-tinker-'));
    try {
      saveAdapter(folder, this.saved.get(`tinker://run/sampler_weights/${name}`)!.model.adapter!);
      const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'));
      const archive = pack();
      archive.entry(
        { name: 'adapter_config.json' },
        JSON.stringify({ ...config, target_modules: null, ...this.ways.adapterConfig }),
      );
      archive.entry({ name: 'adapter_model.safetensors' }, readFileSync(join(folder, 'adapter_model.safetensors')));
      archive.finalize();
      const parts: Buffer[] = [];
      for await (const part of archive) parts.push(part as Buffer);
      return Buffer.concat(parts);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
