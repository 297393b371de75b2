/**
 * The process of an engine: started without a shell, in a group of its own, with its last words kept; ended with all
 * below it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { packageRoot } from '../../paths';
import { killTree } from '../../processes';

/** What starts an engine. */
export interface EngineCommand {
  /** The program and its arguments. */
  line: readonly string[];
  /** Beside the environment of this process. */
  env?: Readonly<Record<string, string>>;
  /** Where it was named, for messages: a setting, an option, the installed engine. */
  origin: string;
}

/** So many characters of what an engine prints beside its messages are kept. */
const maxLog = 64 << 10;

export class EngineChild {
  private readonly child: ChildProcess;
  private log = '';
  /** Resolves when the process is gone: how it ended, in words. */
  readonly ended: Promise<string>;

  /** @param heard is told of every sign of life: bytes of messages, and null for any other. */
  constructor({ line, env }: EngineCommand, heard: (bytes: Buffer | null) => void) {
    const [program, ...args] = line;
    this.child = spawn(program, args, {
      // Not the workspace: `python -m` looks for modules in the working folder first, and would find what others put
      // there.
      cwd: packageRoot(),
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    const { stdin, stdout, stderr } = this.child;
    stdin!.on('error', () => {}); // the process is gone, which its end says
    stdout!.on('data', heard);
    stderr!.on('data', (bytes: Buffer) => {
      this.note(bytes.toString('utf8'));
      heard(null);
    });
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(startProblem(error, program)));
      this.child.once('exit', () => this.killGroup()); // processes that it started must not outlive it
      this.child.once('close', (code, signal) =>
        resolve(signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`),
      );
    });
  }

  /** Of the process, while it lives. */
  get pid(): number | undefined {
    return this.child.exitCode === null && this.child.signalCode === null ? this.child.pid : undefined;
  }

  /** Bytes that it has not taken yet. */
  get backlog(): number {
    return this.child.stdin!.writableLength;
  }

  /** Sends bytes; resolves when the pipe has room for more, or is gone. */
  async send(bytes: Buffer): Promise<void> {
    const { stdin } = this.child;
    if (stdin!.write(bytes)) return;
    await Promise.race([new Promise((resolve) => stdin!.once('drain', resolve)), this.ended]);
  }

  /** Adds what is no message to the log. */
  note(text: string): void {
    this.log = (this.log + text).slice(-maxLog);
  }

  /** The last lines that it wrote beside its messages. */
  lastWords(lines = 12): string[] {
    return this.log
      .split(/\r?\n/)
      .filter((line) => line.trim())
      .slice(-lines);
  }

  /** Closes its input, on which an engine ends; its process group is ended after `graceMs`. */
  async end(graceMs: number): Promise<void> {
    this.child.stdin!.end();
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends the process and its group at once. */
  kill(): void {
    if (this.pid) this.killGroup();
  }

  private killGroup(): void {
    const { pid } = this.child;
    if (!pid) return;
    try {
      if (process.platform === 'win32') killTree(pid);
      else process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody is left in it.
    }
  }
}

function startProblem(error: Error, program: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there is no program ${program}`;
  return code === 'EACCES' ? `${program} may not be run` : error.message;
}
