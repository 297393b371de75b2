/** A folder that tries to run code, load something, lead out of itself, or block, once it is opened. */
import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { tinyFile } from '../../cli/distillery';

/** Answers all requests: a teacher, the Hub, a host. */
export interface Lure {
  url: string;
  socket: string;
  /** The requests received. */
  asked: string[];
  close(): void;
}

/** `scratch`: a folder for its socket. */
export async function openLure(scratch: string): Promise<Lure> {
  const asked: string[] = [];
  const web = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('{}');
  });
  const host = createServer((connection) => {
    asked.push('a host');
    connection.destroy();
  });
  const socket = join(scratch, 'host.sock');
  const listen = (server: Server | ReturnType<typeof createServer>, at: { port: number; host: string } | string) =>
    new Promise<void>((resolve, reject) => server.once('error', reject).listen(at, resolve));
  await Promise.all([listen(web, { port: 0, host: '127.0.0.1' }), listen(host, socket)]);
  const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  const close = () => {
    web.close();
    host.close();
  };
  return { url, socket, asked, close };
}

/** The file that the folder's programs make, once one of them runs. */
export const mark = (folder: string) => join(folder, '..', 'ran');

export function setTraps(folder: string, { url, socket }: Lure): void {
  const write = (name: string, content: string | object) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content, null, 1));
  };
  const program = join(folder, 'trap.sh');
  write('trap.sh', `#!/bin/sh\ntouch '${mark(folder)}'\n`);
  chmodSync(program, 0o755);
  write('.vscode/settings.json', {
    'distillery.node': program,
    'distillery.backend': 'torch',
    'distillery.engine.command': program,
    'distillery.trackers': ['wandb'],
    'distillery.trackers.online': true,
    'distillery.trackers.python': program,
    'distillery.teacher.baseUrl': `${url}/v1`,
    'distillery.teacher.model': 'x',
  });
  write('.distillery/host/host.json', { endpoint: socket, token: 'token', pid: process.pid, protocol: 1 });
  write('.distillery/host/lock/9007199254740992.json', { pid: 1, startTime: '1', machine: 'x' });

  // A student: endless templates and expressions, unlimited sizes, a pipe without a writer.
  const endless = '{% set r = range(19000) %}{% for i in r %}{% for j in r %}{% endfor %}{% endfor %}';
  write('trap/chat_template.jinja', endless);
  const split = { type: 'Split', pattern: { Regex: '(a+)+$|.' }, behavior: 'Isolated' };
  write('trap/tokenizer.json', {
    pre_tokenizer: split,
    model: { type: 'BPE', vocab: { a: 1_000_000_000 }, merges: [] },
  });
  write('trap/config.json', { model_type: 'llama', hidden_size: 1e15, auto_map: { AutoModel: 'trap.Model' } });
  write('trap/trap.py', `open(${JSON.stringify(mark(folder))}, 'w')\n`);
  execFileSync('mkfifo', [join(folder, 'trap', 'model.safetensors')]);

  write('trap.reward.json', { components: [{ use: '../../trap.sh' }, { use: 'correctness', weight: 1e308 }] });
  write(
    'trap.distillery.json',
    tinyFile({
      name: 'trap',
      student: { path: 'trap' },
      data: {
        train: { format: 'chains', path: '../outside.chains.jsonl' },
        test: { format: 'chains', path: '/dev/zero' },
        validation: 1,
      },
    } as never),
  );
  const unknown = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`setting${i}`, 1]));
  write('keys.distillery.json', { name: 'keys', student: { path: 'nobody/nothing' }, ...unknown });
  write('../outside.chains.jsonl', '{"id": "o", "question": "a secret?", "answer": "1", "chain": "a secret"}\n');

  const runs = '.distillery/runs/20200101-000000-';
  write(`${runs}nul/failures.jsonl`, `${'\0'.repeat(4096)}\n`);
  execFileSync('mkfifo', [join(folder, `${runs}nul`, 'run.json')]);
  // Files outside, reached through links: records of a run, and a folder of runs.
  symlinkSync(join(folder, '..', 'outside.chains.jsonl'), join(folder, `${runs}nul`, 'metrics.jsonl'));
  symlinkSync(join(folder, '..'), join(folder, `${runs}linked`));
  write(`${runs}[Open](command:workbench.action.files.newUntitledFile)/run.json`, { name: '[Open](command:x)' });
}

/** The files of a folder, with the size and the time of each. */
export function stateOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => {
    const stat = lstatSync(join(folder, name));
    return stat.isDirectory() ? name : `${name} ${stat.size} ${stat.mtimeMs}`;
  });
}
