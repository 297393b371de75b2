/** The rows of docs/faults.md. Each states what its tests show. */
export interface FaultRow {
  fault: string;
  /** What happens. */
  outcome: string;
  /** What is lost. */
  lost: string;
  /** What the user sees. */
  message: string;
  /** Its tests: a file, and a pattern of the tests' full names (with `>` between suites). */
  tests: [file: string, name: RegExp][];
}

const nothing = 'nothing';

export const faultRows: FaultRow[] = [
  {
    fault: 'the process is killed (`kill -9`) at any time, in a save, or inside an append',
    outcome: '`resume` continues from the newest complete checkpoint, with the same result as an uninterrupted run',
    lost: 'the updates since that checkpoint, which are repeated',
    message: 'the run is shown as interrupted, with the command that resumes it',
    tests: [
      ['test/faults/killed-run.test.ts', /./],
      ['test/faults/kill.test.ts', /./],
      ['src/runs/jsonl.test.ts', /a torn last line/],
    ],
  },
  {
    fault:
      'a power cut leaves NUL bytes in records or at their end; one line, thousands of lines or a whole file cannot be ' +
      'read',
    outcome:
      'readers skip damaged lines, stop after 1000 of them, and show what the other files hold; `resume` cuts ' +
      'everything after its checkpoint, does without the lines before it, and repeats tests whose results are gone',
    lost: 'the damaged lines',
    message: 'a note with the file and line; one for updates that are gone',
    tests: [
      ['src/runs/jsonl.test.ts', /a line that cannot be read/],
      ['test/faults/damaged.test.ts', /records that a power cut damaged|records that are gone|summary\.json and/],
      ['test/cli/runs.test.ts', /shows what can be read of a damaged run/],
    ],
  },
  {
    fault: 'a checkpoint, its `state.json` or `config.json` is damaged or was edited',
    outcome: 'the previous checkpoint is used; an invalid config is refused, and the run is unchanged',
    lost: 'the updates since the previous checkpoint',
    message: 'the name of the skipped checkpoint, and the reason',
    tests: [['test/faults/damaged.test.ts', /the state of a checkpoint|config\.json/]],
  },
  {
    fault: 'checkpoints that `run.json` does not list: copied there, or newer than a restored `run.json`',
    outcome: 'they are kept; one with the name of a new checkpoint is renamed to `<name>.other`',
    lost: nothing,
    message: '',
    tests: [['src/runs/writer.test.ts', /keeps checkpoints that run\.json does not name|killed process was writing/]],
  },
  {
    fault: 'the disk is full',
    outcome:
      'training waits, with the weights in memory, before an update that could not be saved and at any ' +
      'write, and continues when there is space; no line is left incomplete, and no new run is started',
    lost: 'nothing; if it is stopped while it waits, the updates since the newest checkpoint',
    message: 'a warning before the disk is full, and messages while training waits and when it continues',
    tests: [
      ['test/faults/disk.test.ts', /is reported before|keeps every record|leaves no folder/],
      ['test/faults/waiting.test.ts', /./],
      ['src/runs/jsonl.test.ts', /a full disk/],
    ],
  },
  {
    fault: 'the disk is read-only',
    outcome: 'runs can still be read; commands that write fail',
    lost: nothing,
    message: '"does not allow writing (EROFS)"',
    tests: [['test/faults/disk.test.ts', /read-only/]],
  },
  {
    fault: 'the disk or share is disconnected, and comes back',
    outcome:
      'the next write ends the run, and no folder is created in its place; reconnected, the run is complete ' +
      'and can be resumed',
    lost: 'the updates since the newest checkpoint',
    message: 'the path that cannot be written',
    tests: [['test/faults/places.test.ts', /a place goes away/]],
  },
  {
    fault: 'a disk that fails or does not answer (EIO, ESTALE, ENOTCONN), or is slow',
    outcome: 'a write that fails ends the run, and all earlier lines are complete; training waits for a slow write',
    lost: 'the updates since the newest checkpoint; nothing on a slow disk',
    message: '"the disk does not answer", with the code',
    tests: [['test/faults/places.test.ts', /a disk that answers|a slow disk/]],
  },
  {
    fault: 'the archive is on another file system than the runs',
    outcome: 'the run is copied, and removed when the copy is complete',
    lost: nothing,
    message: '',
    tests: [['test/faults/places.test.ts', /another file system/]],
  },
  {
    fault: 'symbolic links in a folder from elsewhere',
    outcome: 'nothing is written through a link',
    lost: nothing,
    message: 'the path of the link',
    tests: [['test/faults/links.test.ts', /./]],
  },
  {
    fault: 'names of 255 bytes, in other scripts, or that differ only in case',
    outcome: 'each run gets its own folder with a plain name',
    lost: nothing,
    message: 'the name is shown as given',
    tests: [['test/faults/places.test.ts', /names of 255 bytes/]],
  },
  {
    fault: 'the clock jumps by years, forwards and backwards',
    outcome: 'nothing changes: records are ordered by number, not by time',
    lost: nothing,
    message: 'the times shown are wrong',
    tests: [['test/faults/places.test.ts', /a clock that jumps/]],
  },
  {
    fault:
      'a run folder is copied elsewhere, also to another machine or in the middle of its training, with its lock, ' +
      'and resumed there',
    outcome: 'the copy is resumed; the original is unchanged',
    lost: nothing,
    message: '',
    tests: [
      ['test/faults/places.test.ts', /copied elsewhere/],
      ['src/runs/lock.test.ts', /./],
    ],
  },
  {
    fault: 'several processes open one run, or start a host for one folder',
    outcome: 'one of them gets it',
    lost: nothing,
    message: 'the id of the process that has it',
    tests: [
      ['test/faults/lock.test.ts', /./],
      ['test/host/faults.test.ts', /the only one of its folder/],
    ],
  },
  {
    fault: 'a lock with the number 2^53, a lock that is a file, a named pipe instead of a file, a token id of 1e9',
    outcome: 'refused at once; nothing hangs',
    lost: nothing,
    message: 'the file and a remedy',
    tests: [
      ['test/faults/damaged.test.ts', /a lock/],
      ['src/lines.test.ts', /named pipe/],
      ['src/model/hostile.test.ts', /./],
    ],
  },
  {
    fault:
      "a student's files are damaged, missing, of another student, or no files: weights that are cut off or hold " +
      'NULs, tokens beyond the model',
    outcome:
      'refused at once by all commands that open students, on every engine; nothing hangs, and nothing is completed ' +
      'by random weights',
    lost: nothing,
    message: 'the file, the place or tensor, and a remedy',
    tests: [
      ['test/faults/students.test.ts', /./],
      ['test/engines/torch.test.ts', /damaged/],
    ],
  },
  {
    fault:
      'a Tinker server is restarted, with its storage or without it; a student that is damaged or gone at a resume',
    outcome:
      'the run ends; `resume` continues it on a server with its storage; otherwise it is refused before any record is ' +
      'removed',
    lost: 'the updates since the newest checkpoint; without the storage, weights and moments on the server',
    message: 'the server or the file, and a remedy',
    tests: [
      ['src/engine/tinker/client.test.ts', /restarted server/],
      ['test/faults/damaged.test.ts', /every record of the run is kept/],
    ],
  },
  {
    fault: 'the host is suspended (SIGSTOP) and continued',
    outcome:
      'clients report the connection as lost and reconnect; training continues; requests that timed out meanwhile ' +
      'are not carried out later',
    lost: nothing,
    message: '"lost", then the state of the run again',
    tests: [['test/host/faults.test.ts', /that hangs/]],
  },
  {
    fault: 'the host crashes, once or repeatedly',
    outcome: 'it is restarted, at most four times; its run is not, but can be resumed',
    lost: 'the updates since the newest checkpoint',
    message: 'a crash, with its last output',
    tests: [['test/host/faults.test.ts', /dies/]],
  },
  {
    fault: 'the thread of the host that answers clients crashes',
    outcome: 'it is restarted; the run continues, and clients reconnect',
    lost: 'requests in progress',
    message: '`host.log`',
    tests: [['test/host/faults.test.ts', /whose server fails/]],
  },
  {
    fault:
      'invalid messages to the host: too long, too deep, too many, not JSON, in any order, with or without the token',
    outcome: 'the host closes that connection and continues',
    lost: nothing,
    message: '`host.log`',
    tests: [['src/host/connection.test.ts', /./]],
  },
  {
    fault: 'adversarial texts of models, datasets and teachers',
    outcome: 'every function that reads them takes time linear in their length, at most about a second for 1 MB',
    lost: nothing,
    message: '',
    tests: [['test/faults/hostile-text.test.ts', /is linear/]],
  },
  {
    fault:
      'a chat template that loops, or a regular expression of a tokenizer that backtracks, without end or long for ' +
      'every text',
    outcome: 'stopped within seconds, by limits on steps, output and time, for one text and for all together',
    lost: nothing,
    message: 'the file and the limit',
    tests: [
      ['src/student-files/prompting.test.ts', /are refused: one that/],
      ['src/student-files/tokenizer.test.ts', /never ends, in a text|slow for each of many texts/],
    ],
  },
  {
    fault: 'adversarial config files',
    outcome: 'checked in time linear in their length',
    lost: nothing,
    message: 'at most 200 findings',
    tests: [['src/config/check.test.ts', /a hostile file/]],
  },
  {
    fault: 'a teacher, a Hub or another server whose response never begins, never ends, breaks off or is too long',
    outcome:
      'the request is ended by limits on size, on time, and on time without content (a teacher: 10 minutes of ' +
      'comments or empty events, 2 of silence); earlier replies are kept',
    lost: 'that reply',
    message: 'the server, the limit and a remedy; while it is tried again, the reason and the next attempt',
    tests: [
      ['src/answer-limits.test.ts', /./],
      ['src/teachers/openai.test.ts', /endless|time limit/],
      ['src/engine/tinker/client.test.ts', /without end/],
      ['src/hub/hub.test.ts', /never ends/],
      ['src/backend-install/backend-install.test.ts', /a download/],
    ],
  },
  {
    fault: 'a download differs from the one this version was built with',
    outcome: 'refused: Distillery contains the hashes (`SECURITY.md` lists them)',
    lost: nothing,
    message: 'the file',
    tests: [
      ['src/backend-install/backend-install.test.ts', /the pinned hash|a download/],
      ['src/engine-install/engine-install.test.ts', /comes with hashes/],
    ],
  },
  {
    fault: 'an untrusted workspace: its settings, paths, tokenizers, templates, rewards, commands, decisions',
    outcome:
      'its files are only shown: nothing is run, downloaded or written, and nothing outside it is read ' +
      '(in VS Code: `npm run test:e2e -- --grep "Restricted Mode"`)',
    lost: nothing,
    message: 'what was not read, and how to trust the workspace',
    tests: [
      ['src/extension/workspace/named-files.test.ts', /./],
      ['src/extension/workspace/trust.test.ts', /./],
    ],
  },
  {
    fault: 'texts with links, control sequences or markup, from any source',
    outcome: 'shown as plain text in the terminal, the editor and pages',
    lost: nothing,
    message: 'invisible characters are shown as codes, such as `U+001B`',
    tests: [
      ['test/cli/hostile-text.test.ts', /./],
      ['src/foreign-text.test.ts', /./],
      ['src/extension/vscode/markdown.test.ts', /./],
    ],
  },
];

/** The files of these tests. */
export const faultFiles = [...new Set(faultRows.flatMap(({ tests }) => tests.map(([file]) => file)))];

export const heading = '| fault | what happens | what is lost | message | tests |\n| --- | --- | --- | --- | --- |';

/** A row of docs/faults.md, with the counts of its tests if they have run. */
export function rowText({ fault, outcome, lost, message, tests }: FaultRow, tries = ''): string {
  const proof = [...new Set(tests.map(([file]) => `\`${file}\``)), tries].filter(Boolean).join('<br>');
  return `| ${[fault, outcome, lost, message, proof].join(' | ')} |`;
}
