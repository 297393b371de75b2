import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { expect, it } from 'vitest';
import { tarFiles } from './tar';

it('reads the files of an archive, with or without gzip', async () => {
  const archive = pack();
  archive.entry({ name: 'package/binding', type: 'directory' });
  archive.entry({ name: 'package/binding/a.cc' }, 'hello');
  archive.entry({ name: 'package/readme' }, 'Read me.');
  archive.finalize();
  const bytes = await buffer(archive);
  const isSource = (path: string) => path.endsWith('.cc');
  const files = new Map([['package/binding/a.cc', Buffer.from('hello')]]);
  expect(await tarFiles(bytes, isSource, 13)).toEqual(files);
  expect(await tarFiles(gzipSync(bytes), isSource, 13)).toEqual(files);
  await expect(tarFiles(bytes, isSource, 12)).rejects.toThrow('it is too large');
  await expect(tarFiles(gzipSync(bytes).subarray(0, 40), isSource, 13)).rejects.toThrow();
});
