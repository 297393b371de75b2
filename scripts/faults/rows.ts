/** The rows of docs/faults.md. Each claim is shown by the tests that it names. */
export interface FaultRow {
  fault: string;
  /** What happens. */
  outcome: string;
  /** What is lost. */
  lost: string;
  /** The message that the user sees. */
  told: string;
  /** Its tests: a file, and a part of their full names (suites separated by `>`). */
  tests: [file: string, name: RegExp][];
}

const noRestart = 'nothing';

export const faultRows: FaultRow[] = [
  {
    fault: 'the process is killed (`kill -9`) at any time, in a save, or inside an append',
    outcome: '`resume` goes on from the newest whole checkpoint; the result is that of a run that was not interrupted',
    lost: 'the updates since that checkpoint, done again',
    told: 'the run is shown as interrupted, with the command that goes on',
    tests: [
      ['test/faults/killed-run.test.ts', /./],
      ['test/faults/kill.test.ts', /./],
      ['src/runs/jsonl.test.ts', /a torn last line/],
    ],
  },
  {
    fault: 'a power cut leaves lines or tails of NULs; a line is damaged, or thousands are',
    outcome:
      'every reader shows the rest, behind 1000 such lines nothing more; `resume` cuts what lies behind its checkpoint',
    lost: 'the damaged lines',
    told: 'a note with file and line',
    tests: [
      ['src/runs/jsonl.test.ts', /a line that cannot be read/],
      ['test/faults/damaged.test.ts', /records that a power cut damaged/],
      ['test/cli/runs.test.ts', /shows what can be read of a damaged run/],
    ],
  },
  {
    fault: 'a checkpoint, its `state.json` or `config.json` is damaged or was edited',
    outcome: 'the checkpoint before is taken; a config that cannot be gone by is refused, and the run stays as it was',
    lost: 'the updates since the checkpoint before',
    told: 'the checkpoint passed over, and why, by name',
    tests: [['test/faults/damaged.test.ts', /the state of a checkpoint|config\.json/]],
  },
  {
    fault: 'checkpoints that `run.json` does not name: put there by somebody, or newer than a restored `run.json`',
    outcome: 'they stay; one in the way of a new checkpoint is renamed to `<name>.other`',
    lost: noRestart,
    told: '',
    tests: [['src/runs/writer.test.ts', /keeps checkpoints that run\.json does not name|killed process was writing/]],
  },
  {
    fault: 'the disk is full',
    outcome:
      'training waits, with the weights in memory, before an update that could not be saved and in ' +
      'whatever it writes, and goes on when there is space; nothing is torn, no run is begun',
    lost: 'nothing; stopped while it waits, the updates since the newest checkpoint',
    told: 'before it is full, while it waits, and when it goes on',
    tests: [
      ['test/faults/disk.test.ts', /is told of before|keeps every record|leaves no folder/],
      ['test/faults/waiting.test.ts', /./],
      ['src/runs/jsonl.test.ts', /a full disk/],
    ],
  },
  {
    fault: 'the disk is read-only',
    outcome: 'runs are shown as before; whatever writes ends',
    lost: noRestart,
    told: '"does not allow writing (EROFS)"',
    tests: [['test/faults/disk.test.ts', /read-only/]],
  },
  {
    fault: 'the place goes away (an unplugged share), and comes back',
    outcome: 'the next write ends the run, nothing is made in its stead; back again it is whole',
    lost: 'the updates since the newest checkpoint',
    told: 'the file that cannot be written',
    tests: [['test/faults/places.test.ts', /a place that goes away/]],
  },
  {
    fault: 'a disk that fails or does not answer (EIO, ESTALE, ENOTCONN), or is slow',
    outcome: 'the write that fails ends the run, and every earlier line is whole; a slow one is waited for',
    lost: 'the updates since the newest checkpoint; of a slow disk nothing',
    told: '"the disk does not answer", with the code',
    tests: [['test/faults/places.test.ts', /a disk that answers|a slow disk/]],
  },
  {
    fault: 'runs on another file system than their archive',
    outcome: 'copied there, and removed here once the copy is whole',
    lost: noRestart,
    told: '',
    tests: [['test/faults/places.test.ts', /another file system/]],
  },
  {
    fault: 'symbolic links in a folder that somebody else made',
    outcome: 'none is followed out of the folder, by whatever writes',
    lost: noRestart,
    told: 'the link, by name',
    tests: [['test/faults/links.test.ts', /./]],
  },
  {
    fault: 'names of 255 bytes, of other scripts, alike but for their case',
    outcome: 'each run has a folder of its own, with a plain name',
    lost: noRestart,
    told: 'the name as it was given',
    tests: [['test/faults/places.test.ts', /names of 255 bytes/]],
  },
  {
    fault: 'a clock that jumps, years forwards and back',
    outcome: 'records are counted, not timed: their order and `resume` are as ever',
    lost: noRestart,
    told: 'only by the times shown',
    tests: [['test/faults/places.test.ts', /a clock that jumps/]],
  },
  {
    fault: 'a run folder is copied to another place or machine, its lock with it, and resumed there',
    outcome: 'goes on there; the original stays as it is',
    lost: noRestart,
    told: '',
    tests: [
      ['test/faults/places.test.ts', /copied elsewhere/],
      ['src/runs/lock.test.ts', /./],
    ],
  },
  {
    fault: 'many processes want one run, or one folder’s host',
    outcome: 'one has it',
    lost: noRestart,
    told: 'the process that has it',
    tests: [
      ['test/faults/lock.test.ts', /./],
      ['test/host/faults.test.ts', /the only one of its folder/],
    ],
  },
  {
    fault: 'a lock of number 2^53, a lock that is a file, a named pipe in place of a file, a token id of 1e9',
    outcome: 'refused at once, nothing waits',
    lost: noRestart,
    told: 'file and remedy',
    tests: [
      ['test/faults/damaged.test.ts', /a lock/],
      ['src/lines.test.ts', /named pipe/],
      ['src/model/hostile.test.ts', /./],
    ],
  },
  {
    fault: 'the host is stopped (SIGSTOP) and goes on',
    outcome:
      'clients call it lost, and find it again; training goes on; what it was asked for in vain it does not do later',
    lost: noRestart,
    told: '"lost", and its return',
    tests: [['test/host/faults.test.ts', /that hangs/]],
  },
  {
    fault: 'the host dies, once or in a loop',
    outcome: 'it is started anew, at most four times; its run is not, and can be resumed',
    lost: 'the updates since the newest checkpoint',
    told: 'as a crash, with its last words',
    tests: [['test/host/faults.test.ts', /dies/]],
  },
  {
    fault: 'the thread of the host that answers clients fails',
    outcome: 'it is started anew; the run goes on, clients find it again',
    lost: 'requests under way',
    told: '`host.log`',
    tests: [['test/host/faults.test.ts', /whose server fails/]],
  },
  {
    fault: 'messages to the host: too long, too deep, too many, no JSON, in any order, with or without the token',
    outcome: 'that connection ends, and nothing else',
    lost: noRestart,
    told: '`host.log`',
    tests: [['src/host/connection.test.ts', /./]],
  },
  {
    fault: 'texts made to cost, of models, datasets and teachers',
    outcome: 'whatever reads them takes time in proportion to their length: at most a second for 1 MB',
    lost: noRestart,
    told: '',
    tests: [['test/faults/hostile-text.test.ts', /is linear/]],
  },
  {
    fault: 'a chat template or a regular expression of a tokenizer without an end',
    outcome: 'ended after seconds, by steps, output or time',
    lost: noRestart,
    told: 'the file, and what it exceeds',
    tests: [
      ['src/student-files/prompting.test.ts', /are refused: one that/],
      ['src/student-files/tokenizer.test.ts', /looks for ever/],
    ],
  },
  {
    fault: 'config files made to cost',
    outcome: 'checked in a time that their length bounds',
    lost: noRestart,
    told: 'at most 200 findings',
    tests: [['src/config/check.test.ts', /made to cost/]],
  },
  {
    fault: 'a teacher or server that never ends its answer, breaks off or sends too much',
    outcome: 'cut off by size and time; what is paid is kept',
    lost: 'that reply',
    told: 'the reason, and the next try',
    tests: [
      ['src/teachers/openai.test.ts', /without an end/],
      ['src/backend-install/backend-install.test.ts', /fetching/],
    ],
  },
  {
    fault: 'a download that is not what it was when this version was made',
    outcome: 'refused: hashes come with Distillery (`SECURITY.md` tells of what)',
    lost: noRestart,
    told: 'the file',
    tests: [
      ['src/backend-install/backend-install.test.ts', /hash that is known|fetching/],
      ['src/engine-install/engine-install.test.ts', /comes with hashes/],
    ],
  },
  {
    fault: 'a workspace that is not trusted: its settings, paths, tokenizers, templates, rewards, commands, decisions',
    outcome:
      'shown only: nothing of it runs, is fetched or is written, and nothing outside of it is read ' +
      '(in the real editor: `npm run test:e2e -- --grep "Restricted Mode"`)',
    lost: noRestart,
    told: 'what is not read, and how to trust',
    tests: [
      ['src/extension/named-files.test.ts', /./],
      ['src/extension/trust.test.ts', /./],
    ],
  },
  {
    fault: 'texts with links, control sequences or markup, of anybody',
    outcome: 'shown as text in terminal, editor and pages',
    lost: noRestart,
    told: 'what cannot be seen as its code, such as `U+001B`',
    tests: [
      ['test/cli/hostile-text.test.ts', /./],
      ['src/foreign-text.test.ts', /./],
      ['src/extension/markdown.test.ts', /./],
    ],
  },
];

/** The files of these tests. */
export const faultFiles = [...new Set(faultRows.flatMap(({ tests }) => tests.map(([file]) => file)))];

export const heading = '| fault | what happens | lost | told how | tests |\n| --- | --- | --- | --- | --- |';

/** A row of docs/faults.md, with the results of its tests if they were run. */
export function rowText({ fault, outcome, lost, told, tests }: FaultRow, tries = ''): string {
  const proof = [...new Set(tests.map(([file]) => `\`${file}\``)), tries].filter(Boolean).join('<br>');
  return `| ${[fault, outcome, lost, told, proof].join(' | ')} |`;
}
