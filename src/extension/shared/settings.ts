import type { Backend } from '../../config/backends';
import type { TokenPrices } from '../../spent';
import * as vscode from '../vscode';

/** The settings of the manifest, with their types. */
export interface Settings {
  /** Path of the Node.js for the training host; '' = found automatically. */
  node: string;
  backend: Backend | 'experiment';
  /** Command line that starts an engine; '' = the one set up. A user setting only, never a workspace's. */
  'engine.command': string;
  /** The server of runs on the Tinker API; '' = the host's environment says. A user setting only. */
  'tinker.url': string;
  /** '' = the only one that the server has. */
  'tinker.model': string;
  /** Per million tokens; incomplete = unknown. */
  'tinker.prices': Partial<TokenPrices>;
  openOnStart: 'dashboard' | 'runs' | 'nothing';
  notifyOnFinish: boolean;
  /** Trackers that receive the metrics of runs, whether over the network, and the Python with their clients. */
  trackers: ('tensorboard' | 'trackio' | 'wandb')[];
  'trackers.online': boolean;
  'trackers.python': string;
  /** Maximum number of problems when a whole dataset is tested in the Testing view. */
  'evaluation.limit': number;
  /** Sampling settings of Ask Student. */
  'ask.samples': number;
  'ask.temperature': number;
  /** The teacher's OpenAI-compatible endpoint, and its model; '' = not chosen yet. */
  'teacher.baseUrl': string;
  'teacher.model': string;
  /** Sampling settings of the teacher. */
  'teacher.samples': number;
  'teacher.temperature': number;
  'teacher.maxTokens': number;
  'teacher.concurrency': number;
  /** Price per million tokens, in any currency; 0 = unknown or free. */
  'teacher.priceInput': number;
  'teacher.priceOutput': number;
}

export function setting<K extends keyof Settings>(key: K, fallback: Settings[K]): Settings[K] {
  return vscode.workspace.getConfiguration('distillery').get<Settings[K]>(key, fallback);
}
