/**
 * The process of an engine: started without a shell in its own process group, with its last output kept, and ended
 * together with its children.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { packageRoot } from '../../paths';
import { killTree } from '../../processes';

/** The command of an engine. */
export interface EngineCommand {
  /** The program and its arguments. */
  line: readonly string[];
  /** Added to the environment of this process. */
  env?: Readonly<Record<string, string>>;
  /** Where it is configured, for messages: a setting, an option, the installed engine. */
  origin: string;
  /** What to do if it does not start. */
  remedy?: string;
}

/** Characters of an engine's other output that are kept. */
const maxLog = 64 << 10;

export class EngineChild {
  private readonly child: ChildProcess;
  private log = '';
  /** Resolves when the process has exited, with the reason in words. */
  readonly ended: Promise<string>;

  /** @param onOutput is called for every sign of life: with bytes of messages, or null for other output */
  constructor({ line, env }: EngineCommand, onOutput: (bytes: Buffer | null) => void) {
    const [program, ...args] = line;
    this.child = spawn(program, args, {
      // Not the workspace: `python -m` searches the working folder first, and would load modules placed there.
      cwd: packageRoot(),
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    const { stdin, stdout, stderr } = this.child;
    stdin!.on('error', () => {}); // the exit handler reports that the process is gone
    stdout!.on('data', onOutput);
    stderr!.on('data', (bytes: Buffer) => {
      this.note(bytes.toString('utf8'));
      onOutput(null);
    });
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(startProblem(error, program)));
      this.child.once('exit', () => this.killGroup()); // its child processes must not outlive it
      this.child.once('close', (code, signal) =>
        resolve(signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`),
      );
    });
  }

  /** Id of the process while it is running. */
  get pid(): number | undefined {
    return this.child.exitCode === null && this.child.signalCode === null ? this.child.pid : undefined;
  }

  /** Bytes that are not written yet. */
  get backlog(): number {
    return this.child.stdin!.writableLength;
  }

  /** Sends bytes; resolves when the pipe has room for more, or is closed. */
  async send(bytes: Buffer): Promise<void> {
    const { stdin } = this.child;
    if (stdin!.write(bytes)) return;
    await Promise.race([new Promise((resolve) => stdin!.once('drain', resolve)), this.ended]);
  }

  /** Adds output that is not a message to the log. */
  note(text: string): void {
    this.log = (this.log + text).slice(-maxLog);
  }

  /** The last lines of its other output. */
  lastOutput(): string[] {
    return this.log
      .split(/\r?\n/)
      .filter((line) => line.trim())
      .slice(-12);
  }

  /** Closes its input, which ends an engine; the process group is killed after `graceMs`. */
  async end(graceMs: number): Promise<void> {
    this.child.stdin!.end();
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** Kills the process and its group at once. */
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
      // The group is empty.
    }
  }
}

function startProblem(error: Error, program: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there is no program ${program}`;
  return code === 'EACCES' ? `${program} cannot be executed` : error.message;
}
