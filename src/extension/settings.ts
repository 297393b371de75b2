import type { Backend } from '../config/backends';
import * as vscode from './vscode';

/** The settings of the manifest, with their types. */
export interface Settings {
  /** Path of the Node.js that runs the training host; '' = found on its own. */
  node: string;
  backend: Backend | 'experiment';
  /** What starts an engine, as a command line; '' = what was set up. Of the person alone, never of a workspace. */
  'engine.command': string;
  openOnStart: 'dashboard' | 'runs' | 'nothing';
  notifyOnFinish: boolean;
  /** Programs that are told the metrics of runs, whether over the network, and the Python that has their clients. */
  trackers: ('tensorboard' | 'trackio' | 'wandb')[];
  'trackers.online': boolean;
  'trackers.python': string;
  /** Problems that a whole dataset is tested on at most, in the Testing view. */
  'evaluation.limit': number;
  /** How Ask Student samples. */
  'ask.samples': number;
  'ask.temperature': number;
  /** The teacher's OpenAI-compatible endpoint, and its model; '' = not chosen yet. */
  'teacher.baseUrl': string;
  'teacher.model': string;
  /** How a teacher is asked. */
  'teacher.samples': number;
  'teacher.temperature': number;
  'teacher.maxTokens': number;
  'teacher.concurrency': number;
  /** For a million tokens, in any currency; 0 = unknown or free. */
  'teacher.priceInput': number;
  'teacher.priceOutput': number;
}

export function setting<K extends keyof Settings>(key: K, fallback: Settings[K]): Settings[K] {
  return vscode.workspace.getConfiguration('distillery').get<Settings[K]>(key, fallback);
}
