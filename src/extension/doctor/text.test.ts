import { expect, it } from 'vitest';
import { UserError } from '../../errors';
import { doctorText } from './text';

const editor = { version: '0.1.0', name: 'Code 1.100', remote: '', trusted: true };
const node = { command: '/usr/bin/node', version: 'v20.20.2' };
const machine = {
  node: { version: 'v20.20.2', platform: 'linux-x64' },
  processor: { model: 'A | B', cores: 2 },
  memory: { total: 24e9, free: 1.5e9 },
  disk: { folder: '/w/.distillery/runs', free: 5e9, total: 1e12 },
  compiler: null,
  addon: { file: 'x.node', usable: true, isa: 'avx2', isas: ['avx2', 'sse2'], threads: 2 },
  backends: [
    { name: 'embedded', usable: true, detail: 'native', advice: 'Nothing to do.', gflops: 123.4 },
    { name: 'tensorflow', usable: false, detail: 'not installed', advice: 'Run `distillery backend install`.' },
    { name: 'cpu', usable: true, detail: 'JavaScript', advice: 'For toys.' },
  ],
  problems: [],
};

it('lists the working backends with their speeds, and the requirements of the others', () => {
  const { text } = doctorText({ editor, node, machine });
  expect(text).toContain('✓ Nothing is missing');
  expect(text).toMatch(/\| Node \| v20&#46;20&#46;2, \/usr\/bin\/node \|/);
  expect(text).toContain('| Processor | A &#124; B, 2 cores |');
  expect(text).toContain('24&#46;0 GB, 1&#46;5 GB free');
  expect(text).toMatch(/\| ✓ embedded \| 123 GFLOP\/s \| native \|\n\| ✗ tensorflow \| – \| not installed \|/);
  expect(text).toMatch(/- \*\*tensorflow\*\*: .*Set Up TensorFlow Backend/);
  expect(text).not.toContain('backend install');
  expect(text).toContain('- **cpu**: For toys&#46;');
});

it('is shown without a host, with the reason', () => {
  const why = new UserError('there is no Node 20 or newer for training', { remedy: 'Install Node.' });
  const { text } = doctorText({ editor: { ...editor, trusted: false, remote: 'ssh-remote' }, node: why, machine: why });
  expect(text).toContain('✗ This workspace is in Restricted Mode');
  expect(text).toContain('✗ there is no Node 20 or newer for training&#46; Install Node&#46;');
  expect(text).toContain('✗ The training host does not answer');
  expect(text).toContain('Code 1&#46;100 &#40;ssh&#45;remote&#41;');
  expect(text).not.toContain('Backends');
});
