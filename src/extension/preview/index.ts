import { dirname } from 'node:path';
import { teacherChain } from '../../cases/describe';
import { renderChain } from '../../chain/prompts';
import { checkExperiment } from '../../config/check';
import type { Experiment } from '../../config/experiment';
import { resolveExperiment } from '../../config/load';
import { type Problems, spread } from '../../data/problems';
import { taughtProblems } from '../../data/taught';
import { UserError } from '../../errors';
import { named } from '../commands/arguments';
import { pickExperiment } from '../commands/pick';
import { command } from '../commands/report';
import { namedFiles } from '../config/issues';
import { pathFrom } from '../config/kinds';
import { currentText } from '../config/texts';
import type { Services } from '../services';
import { LiveDocuments } from '../shared/live-documents';
import * as vscode from '../vscode';
import { stampOf } from '../workspace/file-cache';
import { loadNamedData, requireReadable } from '../workspace/named-files';
import { type Preview, type PreviewPart, type PreviewText, previewText, type StudentText } from './text';

const scheme = 'distillery-preview';

interface PreviewState {
  experiment: vscode.Uri;
  /** Index of the problem, from 0. */
  index: number;
  drawn: number;
  text: PreviewText;
  /** The last version of the experiment without errors. */
  settings?: Experiment;
  /** Tokens are counted on request, and from then on for each problem shown. */
  counts: boolean;
  /** The student that the counts belong to. */
  student?: string;
  /** The measured texts as the student gets them, by `keyOf`; empty until counted. */
  counted: Map<string, StudentText>;
  /** Lengths of some teacher chains, with the data that they belong to. */
  lengths?: { of: Problems; tokens: number[] };
}

/**
 * `distillery.previewMasking`: shows the student's input in each stage, masked and shuffled, while the experiment is
 * edited.
 */
export function registerPreview(services: Services): vscode.Disposable {
  const documents = new LiveDocuments<PreviewState>({
    scheme,
    ending: '.chain',
    create: (experiment) => ({
      experiment,
      index: 0,
      drawn: 0,
      counts: false,
      counted: new Map(),
      text: { lines: [], steps: [], measured: [] },
    }),
    write: (view) => {
      view.text = write(view);
      return view.text.lines.join('\n');
    },
  });
  const turn = (id: `distillery.${string}`, change: (view: PreviewState) => void) =>
    command(services, id, (argument: unknown) => {
      const uri = argument instanceof vscode.Uri ? argument : documents.front();
      if (!uri) return;
      documents.update(uri, change);
      if (documents.at(uri)?.counts) countAgain(uri);
    });
  /** Counts the shown texts again if they were counted before. On failure they are shown without counts. */
  const countAgain = (uri: vscode.Uri) => {
    const view = documents.at(uri);
    if (!view || !vscode.workspace.isTrusted) return;
    view.counts = true;
    count(services, view).then(
      () => documents.at(uri) === view && documents.update(uri, () => {}),
      (error) => services.log.info(`Tokens of the preview are not counted: ${error}`),
    );
  };
  return vscode.Disposable.from(
    documents,
    command(services, 'distillery.previewMasking', async (argument: unknown) => {
      const experiment = await pickExperiment(services, named(argument), 'Preview Masking');
      if (experiment) countAgain((await documents.open(vscode.Uri.file(experiment.file))).uri);
    }),
    turn('distillery.previewNext', (view) => {
      view.index++;
    }),
    turn('distillery.previewPrevious', (view) => {
      view.index--;
    }),
    turn('distillery.previewAgain', (view) => {
      view.drawn++;
    }),
    command(services, 'distillery.previewTokens', async (argument: unknown) => {
      const uri = argument instanceof vscode.Uri ? argument : documents.front();
      const view = uri && documents.at(uri);
      if (view) {
        view.counts = true;
        await count(services, view);
      }
      if (uri && view) documents.update(uri, () => {});
    }),
    vscode.languages.registerCodeLensProvider({ scheme }, { provideCodeLenses: ({ uri }) => lenses(uri) }),
    vscode.languages.registerInlayHintsProvider(
      { scheme },
      { provideInlayHints: ({ uri }, range) => hints(documents.at(uri)?.text, range) },
    ),
  );
}

function write(view: PreviewState): PreviewText {
  const warnings: string[] = [];
  try {
    const settings = readSettings(view, warnings);
    if (!settings) return { lines: warnings, steps: [], measured: [] };
    forgetOther(view, settings);
    const problems = problemsOf(settings);
    const preview = previewOf(view, problems);
    const measured = measuredOf(view, settings, preview);
    const counted = measured.flatMap((one) => view.counted.get(keyOf(one)) ?? []);
    const text = previewText(settings, {
      ...preview,
      counted: counted.length === measured.length ? counted : undefined,
      lengths: view.lengths?.of === problems ? view.lengths.tokens : undefined,
    });
    const steps = text.steps.map((step) => ({ ...step, line: step.line + warnings.length }));
    return { ...text, lines: [...warnings, ...text.lines], steps };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { lines: error.toString().split('\n'), steps: [], measured: [] };
  }
}

/** Counts are valid for one student and one prompt format. */
function forgetOther(view: PreviewState, { student }: Experiment): void {
  const asked = JSON.stringify(student);
  if (view.student === asked) return;
  view.student = asked;
  view.counted.clear();
  view.lengths = undefined;
}

/** The selected problem. */
function previewOf(view: PreviewState, problems: Problems): Preview {
  view.index = ((view.index % problems.length) + problems.length) % problems.length;
  const { index, drawn } = view;
  return { problem: problems.at(index)!, number: index + 1, of: problems.length, drawn };
}

/** Takes the experiment from the editor; returns the error when the last valid version is still shown. */
function readSettings(view: PreviewState, warnings: string[]): Experiment | undefined {
  const { value, issues } = checkExperiment(currentText(view.experiment.fsPath) ?? '');
  if (value) {
    const folder = dirname(view.experiment.fsPath);
    for (const [, file] of namedFiles(value)) requireReadable(pathFrom(folder, file));
    view.settings = resolveExperiment(value, folder);
  } else {
    const { line, message } = issues.find(({ severity }) => severity === 'error')!;
    const stays = view.settings ? ' Showing the last valid version.' : '';
    warnings.push(`! line ${line}: ${message}${stays}`, '');
  }
  return view.settings;
}

/** Training rows of the data used last. */
let last: { key: string; problems: Problems } | undefined;

function problemsOf({ data }: Experiment): Problems {
  const { train } = data;
  const key =
    `${data.otherAnswers} ${data.thinking} ` +
    `${JSON.stringify(train)} ` +
    `${'path' in train ? stampOf(train.path) : ''}`;
  if (last?.key !== key) last = { key, problems: taughtProblems(loadNamedData(train, '.', 'train').problems, data) };
  return last.problems;
}

/** Asks the experiment's student, through its host, for the lengths of the texts in tokens. */
async function count({ hosts }: Services, view: PreviewState): Promise<void> {
  const { settings } = view;
  if (!settings) return;
  const host = hosts.of(view.experiment.fsPath);
  const { path: checkpoint, prompt, system } = settings.student;
  const tokenize = async (texts: readonly PreviewPart[], asked?: { prompt: typeof prompt; system?: string }) => {
    const missing = texts.filter((one) => !view.counted.has(keyOf(one)));
    if (missing.length === 0) return;
    const counted = await host.request('tokenize', { checkpoint, texts: missing.map(({ text }) => text), asked });
    for (const [i, { ids, texts: parts }] of counted.texts.entries())
      view.counted.set(keyOf(missing[i]), { tokens: ids.length, whole: parts.join('') });
  };
  const problems = problemsOf(settings);
  const shown = previewOf(view, problems);
  // Targets depend on the counted prompts: a prompt that opens a thinking section is closed in the target.
  const prompts = measuredOf(view, settings, shown).filter(({ asked }) => asked);
  await tokenize(prompts, { prompt, system });
  await tokenize(measuredOf(view, settings, shown));
  if (view.lengths?.of === problems) return;
  const chains = someChains(problems);
  const { texts } = await host.request('tokenize', { checkpoint, texts: chains });
  view.lengths = { of: problems, tokens: texts.map(({ ids }) => ids.length) };
}

const keyOf = ({ text, asked }: PreviewPart) => `${asked ? 'asked' : 'said'} ${text}`;

/** The texts that the preview measures, with their prompts as counted. */
function measuredOf(view: PreviewState, settings: Experiment, shown: Preview): PreviewPart[] {
  const counted = previewText(settings, shown).measured.map(
    (one) => view.counted.get(keyOf(one)) ?? { tokens: 0, whole: one.text },
  );
  return previewText(settings, { ...shown, counted }).measured;
}

/** At most this many chains and characters are measured for the histogram, as a slow tokenizer takes seconds. */
const most = { chains: 200, characters: 400_000 };

function someChains(problems: Problems): string[] {
  let charactersLeft = most.characters;
  return spread(problems, most.chains).flatMap((problem) => {
    const chain = teacherChain(problem);
    const text = chain && renderChain(chain);
    charactersLeft -= text?.length ?? 0;
    return text && charactersLeft >= 0 ? [text] : [];
  });
}

function lenses(uri: vscode.Uri): vscode.CodeLens[] {
  const lens = (title: string, command: string, icon?: string) =>
    new vscode.CodeLens(0, { icon, title, command, args: [uri] });
  return [
    lens('Previous', 'distillery.previewPrevious', 'arrow-left'),
    lens('Next', 'distillery.previewNext', 'arrow-right'),
    lens('Draw Again', 'distillery.previewAgain', 'refresh'),
    ...(vscode.workspace.isTrusted ? [lens('Count Tokens', 'distillery.previewTokens')] : []),
  ];
}

function hints(text: PreviewText | undefined, range: vscode.Range): vscode.InlayHint[] {
  return (text?.steps ?? [])
    .filter(({ line }) => line >= range.start.line && line <= range.end.line)
    .map(({ line, step, masked }) => {
      const label = masked ? `step ${step}, masked` : `step ${step}`;
      const hint = new vscode.InlayHint(new vscode.Position(line, text!.lines[line].length), label);
      hint.paddingLeft = true;
      return hint;
    });
}
