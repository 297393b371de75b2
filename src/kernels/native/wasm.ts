import type { KernelLibrary } from './library';

export function openWasm(): KernelLibrary {
  throw new Error('not built yet');
}
