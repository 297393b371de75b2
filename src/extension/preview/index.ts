import { dirname } from 'node:path';
import { checkExperiment } from '../../config/check';
import type { Experiment } from '../../config/experiment';
import { resolveExperiment } from '../../config/load';
import { loadData } from '../../data/load';
import type { Problems } from '../../data/problems';
import { taughtProblems } from '../../data/taught';
import { UserError } from '../../errors';
import { named } from '../commands/arguments';
import { pickExperiment } from '../commands/pick';
import { command } from '../commands/report';
import { textOf } from '../config/texts';
import { stampOf } from '../file-cache';
import { LiveDocuments } from '../live-documents';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { type PreviewText, previewText } from './text';

const scheme = 'distillery-preview';

interface View {
  experiment: vscode.Uri;
  /** Of the problem, from 0. */
  index: number;
  drawn: number;
  text: PreviewText;
  /** The experiment as it was last without errors. */
  settings?: Experiment;
  /** Tokens of the measured texts, by text. */
  lengths: Map<string, number>;
}

/** What the student sees in each stage, masked and shuffled, as the experiment is edited: `distillery.previewMasking`. */
export function registerPreview(services: Services): vscode.Disposable {
  const documents = new LiveDocuments<View>({
    scheme,
    ending: '.chain',
    create: (experiment) => ({
      ...{ experiment, index: 0, drawn: 0, lengths: new Map() },
      text: { lines: [], steps: [], measured: [] },
    }),
    write: (view) => {
      view.text = write(view);
      return view.text.lines.join('\n');
    },
  });
  const turn = (id: `distillery.${string}`, change: (view: View) => void) =>
    command(services, id, (argument: unknown) => {
      const uri = argument instanceof vscode.Uri ? argument : documents.front();
      if (uri) documents.update(uri, change);
    });
  return vscode.Disposable.from(
    documents,
    command(services, 'distillery.previewMasking', async (argument: unknown) => {
      const experiment = await pickExperiment(services, named(argument), vscode.l10n.t('Preview Masking'));
      if (experiment) await documents.open(vscode.Uri.file(experiment.file));
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
      if (view) await count(services, view);
      if (uri && view) documents.update(uri, () => {});
    }),
    vscode.languages.registerCodeLensProvider({ scheme }, { provideCodeLenses: ({ uri }) => lenses(uri) }),
    vscode.languages.registerInlayHintsProvider(
      { scheme },
      { provideInlayHints: ({ uri }, range) => hints(documents.at(uri)?.text, range) },
    ),
  );
}

function write(view: View): PreviewText {
  const warnings: string[] = [];
  try {
    const settings = readSettings(view, warnings);
    if (!settings) return { lines: warnings, steps: [], measured: [] };
    const problems = problemsOf(settings);
    view.index = ((view.index % problems.length) + problems.length) % problems.length;
    const preview = {
      problem: problems.at(view.index)!,
      number: view.index + 1,
      of: problems.length,
      drawn: view.drawn,
    };
    const { measured } = previewText(settings, preview);
    const lengths = measured.flatMap((text) => view.lengths.get(text) ?? []);
    const text = previewText(settings, {
      ...preview,
      lengths: lengths.length === measured.length ? lengths : undefined,
    });
    const steps = text.steps.map((step) => ({ ...step, line: step.line + warnings.length }));
    return { ...text, lines: [...warnings, ...text.lines], steps };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { lines: error.toString().split('\n'), steps: [], measured: [] };
  }
}

/** Takes the experiment as it stands in the editor; says why when the last one without errors stays. */
function readSettings(view: View, warnings: string[]): Experiment | undefined {
  const { value, issues } = checkExperiment(textOf(view.experiment.fsPath) ?? '');
  if (value) view.settings = resolveExperiment(value, dirname(view.experiment.fsPath));
  else {
    const { line, message } = issues.find(({ severity }) => severity === 'error')!;
    const stays = view.settings ? ` ${vscode.l10n.t('Showing the last valid version.')}` : '';
    warnings.push(`! ${vscode.l10n.t('line {0}: {1}', line, message)}${stays}`, '');
  }
  return view.settings;
}

/** Training rows of the data that was last looked at. */
let last: { key: string; problems: Problems } | undefined;

function problemsOf({ data }: Experiment): Problems {
  const { train } = data;
  const key = `${data.otherAnswers} ${data.thinking} ${JSON.stringify(train)} ${'path' in train ? stampOf(train.path) : ''}`;
  if (last?.key !== key) last = { key, problems: taughtProblems(loadData(train, '.', 'train').problems, data) };
  return last.problems;
}

/** Asks the experiment's student, by its host, how long the texts are in its tokens. */
async function count({ hosts }: Services, { settings, text, lengths, experiment }: View): Promise<void> {
  if (!settings) return;
  const texts = text.measured.filter((one) => !lengths.has(one));
  const checkpoint = settings.student.path;
  const counted = await hosts.of(experiment.fsPath).tokenize({ checkpoint, texts });
  for (const [i, { ids }] of counted.texts.entries()) lengths.set(texts[i], ids.length);
}

function lenses(uri: vscode.Uri): vscode.CodeLens[] {
  const { t } = vscode.l10n;
  const lens = (title: string, command: string, icon?: string) =>
    new vscode.CodeLens(0, { icon, title, command, args: [uri] });
  return [
    lens(t('Previous'), 'distillery.previewPrevious', 'arrow-left'),
    lens(t('Next'), 'distillery.previewNext', 'arrow-right'),
    lens(t('Draw again'), 'distillery.previewAgain', 'refresh'),
    ...(vscode.workspace.isTrusted ? [lens(t('Count tokens'), 'distillery.previewTokens')] : []),
  ];
}

function hints(text: PreviewText | undefined, range: vscode.Range): vscode.InlayHint[] {
  return (text?.steps ?? [])
    .filter(({ line }) => line >= range.start.line && line <= range.end.line)
    .map(({ line, step, masked }) => {
      const label = masked ? vscode.l10n.t('step {0}, masked', step) : vscode.l10n.t('step {0}', step);
      const hint = new vscode.InlayHint(new vscode.Position(line, text!.lines[line].length), label);
      hint.paddingLeft = true;
      return hint;
    });
}
