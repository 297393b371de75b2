/** Reads GGUF files tensor by tensor, with only a piece of the current tensor in memory. */
import { closeSync } from 'node:fs';
import { openFile, readFully } from '../files';
import { dequantize } from './dequantize';
import { type GgufHeader, readHeader } from './header';
import { refuse, tensorTypes } from './types';

/** An open file; `close` it. */
export interface GgufFile extends GgufHeader {
  readonly file: string;
  /** The values of a tensor, dequantized. @throws UserError when it does not exist */
  readFloats(name: string): Float32Array;
  close(): void;
}

/** Opens `file` and validates its header; nothing else is read yet. @throws UserError for an invalid header */
export function openGguf(file: string): GgufFile {
  return openFile(file, (descriptor, size) => attach(descriptor, size, file));
}

/** Elements dequantized at a time: complete blocks of every type. */
const chunk = 1 << 18;

function attach(descriptor: number, size: number, file: string): GgufFile {
  const header = readHeader(descriptor, size, file);
  return {
    file,
    ...header,
    readFloats(name) {
      const tensor = header.tensors.get(name);
      if (!tensor) return refuse(file, `has no tensor ${JSON.stringify(name)}`);
      const { block, bytes } = tensorTypes[tensor.type];
      const values = new Float32Array((tensor.bytes / bytes) * block);
      const raw = new Uint8Array((Math.min(chunk, values.length) / block) * bytes);
      for (let done = 0; done < values.length; done += chunk) {
        const target = values.subarray(done, done + chunk);
        const part = raw.subarray(0, (target.length / block) * bytes);
        readFully({ descriptor, file, refuse }, part, tensor.offset + (done / block) * bytes);
        dequantize(tensor.type, part, target);
      }
      return values;
    },
    close: () => closeSync(descriptor),
  };
}
