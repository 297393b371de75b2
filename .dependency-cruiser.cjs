// One way down through the layers (CONTRIBUTING.md, "The house"): a folder may import only what stands in its list.
const ground = [
  'answer-limits',
  'event-loop',
  'spent',
  'sorted',
  'random',
  'bounded',
  'byte-queue',
  'foreign-text',
  'once',
  'remembered',
  'statistics',
  'grouped',
  'errors',
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
  // Students and data sets by name: where they lie, and fetching them. Free of the engine, so that the extension can
  // fetch too.
  hub: [],
  // The policy's losses: definitions that config and every engine share.
  losses: [],
  config: ['hub', 'losses'],
  answers: [],
  // Reads and evaluates arithmetic in texts; knows nothing of chains.
  arithmetic: ['answers'],
  chain: ['arithmetic', 'answers'],
  // What engines take and give: plain arrays, settings, measurements.
  'engine-data': ['student-files', 'config', 'losses'],
  // Students on disk: architecture, tokenizer, chat template, tensors. No engine is needed to read them.
  'student-files': ['hub', 'config'],
  kernels: ['engine-data', 'student-files', 'losses'],
  // Sets TensorFlow up on this machine; used by the command line alone.
  'backend-install': ['kernels'],
  // Sets the PyTorch engine up on this machine; used by the command line alone.
  'engine-install': ['engine', 'backend-install', 'kernels', 'config'],
  model: ['student-files', 'engine-data', 'kernels', 'config', 'hub'],
  data: ['chain', 'answers', 'config', 'hub'],
  // Asks for chains over the network or of a local model; free of the engine, so that the extension can ask too.
  teachers: ['runs', 'data', 'chain', 'answers', 'config'],
  // What an evaluation says, and asking a student on a server; free of the engine.
  evaluation: ['teachers', 'data', 'chain', 'answers', 'config'],
  rewards: ['chain', 'arithmetic', 'answers', 'config'],
  runs: ['config', 'chain', 'answers'],
  // A failure case: described, imported. For those who train and those who show it.
  cases: ['student-files', 'runs', 'data', 'chain', 'answers', 'config'],
  // A run as one page of HTML.
  report: [...records],
  // The metrics of a run for other programs that show curves.
  tracking: [...records],
  // Rollouts that other trainers logged, as run folders.
  imports: ['cases', 'runs', 'data', 'chain', 'answers', 'config'],
  rollout: ['student-files', 'engine-data', 'model', 'kernels'],
  learning: ['student-files', 'engine-data', 'model', 'kernels', 'rollout', 'config', 'losses'],
  // The port, and what computes behind it. Above it nobody knows of tensors: model, learning, rollout and kernels are
  // the embedded engine's.
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
          .concat(ground.map((g) => `${g}\\.ts`))
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
      // src/extension/vscode is the editor's API with every text made safe to show.
      name: 'vscode-by-one-door',
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
