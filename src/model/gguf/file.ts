/** Reads GGUF files, tensor by tensor: no more of the file is in memory than a piece of the tensor at hand. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../../errors';
import { fileError } from '../files';
import { dequantize } from './dequantize';
import { type GgufHeader, readHeader } from './header';
import { refuse, tensorTypes } from './types';

/** An open file; `close` it. */
export interface GgufFile extends GgufHeader {
  readonly file: string;
  /** The values of a tensor, dequantised. Throws a UserError when there is none such. */
  readFloats(name: string): Float32Array;
  close(): void;
}

/** Opens `file` and checks its header; nothing else is read yet. Throws a UserError that names what is wrong. */
export function openGguf(file: string): GgufFile {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    return attach(descriptor, file);
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    return fileError(error, file, 'read');
  }
}

/** Elements dequantised at a time: whole blocks of every type. */
const chunk = 1 << 18;

function attach(descriptor: number, file: string): GgufFile {
  const stat = fstatSync(descriptor);
  if (!stat.isFile()) throw new UserError('This is not a file', { file, code: 'checkpoint' });
  const header = readHeader(descriptor, stat.size, file);
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
        readFully(descriptor, part, tensor.offset + (done / block) * bytes, file);
        dequantize(tensor.type, part, target);
      }
      return values;
    },
    close: () => closeSync(descriptor),
  };
}

function readFully(descriptor: number, into: Uint8Array, position: number, file: string): void {
  for (let done = 0; done < into.length; ) {
    const read = readSync(descriptor, into, done, into.length - done, position + done);
    if (read === 0) refuse(file, 'became shorter while it was read');
    done += read;
  }
}
