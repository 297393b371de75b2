/** Compiles tfjs-node's binding and links it to a TensorFlow. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { diskError } from '../disk';
import { UserError } from '../errors';
import { bindingFile } from './places';
import type { InstallWatch } from './report';
import type { TensorFlowSource } from './source';

const run = promisify(execFile);

export interface Compiler {
  name: string;
  version: string;
}

/** The C++ compiler: CXX, or the first of the usual names that works. @throws UserError when there is none */
export async function findCompiler(env: NodeJS.ProcessEnv = process.env): Promise<Compiler> {
  const names = env.CXX ? [env.CXX] : ['c++', 'g++', 'clang++'];
  for (const name of names) {
    try {
      const { stdout } = await run(name, ['--version'], { env, timeout: 20_000 });
      return { name, version: stdout.split('\n')[0] };
    } catch {
      // not installed: try the next one
    }
  }
  const tools =
    process.platform === 'darwin'
      ? '`xcode-select --install`'
      : "your system's packages (Debian, Ubuntu: `apt install g++`)";
  throw new UserError(`no C++ compiler: ${names.join(', ')} ${names.length > 1 ? 'are' : 'is'} not installed`, {
    code: 'compiler',
    remedy: `Install one with ${tools}, or set CXX.`,
  });
}

/**
 * Builds the binding of `tfjsNode` in the data folder. The libraries stay where they are, and their folder is compiled
 * into the binding, because pip's TensorFlow finds its CUDA libraries only when loaded from its own folder.
 */
export async function buildBinding(
  root: string,
  source: TensorFlowSource,
  parts: { tfjsNode: string; nodeApi: string; compiler: Compiler },
  { progress, signal }: InstallWatch,
): Promise<void> {
  progress({ doing: `Compiling the binding with ${parts.compiler.name}` });
  const work = mkdtempSync(join(root, 'build-'));
  const made = join(work, 'tfjs_binding.node');
  const sources = join(parts.tfjsNode, 'binding');
  const files = readdirSync(sources).filter((name) => name.endsWith('.cc'));
  try {
    const includes = ['-I', parts.nodeApi, '-I', source.include, '-I', parts.tfjsNode];
    const language = ['-std=c++17', '-O2', '-fPIC', '-DNAPI_VERSION=8', '-w'];
    const objects = await Promise.all(
      files.map(async (name) => {
        const object = join(work, `${name}.o`);
        await run(parts.compiler.name, [...language, ...includes, '-c', join(sources, name), '-o', object], { signal });
        return object;
      }),
    );
    const folders = [...new Set(source.libraries.map((library) => dirname(library)))];
    const link = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
    const paths = folders.map((folder) => `-Wl,-rpath,${folder}`);
    await run(parts.compiler.name, [...link, ...objects, ...source.libraries, ...paths, '-o', made], { signal });
    renameSync(made, bindingFile(root));
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw compileError(diskError(error, root, 'nothing was set up'), source);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Turns the compiler's output into a UserError. */
export function compileError(error: unknown, source: TensorFlowSource): unknown {
  const { stderr } = error as { stderr?: string };
  if (error instanceof UserError || stderr === undefined) return error;
  const [, header] = /fatal error: ['"]?([^'":]+)['"]?(?: file not found|: No such file)/.exec(stderr) ?? [];
  if (header)
    return new UserError(`TensorFlow's headers are incomplete: ${header} is missing`, {
      file: source.include,
      code: 'tensorflow',
      remedy: 'Reinstall TensorFlow, or run `distillery backend install --download`.',
      cause: error,
    });
  if (/No space left on device/.test(stderr))
    return new UserError('no space left on the disk', {
      code: 'disk',
      remedy: 'Free some space and try again.',
      cause: error,
    });
  const line = stderr.split('\n').find((text) => /error|undefined reference|incompatible|wrong format/i.test(text));
  return new UserError(
    `the binding does not compile with TensorFlow ${source.version}: ${line?.trim() ?? stderr.slice(0, 300)}`,
    {
      code: 'tensorflow',
      remedy: 'Use a tested TensorFlow (docs/tensorflow.md), for example with `distillery backend install --download`.',
      cause: error,
    },
  );
}
