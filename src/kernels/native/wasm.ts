import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { once } from '../../once';
import { packageRoot } from '../../paths';
import { threadCount } from './addon';
import { Heap, roundUp, type SharedMemory } from './heap';
import { flatArguments, type KernelCalls, type KernelLibrary, kernelList } from './library';
import { memoryLimit } from './limit';
import { misfit, signatureOf } from './table';

const mostArguments = 4096;
const stackBytes = 1 << 20;

/** Exports of kernels/wasm.c besides the kernels, and those added by wasm-ld. */
interface Exports {
  begin(scratch: number, threads: number): void;
  scratch_bytes(): number;
  __heap_base: { value: number };
  __tls_size: { value: number };
  [kernel: string]: unknown;
}

interface WebAssemblyApi {
  Memory: new (limits: { initial: number; maximum: number; shared: true }) => SharedMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: Exports };
  validate(bytes: Uint8Array): boolean;
}

const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** The code of a worker: its own instance over the same memory, with its own stack, until the process ends. */
const workerCode = `
const { module, memory, number, stackTop, tls, scratch } = require('node:worker_threads').workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
exports.__stack_pointer.value = stackTop;
exports.__wasm_init_tls(tls);
exports.help(number, scratch);
`;

/** The module for each instruction set. */
const files = { 'relaxed-simd128': 'distillery-relaxed.wasm', simd128: 'distillery.wasm' };
type WasmIsa = keyof typeof files;

export const isWasmIsa = (isa = ''): isa is WasmIsa => Object.hasOwn(files, isa);

/** The folder of both. */
export const wasmFolder = () => join(packageRoot(), 'kernels', 'wasm');

/** `(module (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd ...)))` */
const relaxedModule = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic number, version 1
  ...[0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b], // the type of the function
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b], // its code
);

/**
 * Instruction sets of the module that this engine runs, best first. Relaxed SIMD fuses multiply and add. Node 20 has it
 * behind a flag that V8 reads whenever it compiles a module, so it can still be set.
 */
export const wasmIsas = once((): WasmIsa[] => {
  if (process.version.startsWith('v20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
  return wasm.validate(relaxedModule) ? ['relaxed-simd128', 'simd128'] : ['simd128'];
});

/**
 * The kernels as WebAssembly with their own memory, at most 4 GiB. Threads start in the background and are used once
 * they run. Instruction set: the given one, else DISTILLERY_ISA if it is one of these, else the best supported one.
 */
export function openWasm(choice: { isa?: WasmIsa; threads?: number } = {}): KernelLibrary {
  const threads = choice.threads ?? threadCount();
  const isas = wasmIsas();
  const isa = choice.isa ?? isas.find((name) => name === process.env.DISTILLERY_ISA) ?? isas[0];
  const module = new wasm.Module(readFileSync(join(wasmFolder(), files[isa])));
  const memory = reserveMemory();
  const { exports } = new wasm.Instance(module, { env: { memory } });
  const heap = new Heap(memory, exports.__heap_base.value);
  const scratchBytes = exports.scratch_bytes();
  exports.begin(heap.allocate(scratchBytes).offset, threads);

  const tlsBytes = roundUp(exports.__tls_size.value, 64);
  for (let number = 0; number < threads - 1; number++) {
    const { offset: scratch } = heap.allocate(scratchBytes + tlsBytes + stackBytes);
    const tls = scratch + scratchBytes;
    startWorker({ module, memory, number, scratch, tls, stackTop: tls + tlsBytes + stackBytes });
  }
  return { target: 'wasm', isa, threads, kernels: bind(exports, heap), memory: heap };
}

/** The maximum reserves address space, not memory; if the system grants less, less is reserved. */
function reserveMemory(): SharedMemory {
  for (
    let maximum = Math.min(65536, Math.max(512, Math.ceil(memoryLimit() / 65536)));
    ;
    maximum = Math.floor(maximum / 2)
  ) {
    try {
      return new wasm.Memory({ initial: 256, maximum, shared: true });
    } catch (error) {
      if (maximum <= 4096) throw error;
    }
  }
}

/** Without the worker (threads may be forbidden) the others do its share. */
function startWorker(workerData: object): void {
  try {
    const worker = new Worker(workerCode, { eval: true, workerData, execArgv: [], stdin: false });
    worker.unref();
    worker.on('error', () => {});
  } catch {
    // One thread less.
  }
}

function bind(exports: Exports, heap: Heap): KernelCalls {
  const block = heap.allocate(mostArguments * 8);
  const numbers = new Float64Array(block.buffer, block.offset, mostArguments);
  const pointers = new Uint32Array(block.buffer, block.offset, mostArguments * 2);
  const bound = kernelList.map((name) => {
    const kernel = exports[name] as (args: number) => void;
    const signature = signatureOf(name);
    const call = (...given: unknown[]) => {
      const args = flatArguments(given);
      if (args.length > mostArguments) throw new TypeError(`kernel ${name}: too many arguments`);
      const wrong = misfit(signature, args);
      if (wrong) throw new TypeError(`kernel ${name}: ${wrong}`);
      for (let i = 0; i < args.length; i++) {
        const arg = args[i];
        if (typeof arg === 'number') numbers[i] = arg;
        else {
          if (arg && !heap.reaches(arg)) throw new TypeError(`kernel ${name}: argument ${i} is not within its memory`);
          pointers[2 * i] = arg ? arg.byteOffset : 0;
          pointers[2 * i + 1] = 0;
        }
      }
      kernel(block.offset);
    };
    return [name, call];
  });
  return Object.fromEntries(bound);
}
