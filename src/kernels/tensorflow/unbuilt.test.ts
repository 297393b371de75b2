/** What needs no TensorFlow. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../errors';
import { findTensorFlow, readInstalled, recordFile } from './installed';
import { memoryError } from './memory-errors';
import { prepareEnvironment } from './open';
import { divide } from './padding';
import { explain } from './probe';

const folders: string[] = [];
const folder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'distillery-tf-')));
  return folders[folders.length - 1];
};
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
  delete process.env.DISTILLERY_TENSORFLOW;
});

describe('what is found', () => {
  it('is the one set up, unless a part of it is missing; the error of a damaged record has a remedy', () => {
    const root = folder();
    process.env.DISTILLERY_TENSORFLOW = root;
    expect(readInstalled()).toBeNull();
    writeFileSync(recordFile(root), '{"version":1}');
    expect(() => findTensorFlow('@tensorflow/tfjs-node', root)).toThrow(/installed\.json is damaged; .*repair/);
    const record = {
      version: 1,
      binding: join(root, 'a.node'),
      package: root,
      gpu: false,
      platform: 'x',
      compiler: 'c',
      builtAt: '',
      tensorflow: { version: '2.21.0', include: root, libraries: [root], origin: 'here' },
    };
    writeFileSync(recordFile(root), JSON.stringify(record));
    expect(() => findTensorFlow('@tensorflow/tfjs-node', root)).toThrow(/a\.node is missing/);
    writeFileSync(record.binding, '');
    expect(findTensorFlow('@tensorflow/tfjs-node', root)).toMatchObject({ binding: record.binding, origin: 'here' });
  });

  it("is the project's npm package, by the newest Node-API that this Node has", () => {
    const root = folder();
    process.env.DISTILLERY_TENSORFLOW = join(root, 'none');
    const place = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), '{}');
    expect(() => findTensorFlow('@tensorflow/tfjs-node-gpu', root)).toThrow(/without its native part/);
    for (const version of ['3', '8', '99']) {
      mkdirSync(join(place, 'lib', `napi-v${version}`), { recursive: true });
      writeFileSync(join(place, 'lib', `napi-v${version}`, 'tfjs_binding.node'), '');
    }
    expect(findTensorFlow('@tensorflow/tfjs-node-gpu', root).binding).toBe(
      join(place, 'lib', 'napi-v8', 'tfjs_binding.node'),
    );
    expect(() => findTensorFlow('@tensorflow/tfjs-node', root)).toThrow(/is not installed/);
  });
});

describe('the environment', () => {
  it('grows memory, sums in one order, multiplies in full, and keeps what the user has set', () => {
    const env: NodeJS.ProcessEnv = { TF_FORCE_GPU_ALLOW_GROWTH: 'false', DISTILLERY_THREADS: '3', DISTILLERY_GPU: '1' };
    prepareEnvironment(env, true);
    expect(env).toMatchObject({
      TF_FORCE_GPU_ALLOW_GROWTH: 'false',
      TF_DETERMINISTIC_OPS: '1',
      NVIDIA_TF32_OVERRIDE: '0',
      TF_NUM_INTRAOP_THREADS: '3',
      CUDA_VISIBLE_DEVICES: '1',
    });
    const fast: NodeJS.ProcessEnv = { DISTILLERY_TF32: '1', CUDA_VISIBLE_DEVICES: '0' };
    prepareEnvironment(fast, false);
    expect(fast).toMatchObject({ CUDA_VISIBLE_DEVICES: '-1', TF_FORCE_GPU_ALLOW_GROWTH: 'true' });
    expect(fast.NVIDIA_TF32_OVERRIDE).toBeUndefined();
  });
});

describe('memory that runs out', () => {
  it('is a UserError with the settings that need less; other errors are as they were', () => {
    const told = memoryError(
      new Error(
        'Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[2048,151936] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc',
      ),
    );
    expect(told).toBeInstanceOf(UserError);
    expect(told).toMatchObject({ code: 'memory', remedy: expect.stringContaining('microBatchTokens') });
    expect((told as UserError).message).toBe('Memory of the GPU ran out at a tensor of shape [2048,151936]');
    const other = new Error('Invalid TF_Status: 3\nMessage: In[0] mismatch');
    expect(memoryError(other)).toBe(other);
  });
});

describe('blocks of sequences', () => {
  it('are consecutive, and hold no more scores than they may, or one sequence', () => {
    expect(divide([0, 4, 8, 12], 2)).toEqual([[0, 3]]);
    expect(divide([0, 4, 8, 12], 2, 64)).toEqual([
      [0, 2],
      [2, 3],
    ]);
    expect(divide([0, 1, 101, 102], 1, 100)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(divide([0], 1)).toEqual([]);
  });
});

describe("TensorFlow's words", () => {
  it.each([
    [
      "Could not load dynamic library 'libcudart.so.12'; dlerror: libcudart.so.12: cannot open",
      /missing: libcudart\.so\.12/,
      /and-cuda/,
    ],
    [
      'Cannot dlopen some GPU libraries. Please make sure the missing libraries',
      /CUDA libraries are missing/,
      /and-cuda/,
    ],
    ['CUDA driver version is insufficient for CUDA runtime version', /driver is too old/, /525/],
    [
      'cuda_drivers: Could not find cuda drivers on your machine, GPU will not be used.',
      /no NVIDIA driver/,
      /nvidia-smi/,
    ],
    ['failed call to cuInit: INTERNAL: CUDA error: CUDA_ERROR_NO_DEVICE', /no NVIDIA driver/, /nvidia-smi/],
    [
      'Error: libtensorflow_cc.so.2: cannot open shared object file: No such file',
      /libtensorflow_cc\.so\.2 is missing/,
      /repair/,
    ],
    ["/lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found", /newer system/, /older TensorFlow/],
  ])('%s', (log, reason, remedy) => {
    const told = explain(log);
    expect(told?.reason).toMatch(reason);
    expect(told?.remedy).toMatch(remedy);
  });

  it('means nothing else', () => expect(explain('Segmentation fault')).toBeNull());
});
