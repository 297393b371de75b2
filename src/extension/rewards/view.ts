import { basename, dirname } from 'node:path';
import { checkReward } from '../../config/check';
import { resolveReward } from '../../config/load';
import type { RewardConfig } from '../../config/reward';
import { UserError } from '../../errors';
import { stageTitles } from '../../stages';
import { findModules } from '../config/modules';
import { currentText } from '../config/texts';
import { runIdTitle } from '../runs/items';
import type { Services } from '../services';
import { LiveDocuments } from '../shared/live-documents';
import type * as vscode from '../vscode';
import type { PageText } from './page';
import { scoreReport } from './report';
import { newestRollouts, type RecordedRollouts, type RolloutChoice, readCompletions } from './rollouts';
import { scoreInEditor } from './scoring';

export const scoresScheme = 'distillery-scores';

interface ScoreState {
  /** Path of the reward file. */
  reward: vscode.Uri;
  choice?: RolloutChoice;
  recorded?: RecordedRollouts;
  /** The last text that was a valid reward, with the paths of its modules. */
  config?: RewardConfig;
  /** The last scoring, which may wait for rewards in code. */
  scoring?: AbortController;
  page: PageText;
  /** Counts the texts that were begun. */
  turn: number;
}

/** The documents with scores of rewards, updated as the rewards are edited. */
export class ScoreViews implements vscode.Disposable {
  private readonly documents = new LiveDocuments<ScoreState>({
    scheme: scoresScheme,
    ending: '.scores',
    create: (reward) => ({ reward, page: { lines: [], tones: [], links: [], heads: [] }, turn: 0 }),
    write: async (view) => {
      const turn = ++view.turn;
      const page = await this.write(view);
      if (turn === view.turn) view.page = page; // otherwise a newer text is shown already, or is on its way
      return view.page.lines.join('\n');
    },
  });

  constructor(private readonly services: Services) {}

  dispose(): void {
    this.documents.dispose();
  }

  /** Opens the scores beside a reward, for the newest rollouts or those chosen. */
  async open(reward: vscode.Uri, choice?: RolloutChoice): Promise<void> {
    await this.documents.open(reward, (view) => {
      view.choice = choice;
      view.recorded = undefined;
    });
  }

  pageOf(uri: vscode.Uri): PageText | undefined {
    return this.documents.at(uri)?.page;
  }

  /** Folder of the run whose completions a view shows. */
  runOf(uri: vscode.Uri): string | undefined {
    return this.documents.at(uri)?.recorded?.run;
  }

  private async write(view: ScoreState): Promise<PageText> {
    const name = basename(view.reward.fsPath);
    try {
      const warnings = this.readReward(view);
      const { config } = view;
      if (!config) return message(name, warnings);
      view.choice ??= newestRollouts(this.services.runs.list(), config.name ?? name.replace(/\.reward\.json$/, ''));
      if (!view.choice) return message(name, ['There are no rollouts yet. Stage 2 of a run produces them.']);
      view.recorded ??= readCompletions(view.choice);
      const { recorded } = view;
      view.scoring?.abort();
      view.scoring = new AbortController();
      const { signal } = view.scoring;
      const rescored = await scoreInEditor(config, recorded.completions, { warnings, signal });
      return scoreReport(name, aboutText(recorded), rescored, warnings);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return message(name, error.toString().split('\n'));
    }
  }

  /** Takes the reward from the editor; returns the error when the last valid version is still shown. */
  private readReward(view: ScoreState): string[] {
    const text = currentText(view.reward.fsPath);
    if (text === undefined) return ['The reward file cannot be read.'];
    const folder = dirname(view.reward.fsPath);
    const { value, issues } = checkReward(text, findModules(folder));
    if (value) {
      view.config = resolveReward(value, folder);
      return issues.map(({ line, message: what }) => `line ${line}: ${what}`);
    }
    const { line, message: what } = issues.find(({ severity }) => severity === 'error')!;
    const stays = view.config ? ' Showing the last valid version.' : '';
    return [`line ${line}: ${what}${stays}`];
  }
}

function message(title: string, lines: readonly string[]): PageText {
  return {
    lines: [title, ...lines],
    tones: [{ line: 0, start: 0, end: title.length, tone: 'strong' }],
    links: [],
    heads: [0],
  };
}

function aboutText({ run, stage, steps }: RecordedRollouts): string {
  const updates = steps.length === 1 ? `update ${steps[0]}` : `updates ${steps[0]} to ${steps.at(-1)}`;
  return (
    `${basename(dirname(dirname(dirname(run))))} · run ` +
    `${runIdTitle(basename(run))} · ${stageTitles[stage]} · ${updates}`
  );
}
