import { UserError } from '../errors';
import { inOneLine, pc } from './terminal';

/** What of a run cannot be read while the rest is shown, in the order in which it was found. */
export class Damaged {
  private readonly problems = new Map<string, UserError>();

  /** A `Damage` for readers. */
  readonly tell = (problem: UserError): void => {
    const { file, line, message } = problem;
    this.problems.set(`${file}:${line}:${message}`, problem);
  };

  /** What `read` gives, or else `otherwise`, with the reason told. */
  or<T>(otherwise: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.tell(error);
      return otherwise;
    }
  }

  /** A line for each place, at most `most` of them; '' where all could be read. */
  text(most = 8): string {
    const all = [...this.problems.values()];
    const lines = all.slice(0, most).map((problem) => inOneLine(problem.toString().split('\n')[0]));
    if (all.length > most) lines.push(`and ${all.length - most} more`);
    return lines.length === 0 ? '' : [pc.yellow('Not shown, as it cannot be read:'), ...lines].join('\n  ');
  }

  list(): { file?: string; line?: number; message: string }[] {
    return [...this.problems.values()].map(({ file, line, message }) => ({ file, line, message }));
  }
}
