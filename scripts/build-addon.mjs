// Builds kernels/build/<platform>-<arch>/distillery.node, if it is not up to date.
//   --if-possible   without a C compiler, succeed with a one-line message (WebAssembly is used then)
// Plain JavaScript, as it is a step of `npm ci`. The headers come from node-api-headers; nothing is downloaded. CC
// selects another compiler.
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = join(dirname(fileURLToPath(import.meta.url)), '..', 'kernels');
const folder = join(source, 'build', `${process.platform}-${process.arch}`);
const target = join(folder, 'distillery.node');
const ifPossible = process.argv.includes('--if-possible');

const isas = {
  x64: {
    generic: ['-DVW=4'],
    avx2: ['-DVW=8', '-mavx2', '-mfma'],
    avx512: ['-DVW=16', '-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl', '-mfma', '-mprefer-vector-width=512'],
  },
  arm64: { neon: ['-DVW=4'] },
}[process.arch] ?? { generic: ['-DVW=4'] };

// No -ffast-math: NaN must be preserved, so that divergence is detected.
const flags = [
  '-O3',
  '-std=gnu11',
  '-fPIC',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-ffp-contract=fast',
  '-fvisibility=hidden',
];
const link =
  process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-pthread', '-ldl'];

function giveUp(reason) {
  console.error(`distillery: no native kernels (${reason}); WebAssembly is used instead, about a third as fast.`);
  process.exit(ifPossible ? 0 : 1);
}

function findCompiler() {
  const names = process.env.CC ? [process.env.CC] : ['cc', 'gcc', 'clang'];
  for (const name of names) {
    const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { name, version: stdout.split('\n')[0] };
  }
  return giveUp(`no C compiler: ${names.join(', ')} not found`);
}

/** Some compilers do not support AVX-512 BF16, which is newer than the rest. */
function knowsBfloat16() {
  const test = ['-mavx512f', '-mavx512bf16', '-fsyntax-only', '-x', 'c', '/dev/null'];
  return process.arch === 'x64' && spawnSync(compiler.name, test).status === 0;
}

function headers() {
  try {
    return createRequire(import.meta.url)('node-api-headers').include_dir;
  } catch {
    return giveUp('the package node-api-headers is not installed');
  }
}

if (process.platform === 'win32') giveUp('they need POSIX threads');
const compiler = findCompiler();
const include = headers();
const bfloat16 = knowsBfloat16();

const hash = createHash('sha256').update(JSON.stringify([compiler.version, flags, link, isas]));
for (const file of readdirSync(source).sort()) {
  if (/\.[ch]$/.test(file)) hash.update(file).update(readFileSync(join(source, file)));
}
const stamp = hash.digest('hex');
const stampFile = join(folder, 'distillery.stamp');
if (existsSync(target) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
  utimesSync(target, new Date(), new Date()); // a checkout may have changed the sources' times only
  process.exit(0);
}

mkdirSync(folder, { recursive: true });
const work = mkdtempSync(join(folder, 'work-'));
try {
  const compile = (file, object, extra) =>
    run(compiler.name, [...flags, ...extra, '-c', join(source, file), '-o', join(work, object)]).then(() =>
      join(work, object),
    );
  const objects = await Promise.all([
    compile('addon.c', 'addon.o', ['-I', include, ...(bfloat16 ? ['-DHAS_BFLOAT16'] : [])]),
    compile('bfloat16.c', 'bfloat16.o', bfloat16 ? ['-mavx512f', '-mavx512bf16'] : []),
    ...Object.entries(isas).map(([isa, extra]) => compile('isa.c', `${isa}.o`, [`-DISA=${isa}`, ...extra])),
  ]);
  await run(compiler.name, [...objects, ...link, '-lm', '-o', join(work, 'distillery.node')]);
  // Replaces the file by a new one, so that processes which have loaded the old one are not affected.
  renameSync(join(work, 'distillery.node'), target);
  writeFileSync(stampFile, stamp);
  console.error(`distillery: native kernels built by ${compiler.version}`);
} catch (error) {
  giveUp(`${compiler.name} failed:\n${String(error.stderr ?? error).trim()}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
