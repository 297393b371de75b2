import fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import { compileFunction } from 'node:vm';
import * as core from '@tensorflow/tfjs-core';
import type { Binding, TensorFlowBackend } from './binding';

/**
 * Loads the backend class of a @tensorflow/tfjs-node package and registers its kernels, bypassing the package's
 * index.js: that loads a second tfjs with layers and converters, requires protobuf and node-pre-gyp, and fails on Node
 * 23 and later. Its modules get this program's tfjs-core as tfjs, so that there is a single engine, and a `util` with
 * the two functions removed in Node 23 (tensorflow/tfjs issue 8609). `folder` contains the package's dist/.
 */
export function loadBackendClass(folder: string): new (binding: Binding, name: string) => TensorFlowBackend {
  const load = loader(join(folder, 'dist'));
  load('./register_all_kernels', '');
  const { NodeJSKernelBackend } = load('./nodejs_kernel_backend', '') as {
    NodeJSKernelBackend: new (binding: Binding, name: string) => TensorFlowBackend;
  };
  return NodeJSKernelBackend;
}

/**
 * tfjs-node is compiled to ES5, whose classes call their base class as a function; in our bundle that is an ES class.
 */
function CallableKernelBackend(): void {}
CallableKernelBackend.prototype = core.KernelBackend.prototype;

const tfjs = { ...core, KernelBackend: CallableKernelBackend };

/** Modules that tfjs-node's kernels require by name; api_pb is only for TensorBoard. */
function given(name: string): unknown {
  if (name === '@tensorflow/tfjs' || name === '@tensorflow/tfjs-core') return tfjs;
  if (name === 'util')
    return {
      ...util,
      isArray: Array.isArray,
      isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    };
  if (name.endsWith('/api_pb')) return {};
  return undefined;
}

function loader(root: string): (name: string, from: string) => unknown {
  const require = createRequire(join(root, 'index.js'));
  const loaded = new Map<string, { exports: unknown }>();
  const load = (name: string, from: string): unknown => {
    const known = given(name);
    if (known) return known;
    if (!name.startsWith('.')) return require(name);
    const file = `${join(root, from, name)}.js`;
    const earlier = loaded.get(file);
    if (earlier) return earlier.exports;
    const module = { exports: {} };
    loaded.set(file, module);
    const code = fs.readFileSync(file, 'utf8');
    const run = compileFunction(code, ['exports', 'require', 'module'], { filename: file });
    run(module.exports, (other: string) => load(other, join(from, dirname(name))), module);
    return module.exports;
  };
  return load;
}
