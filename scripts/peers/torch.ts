/**
 * Compares the PyTorch engine with the embedded one, and runs all three stages on it: npm run test:torch [-- vitest's
 * arguments]
 *
 * It sets the engine up as `distillery engine install --cpu` does, in ~/.cache/distillery/peers (1 GB, 10 seconds by
 * uv, once; DISTILLERY_PEERS_CACHE names another folder), unless DISTILLERY_PYTHON names a Python that has the
 * libraries. If it is not available, it prints NOT RUN and the reason; DISTILLERY_REQUIRE_TORCH=1 makes that an error.
 */
import { runOrSay, vitest } from './suites';
import { pythonWithTorch, singleThreaded } from './torch-python';

/** The tests that need PyTorch; the other tests of engines are unit tests. */
const suites = ['test/engines/torch.test.ts', 'test/parity/engine.test.ts'];

void runOrSay('PyTorch engine', 'DISTILLERY_REQUIRE_TORCH', async () => {
  const python = await pythonWithTorch();
  const own = process.argv.slice(2);
  const env = { ...process.env, ...singleThreaded, DISTILLERY_PYTHON: python };
  return vitest(env, ...(own.length > 0 ? own : suites));
});
