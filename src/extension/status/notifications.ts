import { join } from 'node:path';
import type { Crash, Host } from '../../client/api';
import { validationText } from '../../runs/events';
import type { StageRow } from '../../runs/records';
import { shortStudentTitle } from '../../start';
import { sentence, sentences } from '../../words';
import { command, trustedCommand } from '../commands/report';
import type { HostMessage } from '../hosts/hosts';
import { runTitle } from '../runs/items';
import type { Services } from '../services';
import { carryOut, commandOffer, offer } from '../shared/offers';
import { setting } from '../shared/settings';
import { accuracyText, fewProblems, percent, tokens } from '../shared/words';
import * as vscode from '../vscode';

/**
 * Reports how runs end and when a host is lost, writes the log, and shows a bar above the Runs view during training.
 */
export function registerNotifications(services: Services): vscode.Disposable {
  const { hosts, log } = services;
  const bars = new Map<Host, () => void>();
  return vscode.Disposable.from(
    hosts.onDidReceive((message) => {
      note(message, log);
      if (message.kind === 'crash') void notifyCrash(services, message.host, message.crash);
      if (message.kind === 'event' && message.event.type === 'ended') void notifyEnd(services, message.event);
      if (message.kind !== 'state') return;
      if (message.state === 'lost') void notifyLost(services);
      if (message.state === 'running' && !bars.has(message.host)) {
        const location = { viewId: 'distillery.runs' };
        void vscode.window.withProgress({ location }, () => new Promise<void>((end) => bars.set(message.host, end)));
      } else if (message.state !== 'running') {
        bars.get(message.host)?.();
        bars.delete(message.host);
      }
    }),
    new vscode.Disposable(() => {
      for (const end of bars.values()) end();
    }),
    command(services, 'distillery.showLog', () => log.show()),
    command(services, 'distillery.showHostLog', (folder: string) =>
      vscode.commands.executeCommand('vscode.open', vscode.Uri.file(join(folder, 'host', 'host.log'))),
    ),
    trustedCommand(services, 'distillery.killHost', async () => {
      for (const host of hosts.all()) if (host.state === 'lost') await host.kill();
    }),
  );
}

function note(message: HostMessage, log: vscode.LogOutputChannel): void {
  if (message.kind === 'state') log.info(`Host of ${message.host.folder}: ${message.before} -> ${message.state}`);
  if (message.kind === 'crash') log.error([message.crash.reason, ...message.crash.log].join('\n'));
  if (message.kind !== 'event') return;
  const { event } = message;
  if (event.type === 'log') log[event.level === 'warning' ? 'warn' : event.level](event.text);
  if (event.type === 'ended')
    log.info(`${event.run}: ${event.outcome}${event.fault ? `: ${event.fault.message}` : ''}`);
  if (event.type === 'curriculum') logCurriculumEvent(event.event, log);
}

function logCurriculumEvent(
  event: Extract<Extract<HostMessage, { kind: 'event' }>['event'], { type: 'curriculum' }>['event'],
  log: vscode.LogOutputChannel,
): void {
  if (event.type === 'note') log[event.level === 'warning' ? 'warn' : 'info'](event.text);
  else if (event.type === 'phase') log.info(`${event.stage} ${event.phase}: ${event.updates} updates`);
  else if (event.type === 'checkpoint') log.info(`Checkpoint ${event.name}`);
  else if (event.type === 'result')
    log.info(`${event.row.stage}: ${percent(event.row.accuracy)} right, ${tokens(event.row.meanTokens)}`);
  else if (event.type === 'validation') log.debug(`${event.stage} ${event.step}: validation ${validationText(event)}`);
  else log.trace(`${event.stage} ${event.phase} ${event.update}/${event.updates}: loss ${event.metrics.loss}`);
}

async function notifyEnd(
  { runs }: Services,
  { run, outcome, fault }: Extract<Extract<HostMessage, { kind: 'event' }>['event'], { type: 'ended' }>,
): Promise<void> {
  runs.refresh(run);
  const listing = runs.cache.find(run);
  const name = 'run' in listing ? `${listing.run.record.name}, ${runTitle(listing, runs.cache)},` : listing.id;
  if (outcome === 'finished') {
    if (!setting('notifyOnFinish', true)) return;
    const rows = runs.cache.summary(run).value ?? [];
    const start = runs.cache.start(run);
    // The first and the last result; the dashboard shows the rest.
    const results = [...new Set([rows[0], rows.at(-1)])].flatMap((row) =>
      row ? `${shortStudentTitle(row.stage, start)} ${accuracyText(row)}, ${tokens(row.meanTokens)}` : [],
    );
    const last = rows.at(-1);
    const doubt = last && last.n < fewProblems ? marginOfError(last) : '';
    const text = `${name} is finished. ${`${results.join(' → ')}. ${doubt}`.trim()}`;
    const failures = commandOffer('Show Failure Cases', 'distillery.showFailures', run);
    const dashboard = commandOffer('Open Dashboard', 'distillery.openDashboard', run);
    await offer(text, dashboard, ...(runs.cache.failureCount(run) > 0 ? [failures] : []));
  } else if (outcome === 'failed') {
    const why = fault ? sentences(fault) : '';
    const text = `${name} failed. ${why}`;
    await carryOut(vscode.window.showErrorMessage(text, commandOffer('Resume', 'distillery.resume', run), showLog));
  } else vscode.window.setStatusBarMessage(`${name}: ${outcome}`, 5000);
}

function marginOfError({ n, accuracyInterval: [low, high] }: StageRow): string {
  return `With ${n} test problems the accuracy is known to ± ${(50 * (high - low)).toFixed(0)} points.`;
}

async function notifyCrash({ runs }: Services, { folder }: Host, { reason, run, restartInMs }: Crash): Promise<void> {
  if (run) runs.refresh(run);
  const what = [
    sentence(reason),
    run ? `The run ${run.split(/[\\/]/).at(-1)!} is interrupted; it can be resumed from its last checkpoint.` : '',
    restartInMs === undefined ? '' : 'The host is being restarted.',
  ];
  const offers = [
    ...(run ? [commandOffer('Resume', 'distillery.resume', run)] : []),
    commandOffer('Show Log', 'distillery.showHostLog', folder),
  ];
  await carryOut(vscode.window.showErrorMessage(what.filter(Boolean).join(' '), ...offers));
}

async function notifyLost({ hosts }: Services): Promise<void> {
  const text = 'The training host does not answer, though its process is alive. End it to resume its run.';
  const end = commandOffer('End the Training Host', 'distillery.killHost');
  if (hosts.all().some(({ state }) => state === 'lost'))
    await carryOut(vscode.window.showWarningMessage(text, end, showLog));
}

const showLog = commandOffer('Show Log', 'distillery.showLog');
