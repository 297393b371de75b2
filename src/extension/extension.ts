import { HostClient } from '../client/host-client';
import { registerAsk } from './ask';
import { registerCases } from './cases';
import { registerChainDiff } from './chain-diff';
import { registerAboutRun } from './commands/about-run';
import { registerControl } from './commands/control';
import { registerEvaluate } from './commands/evaluate';
import { registerEvaluateServer } from './commands/evaluate-server';
import { registerExportReport } from './commands/export-report';
import { registerFiles } from './commands/files';
import { registerImportRollouts } from './commands/import-rollouts';
import { registerNewExperiment } from './commands/new-experiment';
import { registerRemove } from './commands/remove';
import { registerStart } from './commands/start';
import { registerTracking } from './commands/tracking';
import { registerConfigs } from './config';
import { registerDashboard } from './dashboard';
import { registerDoctor } from './doctor';
import { registerFailures } from './failures';
import { ShownCases } from './failures/shown-cases';
import { attachHosts } from './hosts/attach-hosts';
import { Hosts } from './hosts/hosts';
import { registerDownloadDataset } from './hub/download-dataset';
import { registerDownloadStudent } from './hub/download-student';
import { registerPreview } from './preview';
import { registerScoring } from './rewards';
import { registerRuns } from './runs';
import type { Services } from './services';
import { registerSetUpEngine } from './setup/set-up-engine';
import { registerSetUpTensorFlow } from './setup/set-up-tensorflow';
import { registerSetUpTinker, TinkerServer } from './setup/tinker';
import { setting } from './shared/settings';
import { registerActions } from './status/actions';
import { registerNotifications } from './status/notifications';
import { registerStatusBar } from './status/status-bar';
import { registerTeach } from './teach';
import { registerTests } from './tests';
import * as vscode from './vscode';
import { limitReading } from './workspace/named-files';
import { RunIndex } from './workspace/run-index';
import { pathsOf } from './workspace/run-paths';

/** Returns the services that the features share, for tests inside the editor. */
export function activate(context: vscode.ExtensionContext): Services {
  const startedAt = performance.now();
  limitReading({
    trusted: () => vscode.workspace.isTrusted,
    roots: () => pathsOf(vscode.workspace.workspaceFolders),
  });
  const log = vscode.window.createOutputChannel('Distillery');
  const { version } = context.extension.packageJSON as { version: string };
  const tinker = new TinkerServer(context.secrets);
  void tinker.read();
  const client = {
    name: 'vscode',
    version,
    pid: process.pid,
    get engine() {
      return setting('engine.command', '');
    },
    get tinker() {
      return tinker.identity;
    },
  };
  const hosts = new Hosts(
    (folder) => new HostClient({ folder, client, node: () => setting('node', ''), watch: true, restart: true }),
    context.globalStorageUri.fsPath,
  );
  const runs = new RunIndex();
  const cases = new ShownCases(context.workspaceState, runs);
  const services: Services = { context, runs, cases, hosts, log };
  context.subscriptions.push(log, runs, cases, hosts, tinker);
  for (const register of features) context.subscriptions.push(register(services));
  log.info(`Distillery ${version}, active in ${Math.round(performance.now() - startedAt)} ms`);
  return services;
}

/** In the order in which they are needed. */
const features: ((services: Services) => vscode.Disposable)[] = [
  registerRuns,
  registerFailures,
  registerCases,
  registerStatusBar,
  registerActions,
  registerNotifications,
  registerTracking,
  registerStart,
  registerAboutRun,
  registerControl,
  registerEvaluate,
  registerEvaluateServer,
  registerNewExperiment,
  registerFiles,
  registerRemove,
  registerImportRollouts,
  registerExportReport,
  registerConfigs,
  registerScoring,
  registerTests,
  registerPreview,
  registerAsk,
  registerDownloadStudent,
  registerDownloadDataset,
  registerTeach,
  registerSetUpTensorFlow,
  registerSetUpEngine,
  registerSetUpTinker,
  registerDoctor,
  registerDashboard,
  registerChainDiff,
  attachHosts,
];
