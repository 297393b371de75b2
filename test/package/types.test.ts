/** The package's types, as a user's project sees them: the packed files, and the examples of the docs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { ProcessEngine } from '../../src/engine/process/engine';
import { packageRoot } from '../../src/paths';
import { readSummary } from '../../src/runs/reading';
import { tarFiles } from '../../src/tar';

const root = packageRoot();
const entries = ['rewards', 'records', 'engine'];
const project = mkdtempSync(join(tmpdir(), 'distillery-user-'));
let run: string;

/** Lines that the types refuse: the compiler reports one that it accepts. */
const refused = `
import type { EngineRequests } from 'distillery/engine';
import type { MetricsRecord, RolloutRecord } from 'distillery/records';
import type { RewardFunction } from 'distillery/rewards';

export const lossOf = ({ loss }: MetricsRecord): number => Number(loss);
// @ts-expect-error a loss may be absent, or the text "NaN"
export const wrongLoss = ({ loss }: MetricsRecord): number => loss;
// @ts-expect-error no such field
export const misspelt = ({ logprobs }: RolloutRecord) => logprobs;
// @ts-expect-error a value is a number or null
export const wrongReward: RewardFunction = () => 'much';
// @ts-expect-error the device is missing
export const wrongHello: EngineRequests['hello']['result'] = { protocol: 1, engine: 'mine', version: '1' };
`;

/** The indented block of a page that imports the entry. */
function example(page: string, entry: string): string {
  const blocks = readFileSync(join(root, 'docs', page), 'utf8').match(/(?: {4}.*\n|\n)+/g) ?? [];
  return blocks.find((block) => block.includes(`from 'distillery/${entry}'`))!.replace(/^ {4}/gm, '');
}

async function unpack(folder: string): Promise<void> {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', project];
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' })) as {
    filename: string;
  }[];
  const files = await tarFiles(
    readFileSync(join(project, filename)),
    (path) => /package\.json|types\//.test(path),
    1e9,
  );
  for (const [path, content] of files) {
    const file = join(folder, path.replace(/^package\//, ''));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

beforeAll(async () => {
  const modules = join(project, 'node_modules');
  await unpack(join(modules, 'distillery'));
  for (const name of ['@types', 'vscode-jsonrpc']) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  cpSync(join(root, 'examples/arithmetic/short-sentences.reward.mjs'), join(project, 'short-sentences.reward.mjs'));
  writeFileSync(join(project, 'curve.ts'), example('run-folder.md', 'records'));
  writeFileSync(join(project, 'engine.ts'), example('engine.md', 'engine'));
  writeFileSync(join(project, 'refused.ts'), refused);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
  const compilerOptions = { strict: true, module: 'nodenext', target: 'es2022', types: ['node'], outDir: 'out' };
  const config = { compilerOptions: { ...compilerOptions, allowJs: true, checkJs: true }, include: ['*.ts', '*.mjs'] };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
  const folder = await tinyWorkspace();
  const signal = new AbortController().signal;
  run = (await startRun(tinyExperiment(folder), join(project, 'runs'), { notify: () => {}, signal })).folder;
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

it('has an entry for every file of types/, all in the package', () => {
  const { exports } = JSON.parse(readFileSync(join(project, 'node_modules/distillery/package.json'), 'utf8'));
  const typed = Object.keys(exports).filter((entry) => exports[entry].types);
  expect(typed).toEqual(entries.map((entry) => `./${entry}`));
});

describe("a user's project", () => {
  it('compiles, and refuses what is wrong', () => {
    const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });

  it('reads the records of a run', () => {
    const printed = execFileSync(process.execPath, [join(project, 'out/curve.js'), run], { encoding: 'utf8' });
    const lines = readFileSync(join(run, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
    const { stage, step, reward, loss } = JSON.parse(lines.at(-1)!);
    expect(printed.trimEnd().split('\n')).toHaveLength(lines.length);
    expect(printed.trimEnd().split('\n').at(-1)).toBe(`${stage} ${step} ${reward ?? loss}`);
    expect(readSummary(run).length).toBeGreaterThan(0);
  });

  it('is an engine that Distillery starts', async () => {
    const line = [process.execPath, join(project, 'out/engine.js')];
    const engine = await ProcessEngine.start({ line, origin: 'a test' }, { client: '0' });
    expect(engine.info).toMatchObject({ description: expect.stringContaining('mine 0.1'), device: 'cpu' });
    await engine.close();
  });
});
