import { UserError } from '../../errors';
import { inOneLine, pc } from '../terminal/terminal';

/** Collects the parts of a run that cannot be read while the rest is shown. */
export class Damaged {
  private readonly problems = new Map<string, UserError>();

  /** A `Damage` to pass to readers. */
  readonly tell = (problem: UserError): void => {
    const { file, line, message } = problem;
    this.problems.set(`${file}:${line}:${message}`, problem);
  };

  /** The result of `read`, or `otherwise` when it throws; the reason is collected. */
  or<T>(otherwise: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.tell(error);
      return otherwise;
    }
  }

  /** One line per damaged place, at most eight; '' if there is none. */
  text(): string {
    const most = 8;
    const all = [...this.problems.values()];
    const lines = all.slice(0, most).map((problem) => inOneLine(problem.toString().split('\n')[0]));
    if (all.length > most) lines.push(`and ${all.length - most} more`);
    return lines.length === 0 ? '' : [pc.yellow('Not shown, as it cannot be read:'), ...lines].join('\n  ');
  }

  list(): { file?: string; line?: number; message: string }[] {
    return [...this.problems.values()].map(({ file, line, message }) => ({ file, line, message }));
  }
}
