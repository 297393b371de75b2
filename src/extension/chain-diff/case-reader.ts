/** Assembles everything the page shows about one problem from a run's records. */

import { basename } from 'node:path';
import { knownProblem } from '../../cases/problem';
import { type CaseRewrite, isAccepted, rewriteStatus } from '../../cases/rewrites';
import { loadTextTokenizer, type TextTokenizer, wordTokenizer } from '../../cases/text-tokenizer';
import { plainPrompt } from '../../chain/prompts';
import { splitChain } from '../../chain/split';
import type { Chain } from '../../chain/types';
import { UserError } from '../../errors';
import type { CaseView, ChainView, Moment } from '../../protocol/chain-diff';
import type { ChainSubject, Origin } from '../../protocol/chain-diff-requests';
import { decisionsOf, readDecisions } from '../../runs/decisions';
import { decisionsFile } from '../../runs/layout';
import { readConfig } from '../../runs/reading';
import { type RewriteRecord, rewriteRecordSchema } from '../../runs/records';
import { stageTitles } from '../../stages';
import { deviation, mean } from '../../statistics';
import { canBe } from '../cases/rewrite-actions';
import { neighbour } from '../failures/cases';
import { attempt, cached } from '../workspace/file-cache';
import { requireOwnTokenizer } from '../workspace/named-files';
import { type ProblemReference, type RecordedChain, viewChain } from './chain-view';
import { type DiffCompletion, type DiffGroup, known, readGroup } from './completions';
import { absentFrom, notSampled, reasons } from './missing-values';
import { momentsOf, type TimedSource } from './moments';
import { type Located, ProblemIndex } from './problem-index';
import { type RunSettings, readSettings } from './run-settings';

/** The chains exactly as recorded, to copy or open. */
export type CaseTexts = Record<ChainView['role'], string | null>;

/** A run opened for reading its cases. */
export class CaseReader {
  private readonly index: ProblemIndex;
  private readonly settings: RunSettings;
  private readonly tokenizer: TextTokenizer;
  private readonly notes: string[] = [];
  /** Why words are compared. */
  private inWords = '';

  constructor(
    readonly run: string,
    private readonly runName: string,
  ) {
    this.index = new ProblemIndex(run);
    const config = attempt(run, () => readConfig(run));
    if (config.problem) this.notes.push(`The run’s settings cannot be read: ${config.problem.message}.`);
    this.settings = readSettings(run, config.value);
    this.tokenizer = this.findTokenizer();
  }

  /**
   * Reads what was written since the last call; true if anything changed. With a subject, only the files needed to show
   * it (its moment, the failures and the rewrites), as a long run has many rollouts.
   */
  refresh(subject?: ChainSubject): Promise<boolean> {
    return this.index.refresh((source) => {
      if (!subject || source.kind === 'failures' || source.kind === 'rewrites') return true;
      const key = momentsOf([source])[0]?.moment.key;
      return key === subject.moment || key === subject.third?.moment;
    });
  }

  /** Whether the files read so far mention the problem. */
  knows(problemId: string): boolean {
    return this.index.sources(problemId).length > 0;
  }

  /** Problems that can be shown, failures first. */
  problems(): string[] {
    return this.index.allProblems();
  }

  /** @throws UserError when the run does not have the problem or a record cannot be read */
  async read(subject: ChainSubject, listed: readonly string[] = []): Promise<{ view: CaseView; texts: CaseTexts }> {
    const { problemId } = subject;
    const found = await this.find(subject);
    const { moments, chosen, group, prompt } = found;
    const { value: decisions, damage, problem: undecided = damage } = this.decisions(decisionsFile(this.run));
    const {
      question,
      gold: answer,
      category,
      note,
      marked,
      ...known
    } = knownProblem(problemId, found.sources, decisions);
    const rewrites = this.rewritesOf(found, known.rewrites);

    const teacher = this.teacherOf(found, known.teacherChain);
    const completion = group && this.choose(group, subject.sample);
    const student = completion ? this.ofCompletion(completion, group.moment, group.completions, 'student') : null;
    if (student && group?.failure && marked?.sample === completion?.sample) student.marked = marked?.step;
    const third = await this.thirdColumn(subject, rewrites, found);

    const teacherView = teacher && viewChain(teacher, { answer }, this.tokenizer);
    const teacherLength = this.tokenizer.unit === 'tokens' ? teacherView?.length : undefined;
    const reference: ProblemReference = {
      answer,
      question,
      teacher: teacher ? (splitChain(teacher.text) satisfies Chain) : undefined,
      teacherLength: completion?.rollout?.teacherTokens ?? teacherLength,
    };
    // A single completion needs no tokenizer if its tokens are recorded.
    const alone = !teacher && !third.third && completion?.rollout;
    const inTokens = this.tokenizer.unit === 'tokens' || (alone && alone.unit === undefined);
    const view: CaseView = {
      subject: {
        run: this.run,
        problemId,
        ...(chosen && { moment: chosen.moment.key }),
        ...(completion && { sample: completion.sample }),
        ...(third.rewrite !== undefined && { rewrite: third.rewrite }),
        ...(third.thirdKey && { third: third.thirdKey }),
      },
      runName: this.runName,
      question,
      answer,
      category: category ?? null,
      place: this.placeOf(problemId, found, listed),
      teacher: teacherView,
      student: student && viewChain(student, reference, this.tokenizer),
      rewritten: third.third && viewChain(third.third, reference, this.tokenizer),
      group: (group?.completions ?? []).map((completion) => this.memberOf(completion)),
      moments: moments.map(({ moment }) => moment),
      rewrites: { count: rewrites.length, verdict: third.verdict, ...(third.can && { can: third.can }) },
      note: note ?? null,
      prompt: prompt !== null && prompt !== plainPrompt(question) ? prompt : null,
      unit: inTokens ? 'tokens' : 'words',
      notes: [
        ...this.notes,
        ...(inTokens ? [] : [this.inWords]),
        ...(undecided ? [`Decisions of people are not ${damage ? 'all ' : ''}shown: ${undecided.message}.`] : []),
      ],
    };
    const texts = { teacher: teacher?.text ?? null, student: completion?.text ?? null, rewritten: third.thirdText };
    return { view, texts };
  }

  /** Reads the records of a problem: those of the requested moment, its failure, and its rewrites. */
  private async find(subject: ChainSubject) {
    const { problemId } = subject;
    const files = this.index.sources(problemId);
    if (files.length === 0)
      throw new UserError(`the run has no records of the problem ${problemId}`, {
        file: this.run,
        remedy: 'Choose another problem.',
      });
    const moments = momentsOf(files, this.settings.start, this.settings.imported);
    const failureSource = moments.find(({ moment }) => moment.kind === 'failures');
    const rewriteSource = files.find(({ kind }) => kind === 'rewrites');
    const chosen = moments.find(({ moment }) => moment.key === subject.moment) ?? failureSource ?? moments.at(-1);
    const read = (timed: TimedSource) => readGroup(this.index, problemId, timed);
    const group = chosen && (await read(chosen));
    const failed = failureSource && (chosen === failureSource ? group : await read(failureSource));
    const recorded = rewriteSource ? await this.index.read(rewriteSource.file, problemId, rewriteRecordSchema) : [];

    const problem = failed?.failure ? undefined : this.settings.problem(problemId);
    const prompt = group?.completions[0]?.rollout?.prompt ?? null;
    const sources = {
      failure: failed?.failure,
      rewrites: recorded.map(({ record }) => record),
      problem,
      recorded: { question: group?.question ?? questionIn(prompt), gold: group?.gold },
    };
    return { moments, chosen, group, failureSource, failed, recorded, sources, prompt, read };
  }

  private rewritesOf({ recorded }: FoundCase, rewrites: readonly CaseRewrite[]): ShownRewrite[] {
    return rewrites.map((rewrite) => {
      const located = recorded.find(({ record }) => record.text === rewrite.text);
      return { rewrite, located, origin: located ?? { file: decisionsFile(this.run) } };
    });
  }

  private teacherOf({ failed, failureSource }: FoundCase, text: string | undefined): RecordedChain | null {
    if (text === undefined) return null;
    const failure = failed?.failure;
    const origin = failure
      ? { ...failed!.completions[0]?.origin, file: failureSource!.source.file, field: 'teacherChain' }
      : { file: this.run };
    const label = failure ? 'recorded with the failure' : 'from the dataset';
    return { role: 'teacher', label, origin, text, finished: true, absent: notSampled(reasons.teacher) };
  }

  /**
   * The problem `by` places after `problemId` in its list, wrapping round. `listed` is the order of a list elsewhere;
   * it is used when it contains the problem.
   */
  neighbour(problemId: string, moment: string | undefined, by: number, listed: readonly string[] = []): string {
    const ids = listed.includes(problemId) ? listed : this.listOf(problemId, moment).ids;
    return neighbour(ids, problemId, by) ?? problemId;
  }

  private placeOf(problemId: string, { failureSource, chosen }: FoundCase, listed: readonly string[]) {
    if (listed.includes(problemId))
      return { number: listed.indexOf(problemId) + 1, count: listed.length, of: 'cases in the list' };
    const { ids, of } = this.listOf(problemId, failureSource?.moment.key ?? chosen?.moment.key);
    return { number: ids.indexOf(problemId) + 1, count: ids.length, of };
  }

  /** The failures if the problem is one, else the problems of the shown moment. */
  private listOf(problemId: string, moment: string | undefined): { ids: string[]; of: string } {
    const moments = momentsOf(this.index.sources(problemId), this.settings.start, this.settings.imported);
    const list =
      moments.find(({ moment }) => moment.kind === 'failures') ??
      moments.find((one) => one.moment.key === moment) ??
      moments.at(-1);
    if (!list) return { ids: [problemId], of: 'problems' };
    const ids = this.index.problems(list.source.file);
    return { ids, of: list.moment.kind === 'failures' ? 'failures' : `problems of ${list.moment.label}` };
  }

  /** The requested sample; else the first wrong one, which readers want most; else the best. */
  private choose({ completions }: DiffGroup, sample: number | undefined): DiffCompletion | undefined {
    const asked = completions.find((one) => one.sample === sample);
    const wrong = completions.filter(({ correct }) => !correct).sort((a, b) => a.sample - b.sample);
    return asked ?? wrong[0] ?? completions[0];
  }

  private async thirdColumn(subject: ChainSubject, rewrites: ShownRewrite[], { moments, read }: FoundCase) {
    const nothing = {
      third: null,
      thirdText: null,
      verdict: null,
      rewrite: undefined,
      thirdKey: undefined,
      can: undefined,
    };
    const timed = moments.find(({ moment }) => moment.key === subject.third?.moment);
    const rewriting = moments.findLast(({ moment }) => moment.key.startsWith('rollouts/rewrite/'));
    const from = timed ?? (rewrites.length === 0 ? rewriting : undefined);
    if (from) {
      const { completions } = await read(from);
      const completion = completions.find(({ sample }) => sample === subject.third?.sample) ?? completions[0];
      if (!completion) return nothing;
      return {
        ...nothing,
        third: this.ofCompletion(completion, from.moment, completions, 'rewritten'),
        thirdText: completion.text,
        thirdKey: { moment: from.moment.key, sample: completion.sample },
      };
    }
    const accepted = Math.max(
      0,
      rewrites.findIndex((one) => isAccepted(one.rewrite)),
    );
    const rewrite = Math.min(subject.rewrite ?? accepted, rewrites.length - 1);
    const shown = rewrites[rewrite];
    if (!shown) return nothing;
    return {
      third: chainOfRewrite(shown, rewrite, rewrites.length),
      thirdText: shown.rewrite.text,
      verdict: rewriteStatus(shown.rewrite),
      rewrite,
      thirdKey: undefined,
      can: { accept: canBe.accepted(shown.rewrite), reject: canBe.rejected(shown.rewrite) },
    };
  }

  private readonly decisions = cached((_, damage) => decisionsOf(readDecisions(this.run, damage)));

  private ofCompletion(
    { rollout, text, length, finished, group: ownGroup, sample, origin }: DiffCompletion,
    moment: Moment,
    group: DiffCompletion[],
    role: ChainView['role'],
  ): RecordedChain {
    const label = [moment.stage, moment.label, ...(group.length > 1 ? [`sample ${sample + 1}`] : [])].join(' · ');
    const chain = { role, label, origin, text, length, finished };
    if (!rollout) {
      const source = moment.kind === 'failures' ? 'failures' : 'evaluation';
      return { ...chain, absent: notSampled(reasons[this.settings.imported ? 'imported' : source]) };
    }
    return {
      ...chain,
      absent: absentFrom(rollout, this.settings.recording(rollout.stage)),
      tokens: { ids: rollout.tokens, texts: rollout.tokenTexts, ended: finished },
      facts: {
        logProbs: rollout.logProbs?.map(known),
        refLogProbs: rollout.refLogProbs?.map(known),
        entropy: rollout.entropy?.map(known),
        reward: this.rewardOf(
          rollout,
          group.filter((one) => one.group === ownGroup),
        ),
      },
    };
  }

  /** Its length in the unit of the columns, as theirs are. */
  private memberOf(completion: DiffCompletion): CaseView['group'][number] {
    const { group, sample, reward, advantage, answer, correct, finished, text, rollout } = completion;
    const asRecorded = rollout || this.tokenizer.unit === 'tokens';
    const length = asRecorded ? completion.length : this.tokenizer.tokenize(text).ids.length;
    return { group, sample, reward, advantage, length, answer, correct, finished };
  }

  private rewardOf(rollout: NonNullable<DiffCompletion['rollout']>, group: DiffCompletion[]): ChainView['reward'] {
    const rewards = group.flatMap(({ reward }) => (reward === null ? [] : [reward]));
    const settings = this.settings.parts(rollout.stage);
    const scale = this.settings.scale(rollout.stage);
    return {
      total: known(rollout.reward),
      advantage: known(rollout.advantage),
      groupMean: rewards.length > 0 ? known(mean(rewards)) : null,
      groupStd: rewards.length > 1 ? known(deviation(rewards)) : null,
      ...(scale !== undefined && { scale }),
      parts: Object.entries(rollout.parts).map(([name, value]) => {
        const part = settings.get(name);
        return { name, value: known(value), ...(part && { weight: part.weight }), about: part?.about ?? '' };
      }),
    };
  }

  private findTokenizer(): TextTokenizer {
    const folders = this.settings.tokenizerFolders;
    const problems = [];
    for (const folder of folders) {
      const loaded = attempt(folder, () => {
        requireOwnTokenizer(folder);
        return loadTextTokenizer(folder);
      });
      if (loaded.value) return loaded.value;
      problems.push(loaded.problem);
    }
    const why = problems[0] ? `${problems[0].message} (${problems[0].file})` : 'the run names no student';
    this.inWords = `No tokenizer is known for this run (${why}), so the diff compares words.`;
    return wordTokenizer();
  }
}

type FoundCase = Awaited<ReturnType<CaseReader['find']>>;

/** A rewrite, with its line of rewrites.jsonl if it has one. */
interface ShownRewrite {
  rewrite: CaseRewrite;
  located: Located<RewriteRecord> | undefined;
  origin: Origin;
}

function chainOfRewrite({ rewrite, located, origin }: ShownRewrite, rank: number, count: number): RecordedChain {
  const { text, tokens, provenance } = rewrite;
  const { file, line } = origin;
  const label = [sourceOf(provenance, located?.record), count > 1 ? `rewrite ${rank + 1} of ${count}` : ''];
  return {
    role: 'rewritten',
    label: label.filter(Boolean).join(' · '),
    origin: { file, line },
    text,
    length: tokens,
    finished: true,
    absent: notSampled(reasons[provenance.from]),
  };
}

function sourceOf({ from, checkpoint }: CaseRewrite['provenance'], record: RewriteRecord | undefined): string {
  if (record) return `${stageTitles[record.provenance.stage]} · update ${record.provenance.step}`;
  if (from === 'person') return ''; // its status says it already
  return checkpoint ? `requested from ${basename(checkpoint)}` : 'requested';
}

function questionIn(prompt: string | null): string | undefined {
  // A chat template puts the text after the first token of the user's message, or of the system message before it.
  return /\bQuestion: ([\s\S]*?)\n(?:Steps, |A correct solution:|Solution:)/.exec(prompt ?? '')?.[1];
}
