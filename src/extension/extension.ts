import * as vscode from 'vscode';
import { RunIndex } from './run-index';
import type { Services } from './services';

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Distillery', { log: true });
  const runs = new RunIndex();
  const services: Services = { context, runs, log };
  context.subscriptions.push(log, runs);
  for (const register of features) context.subscriptions.push(register(services));
}

/** In the order they are wanted. */
const features: ((services: Services) => vscode.Disposable)[] = [];
