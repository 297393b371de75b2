/** Rewards in code: the values of modules, and one message for each kind of problem. */
import { pathToFileURL } from 'node:url';
import { type CodeComponent, isCode } from '../../config/components';
import { componentName, type RewardConfig } from '../../config/reward';
import { isRight, lengthOf, type RewardInput } from '../../reward-components/input';
import { type CodeGroup, ModuleThread, type Problem, type ThreadLimits } from './module-thread';

/** After this many batches in a row without an answer in time, a component is no longer asked. */
const mostTimeouts = 3;

export interface CodeOptions {
  /** Gets each kind of problem of a component once, with file and line; at the end, how often it occurred. */
  warn: (text: string) => void;
  /** Stops a module that is running. */
  signal?: AbortSignal;
  /** Memory of a module's thread. */
  resources?: ThreadLimits['resources'];
}

/** A component and its thread. */
interface Asked {
  component: CodeComponent;
  thread: ModuleThread;
  /** Problems by kind and their number so far, with the first message. */
  problems: Map<string, { text: string; count: number }>;
  timeouts: number;
}

/** The components in code of a run, or of one scoring. `close` ends their threads. */
export class CodeRewards {
  private readonly asked = new Map<string, Asked>();

  constructor(private readonly options: CodeOptions) {}

  /**
   * The values of the components for all completions: `[group][completion][name]`, null where one does not apply.
   * @throws the reason of the signal if it is aborted
   */
  async values(components: readonly CodeComponent[], groups: readonly (readonly RewardInput[])[]) {
    const { signal } = this.options;
    const values = groups.map((group) => group.map((): Record<string, number | null> => ({})));
    await Promise.all(
      components.map(async (component) => {
        signal?.throwIfAborted();
        const found = await this.ask(component, groups);
        signal?.throwIfAborted();
        const name = componentName(component);
        for (const [g, group] of values.entries())
          for (const [i, one] of group.entries()) one[name] = found?.[g][i] ?? null;
      }),
    );
    return values;
  }

  /** Ends the threads, and reports how often repeated problems occurred. */
  async close(): Promise<void> {
    const all = [...this.asked.values()];
    this.asked.clear();
    await Promise.all(all.map(({ thread }) => thread.close()));
    for (const { problems } of all)
      for (const { text, count } of problems.values()) if (count > 1) this.options.warn(`${text} (${count} times)`);
  }

  private async ask(component: CodeComponent, groups: readonly (readonly RewardInput[])[]) {
    const key = JSON.stringify(component);
    const asked = this.asked.get(key) ?? this.begin(component);
    this.asked.set(key, asked);
    if (asked.timeouts >= mostTimeouts || groups.length === 0) return undefined;
    const { values, problems } = await asked.thread.score(
      groups.map((group) => factsOf(group, component.options)),
      this.options.signal,
    );
    asked.timeouts = problems.some(({ kind }) => kind === 'time') ? asked.timeouts + 1 : 0;
    if (this.options.signal?.aborted) return values;
    for (const problem of problems) this.report(asked, problem);
    if (asked.timeouts === mostTimeouts)
      this.options.warn(`${component.use} took too long ${mostTimeouts} times in a row and is no longer asked`);
    return values;
  }

  private begin(component: CodeComponent): Asked {
    const { timeLimit, use } = component;
    const thread = new ModuleThread(use, { timeLimit, resources: this.options.resources });
    return { component, thread, problems: new Map(), timeouts: 0 };
  }

  private report({ component, problems }: Asked, { kind, count, message, stack }: Problem): void {
    const known = problems.get(kind);
    if (known) {
      known.count += count;
      return;
    }
    const effect = kind === 'output' ? '' : `; the component "${componentName(component)}" did not apply there`;
    const said = kind === 'output' ? `printed: ${message}` : `${message}${hintFor(message)}`;
    const text = `${component.use}${placeIn(component.use, stack)}: ${said}${effect}`;
    problems.set(kind, { text, count });
    this.options.warn(text);
  }
}

/** The modules of rewards, each once: absolute paths. */
export const modulesOf = (rewards: readonly RewardConfig[]): string[] => [
  ...new Set(rewards.flatMap(({ components }) => components.filter(isCode).map(({ use }) => use))),
];

function factsOf(group: readonly RewardInput[], options: unknown): CodeGroup {
  const completions = group.map((input) => ({
    text: input.completion.text,
    tokens: lengthOf(input),
    ended: input.completion.finished,
    right: isRight(input),
  }));
  const { question = '', answer = '', teacher, teacherTokens } = group[0]?.problem ?? {};
  const chain = teacher
    ? { thinking: teacher.thinking, steps: teacher.steps, answer: teacher.answer, tokens: teacherTokens ?? null }
    : null;
  return { completions, context: { question, answer, teacher: chain, group: completions, options } };
}

/** `:line:column` of the first place of a stack in the module. */
function placeIn(file: string, stack: string): string {
  for (const name of [pathToFileURL(file).href, file]) {
    const at = stack.indexOf(`${name}:`);
    const place = at < 0 ? null : /^:\d+(:\d+)?/.exec(stack.slice(at + name.length));
    if (place) return place[0];
  }
  return '';
}

const hintFor = (message: string): string =>
  /Unexpected token 'export'|import statement outside a module/.test(message) ? ' (rename the module to .mjs)' : '';
