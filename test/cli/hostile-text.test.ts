/** Names and texts of models, datasets, servers, files and folders cannot control the terminal. */
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeServer, openServer } from '../../src/teachers/testing/server';
import { type Distillery, openDistillery, tinyFile } from './distillery';

/**
 * A window's title, the clipboard, a cleared screen, a colour, C1 controls, a turn of direction, a backspace, a return.
 */
const evil =
  '\u001b]0;title\u0007\u001b]52;c;eA==\u0007\u001b[2J\u001b[31mred\u009b31m\u202eright\u2066\b\rstart\u2028';
/** What a file name can be made of as well. */
const evilName = 'n\u001b]0;t\u0007\u009b2J\u202e';

let distillery: Distillery;
let server: FakeServer;
let runFolder: string;
beforeAll(async () => {
  distillery = await openDistillery();
  server = await openServer(() => ({ status: 400, error: `no ${evil}`, body: { error: { message: `no ${evil}` } } }));
  const rows = Array.from({ length: 12 }, (_, i) => ({
    id: `id${evil}${i}`,
    question: `What is ${i} + 3? ${evil}`,
    answer: `${i + 3}`,
    chain: `Step 1: ${i} + 3 = ${i + 3} ${evil}\nStep 2: ${i + 3} + 0 = ${i + 3}\nAnswer: ${i + 3}`,
  }));
  const data = `data ${evilName}.jsonl`;
  distillery.write(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  distillery.write('broken.jsonl', `{"id":"a", ${evil}}\n`);
  const source = { format: 'chains' as const, path: data };
  distillery.write('good/good.distillery.json', {
    ...tinyFile({ data: { train: { ...source, count: 8 }, test: { ...source, start: 8 }, validation: 2 } }),
    student: { path: '../student' },
    data: {
      train: { ...source, path: `../${data}`, count: 8 },
      test: { ...source, path: `../${data}`, start: 8 },
      validation: 2,
    },
  });
  distillery.write('named.distillery.json', { ...tinyFile(), name: `n${evil}` });
  distillery.write('keyed.distillery.json', { ...tinyFile(), [`key${evil}`]: 1 });
  distillery.write('lost.distillery.json', { ...tinyFile(), student: { path: `student ${evil}` } });
  distillery.write('evil.reward.json', { name: `reward${evil}`, components: [{ use: 'correctness' }] });
  distillery.write('unknown.reward.json', { components: [{ use: `correct${evil}` }] });
  distillery.write('nul.distillery.json', '\0'.repeat(64));
  distillery.write('torn.reward.json', `{"components": [${evil}`);
  await finished(distillery.run('run', 'good', '--runs', 'runs'));
  const [name] = readdirSync(join(distillery.folder, 'runs'));
  renameSync(join(distillery.folder, 'runs'), join(distillery.folder, `runs ${evilName}`));
  runFolder = join(distillery.folder, `runs ${evilName}`, name);
  edit('run.json', (record) => ({ ...record, reason: `because ${evil}`, state: 'failed' }));
  editLines('failures.jsonl', (record) => ({ ...record, problemId: `p${evil}`, category: `c${evil}` }));
  editLines('failures.jsonl', (record) => ({
    ...record,
    firstWrongStep: { sample: 0, step: 0, text: `text ${evil}`, reason: `reason ${evil}` },
  }));
  const rollouts = join('rollouts', 'complete');
  for (const file of readdirSync(join(runFolder, rollouts)))
    editLines(join(rollouts, file), (record) => ({ ...record, text: `t${evil}`, problemId: `id${evil}0` }));
}, 240_000);
afterAll(async () => {
  await server?.close();
  distillery?.close();
});

const edit = (name: string, change: (value: Record<string, unknown>) => object) => {
  const file = join(runFolder, name);
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')))));
};
const editLines = (name: string, change: (value: Record<string, unknown>) => object) => {
  const file = join(runFolder, name);
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  writeFileSync(file, lines.map((line) => `${JSON.stringify(change(JSON.parse(line)))}\n`).join(''));
};

async function finished(running: ReturnType<Distillery['run']>) {
  const { code, stdout, stderr } = await running;
  if (code !== 0) throw new Error(stdout + stderr);
}

/** Everything that a terminal obeys, except line ends and the colours that this program uses. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them
const acting = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const ownColours = /\u001b\[(?:[1247]|2[247]|3[1-6]|39)m/g;

/** Both with and without colours, and as JSON: nothing acts; the texts are there, with what would act as its code. */
async function expectShown(args: string[], ...shown: string[]): Promise<void> {
  for (const [more, env] of [
    [[], {}],
    [[], { NO_COLOR: undefined, FORCE_COLOR: '1' }],
    [['--json'], {}],
  ] as const) {
    const { stdout, stderr } = await distillery.with(env).run(...args, ...more);
    const written = stdout + stderr;
    expect(stderr).not.toContain('    at '); // a stack
    expect('FORCE_COLOR' in env ? written.replace(ownColours, '') : written).not.toMatch(acting);
    expect(written).not.toContain('\u001b[31mred');
    if (more.length === 0) for (const text of shown) expect(written).toContain(text);
    if (more.length > 0) for (const line of stdout.trim().split(/\n(?=[{[])/)) JSON.parse(line);
  }
}

const title = 'U+001B]0;titleU+0007';

it.each([
  ['show', () => ['show', runFolder], ['because ', 'reason ', 'cU+001B', title, 'U+202E', 'U+009B']],
  ['runs', () => ['runs', '--runs', join(runFolder, '..')], ['U+009B2J']],
  ['preview', () => ['preview', 'good'], [`idU+001B`, title]],
  ['score', () => ['score', 'evil.reward.json', join(runFolder, 'rollouts/complete/1.jsonl')], [`reward${title}`]],
  ['an experiment without a student', () => ['run', 'lost.distillery.json'], [title]],
  ["an experiment's name", () => ['run', 'named.distillery.json'], []],
  ['an unknown key', () => ['run', 'keyed.distillery.json'], [`key`, 'U+001B']],
  ['an unknown component', () => ['score', 'unknown.reward.json', runFolder], []],
  ['a reward that is no JSON', () => ['score', 'torn.reward.json', runFolder], ['torn.reward.json']],
  ['a file of NULs', () => ['run', 'nul.distillery.json'], ['nul.distillery.json']],
  ['a dataset that is no JSON', () => ['evaluate', 'student', '--data', 'broken.jsonl'], ['broken.jsonl']],
  ['an unknown run', () => ['show', `x${evil}`, '--runs', join(runFolder, '..')], [`x${title}`]],
  ['an unknown command', () => [`x${evil}`], []],
  ['an unknown option', () => ['runs', `--x${evil}`], []],
  ['a question', () => ['ask', 'student', '--max-new-tokens', '4', `What? ${evil}`], []],
])('%s', (_, args, shown) => expectShown(args(), ...shown));

it('a teacher and a server that refuse', async () => {
  const to = ['--base-url', server.baseUrl, '--model', `m${evil}`, '--samples', '1', '--yes'];
  await expectShown(['teach', `data ${evilName}.jsonl`, '--out', 'taught.jsonl', ...to], title);
  const data = ['--data', 'arithmetic', '--limit', '2', '--max-new-tokens', '4'];
  await expectShown(['evaluate', '--server', server.baseUrl, '--model', `m${evil}`, ...data], title);
});

it('a run whose records cannot be read', async () => {
  const metrics = join(runFolder, 'metrics.jsonl');
  writeFileSync(metrics, `{"seq": ${evil}}\n${readFileSync(metrics, 'utf8')}`);
  await expectShown(['show', runFolder], 'metrics.jsonl');
  writeFileSync(join(runFolder, 'run.json'), '\0'.repeat(2000));
  await expectShown(['resume', runFolder], 'run.json');
  await expectShown(['runs', '--runs', join(runFolder, '..')], 'unreadable');
  writeFileSync(join(runFolder, 'run.json'), `{"format": 1, "id": ${evil}`);
  await expectShown(['show', runFolder], 'run.json');
});

it('a student whose chat template complains', async () => {
  const student = join(distillery.folder, `student ${evilName}`);
  cpSync(join(distillery.folder, 'student'), student, { recursive: true });
  writeFileSync(join(student, 'chat_template.jinja'), `{{ raise_exception(${JSON.stringify(`no ${evil}`)}) }}`);
  await expectShown(['ask', student, '--prompt', 'chat', '2 + 2?'], 'U+001B');
  mkdirSync(join(distillery.folder, `out ${evilName}`));
  await expectShown(['export', student, `out ${evilName}`], 'U+001B');
});
