// Imports go down through the layers only (CONTRIBUTING.md, "Source layout"): a folder may import what its list names.
const shared = [
  'answer-limits',
  'event-loop',
  'spent',
  'sorted',
  'random',
  'bounded',
  'byte-queue',
  'foreign-text',
  'once',
  'memoized',
  'statistics',
  'grouped',
  'errors',
  'fields',
  'paths',
  'json',
  'lines',
  'zip',
  'tar',
  'disk',
  'writing',
  'download',
  'processes',
  'results',
  'results-table',
  'stages',
  'start',
  'words',
];
/** What records and everything that reads them may import. */
const records = ['runs', 'chain', 'answers', 'config'];
const mayImport = {
  // Students and datasets by name: their places and downloads. Free of the engine, so that the extension can download.
  hub: [],
  // The policy's losses: definitions that config and every engine share.
  losses: [],
  // Each component: its schema for config, its traits, its function.
  'reward-components': ['chain', 'arithmetic', 'answers'],
  config: ['hub', 'losses', 'reward-components'],
  answers: [],
  // Reads and evaluates arithmetic in texts, independent of chains.
  arithmetic: ['answers'],
  chain: ['arithmetic', 'answers'],
  // Inputs and outputs of engines: plain arrays, settings, measurements.
  'engine-data': ['student-files', 'config', 'losses'],
  // Students on disk: architecture, tokenizer, chat template, tensors. No engine is needed to read them.
  'student-files': ['hub', 'config'],
  kernels: ['engine-data', 'student-files', 'losses'],
  // Sets TensorFlow up on this machine; used by the command line only.
  'backend-install': ['kernels'],
  // Sets the PyTorch engine up on this machine; used by the command line only.
  'engine-install': ['engine', 'backend-install', 'kernels', 'config'],
  model: ['student-files', 'engine-data', 'kernels', 'config', 'hub'],
  data: ['chain', 'answers', 'config', 'hub'],
  // Requests chains over the network or from a local model; free of the engine, so that the extension can use it.
  teachers: ['runs', 'data', 'chain', 'answers', 'config'],
  // The output of evaluations, and students on a server; free of the engine.
  evaluation: ['teachers', 'data', 'chain', 'answers', 'config'],
  rewards: ['reward-components', 'chain', 'answers', 'config'],
  runs: ['config', 'chain', 'answers'],
  // Failure cases: description and import, for training and for the views.
  cases: ['student-files', 'runs', 'data', 'chain', 'answers', 'config'],
  // A run as one page of HTML; runs compared.
  report: [...records],
  // The metrics of a run for other programs that show curves.
  tracking: [...records],
  // Rollouts that other trainers logged, as run folders.
  imports: ['cases', 'runs', 'data', 'chain', 'answers', 'config'],
  rollout: ['student-files', 'engine-data', 'model', 'kernels'],
  learning: ['student-files', 'engine-data', 'model', 'kernels', 'rollout', 'config', 'losses'],
  // The engine interface and its implementations. Layers above it use no tensors: model, learning, rollout and kernels
  // belong to the embedded engine.
  engine: ['student-files', 'engine-data', 'learning', 'rollout', 'model', 'kernels', 'config', 'losses'],
  curriculum: ['engine', 'engine-data', 'student-files', 'evaluation', 'rewards', 'cases', 'data', ...records],
  protocol: [...records],
  client: ['protocol', ...records],
  host: [
    'protocol',
    'curriculum',
    'engine',
    'engine-data',
    'evaluation',
    'student-files',
    'cases',
    'rewards',
    'data',
    ...records,
  ],
  cli: [
    ...[
      'backend-install',
      'engine-install',
      'client',
      'protocol',
      'cases',
      'imports',
      'report',
      'tracking',
      'teachers',
      'hub',
    ],
    ...['curriculum', 'evaluation', 'engine', 'engine-data', 'student-files', 'rewards', 'data', ...records],
  ],
  // Never the engine: the extension reads run folders and talks to the host.
  extension: [
    'client',
    'protocol',
    'cases',
    'imports',
    'report',
    'teachers',
    'evaluation',
    'hub',
    'rewards',
    'reward-components',
    'data',
    'arithmetic',
    ...records,
  ],
};
module.exports = {
  forbidden: [
    ...Object.entries(mayImport).map(([layer, allowed]) => ({
      name: `layer-${layer}`,
      severity: 'error',
      from: { path: `^src/${layer}/`, pathNot: '\\.test\\.ts$|/testing/' },
      to: {
        path: '^src/',
        pathNot: `^src/(${[layer, ...allowed]
          .map((name) => `${name}/`)
          .concat(shared.map((g) => `${g}\\.ts`))
          .join('|')})`,
      },
    })),
    {
      name: 'layer-webview',
      severity: 'error',
      from: { path: '^webview/' },
      to: {
        path: '^src/',
        pathNot: '^src/((protocol|chain)/|(once|results|results-table|sorted|stages|start|words)\\.ts$)',
      },
    },
    { name: 'no-cycles', severity: 'error', from: { path: '^(src|webview)/' }, to: { circular: true } },
    {
      // src/extension/vscode is the editor's API, in which every text is made safe to show.
      name: 'vscode-api-in-one-folder',
      severity: 'error',
      from: { pathNot: '^(src/extension/vscode|test/workbench)/' },
      to: { path: '^vscode$' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
