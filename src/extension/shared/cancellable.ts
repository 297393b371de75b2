import * as vscode from '../vscode';

/** Runs work behind a progress notification whose Cancel button aborts its signal. */
export function cancellable<T>(
  title: string,
  work: (signal: AbortSignal, progress: vscode.ProgressNotification) => Promise<T>,
): Thenable<T> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (progress, token) => {
    const stop = new AbortController();
    const cancelled = token.onCancellationRequested(() => stop.abort());
    try {
      return await work(stop.signal, progress);
    } finally {
      cancelled.dispose();
    }
  });
}
