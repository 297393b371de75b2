import { resolve } from 'node:path';
import { TookTooLong, withinTime } from '../bounded';
import { UserError } from '../errors';
import type { HostMethod, HostParams, HostResult } from '../protocol/control';
import { withPrompts } from '../student-files/prompting';
import { tokenizerAt } from '../student-files/student-tokenizer';
import type { Tokenizer } from '../student-files/tokenizer';
import type { Control } from './control';
import { log } from './faults';
import { lastChange } from './last-change';
import type { Job } from './messages';

/** Maximum time in which one request may block the thread that answers all clients, in milliseconds. */
const tokenizeMs = 5000;

export interface CallContext {
  /** Aborted when the client cancels the request or disconnects. */
  signal: AbortSignal;
  progress: (part: unknown) => void;
}

/** The host's requests, for any client. */
export class Service {
  private clients = 0;
  private tokenizer?: { folder: string; written: number; tokenizer: Tokenizer };
  /** It will end as soon as it is idle. */
  ending = false;

  constructor(
    private readonly control: Control,
    private readonly session: string,
    private readonly changed: () => void,
  ) {}

  get atWork(): boolean {
    return this.control.hostStatus.atWork;
  }

  /** No clients and no work. */
  get deserted(): boolean {
    return this.clients === 0 && !this.atWork;
  }

  joined(client: HostParams<'hello'>['client']): void {
    const { name, version, pid } = client;
    this.clients++;
    this.control.useEngines(client);
    log('info', `${name} ${version} (process ${pid}) is connected`);
    this.changed();
  }

  left(): void {
    this.clients--;
    this.changed();
  }

  async handle(
    method: Exclude<HostMethod, 'hello'>,
    params: unknown,
    { signal, progress }: CallContext,
  ): Promise<unknown> {
    const { control } = this;
    switch (method) {
      case 'status':
        return control.hostStatus.status(this.clients);
      case 'events':
        return this.events(params as HostParams<'events'>, signal);
      case 'start':
        return control.start(params as HostParams<'start'>);
      case 'resume':
        return control.resume(params as HostParams<'resume'>);
      case 'pause':
      case 'stop':
      case 'cancel':
        return control.verb(method);
      case 'evaluate':
      case 'ask':
      case 'rewrite':
      case 'doctor':
        return control.job({ kind: method, params } as Job, signal, progress);
      case 'tokenize':
        return this.tokenize(params as HostParams<'tokenize'>);
      case 'shutdown':
        return this.shutdown(params as HostParams<'shutdown'>);
    }
  }

  private async events(
    { session, after, waitMs }: HostParams<'events'>,
    signal: AbortSignal,
  ): Promise<HostResult<'events'>> {
    const { journal, hostStatus } = this.control;
    const known = session === this.session && after !== undefined;
    if (known && journal.after(after)?.length === 0) await journal.wait(after, waitMs, signal);
    const events = known ? journal.after(after) : undefined;
    if (events) return { session: this.session, events, next: events.at(-1)?.seq ?? after! };
    return { session: this.session, snapshot: hostStatus.status(this.clients), events: [], next: journal.last };
  }

  private tokenize({ checkpoint, texts, asked }: HostParams<'tokenize'>): HostResult<'tokenize'> {
    const tokenizer = this.tokenizerOf(resolve(checkpoint));
    const encode = asked ? withPrompts(tokenizer, asked).encodePrompt : tokenizer.encode;
    const { tokenTexts } = tokenizer;
    const tokensOf = (text: string) => {
      const ids = encode(text);
      return { ids, texts: tokenTexts(ids) };
    };
    try {
      return { texts: withinTime(tokenizeMs, () => texts.map(tokensOf)) };
    } catch (error) {
      if (!(error instanceof TookTooLong)) throw error;
      throw new UserError(`The texts cannot be tokenized: ${error.message}`, { file: checkpoint, code: 'slow' });
    }
  }

  /** The last tokenizer is cached, as texts come in series. */
  private tokenizerOf(folder: string): Tokenizer {
    const written = lastChange(folder, ['tokenizer.json']);
    if (this.tokenizer?.folder !== folder || this.tokenizer.written !== written)
      this.tokenizer = { folder, written, tokenizer: tokenizerAt(folder) };
    return this.tokenizer.tokenizer;
  }

  shutdown({ evenBusy }: HostParams<'shutdown'>): HostResult<'shutdown'> {
    if (this.atWork && !evenBusy) return { ending: false };
    this.ending = true;
    this.control.verb('stop');
    this.changed();
    return { ending: true };
  }
}
