import assert from 'node:assert/strict';
import { join } from 'node:path';
import { build } from 'esbuild';
import fc from 'fast-check';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../../scripts/workbench/browser';
import { installBrowser } from '../../../scripts/workbench/install';
import { packageRoot } from '../../../src/paths';
import { anyValues } from '../../../webview/dashboard/testing/updates';

/**
 * Milliseconds of the page's own clock, for all charts: a tenth of what one of them took when it made ticks without
 * end.
 */
const limit = 5000;

/**
 * What runs in the page beside its own script: stands in for VS Code, gives the page updates, and looks at the charts.
 * `faults`: uncaught errors.
 */
const beside = `
  window.faults = [];
  let view = {};
  window.acquireVsCodeApi = () => ({
    postMessage: (notice) => notice.type === 'fault' && faults.push(notice.text),
    getState: () => ({ subject: {}, view }),
    setState: (state) => { view = state.view; },
  });
  window.keep = (kept) => { view = kept; };
  const say = (data) => dispatchEvent(new MessageEvent('message', { data }));
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const head = { folder: '/run', id: 'run', name: 'run', state: 'running', results: [], unchanged: [], validation: [], alerts: [], problems: [] };
  window.draw = async (values) => {
    const begun = performance.now();
    say({ type: 'runs', runs: [head] });
    say(updatesOf('/run', values));
    await frame();
    await frame();
    return performance.now() - begun;
  };
  const colours = (canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) if (data[i] > data[i + 2] + 60 && data[i + 3] > 60) return true;
    return false;
  };
  window.blank = () => [...document.querySelectorAll('.panel')]
    .filter((panel) => ![...panel.querySelectorAll('canvas')].some(colours))
    .map((panel) => panel.ariaLabel);`;

const style = `
  :root { --vscode-charts-blue: #f00; --vscode-charts-orange: #f00; --vscode-charts-yellow: #f00; }`;

suite('Charts of any values', () => {
  let browser: Browser;
  let script = '';
  let css = '';
  suiteSetup(async () => {
    browser = await launchBrowser({ browser: await installBrowser() });
    const { outputFiles } = await build({
      stdin: {
        contents: `import './main'; import { updatesOf } from './testing/updates'; window.updatesOf = updatesOf;`,
        resolveDir: join(packageRoot(), 'webview/dashboard'),
        loader: 'ts',
      },
      bundle: true,
      write: false,
      outdir: '/',
      platform: 'browser',
      format: 'iife',
      loader: { '.ttf': 'dataurl' },
    });
    const textOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))!.text;
    script = textOf('.js');
    css = textOf('.css');
  });
  suiteTeardown(() => browser?.close());

  async function dashboard(view: object): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1400, height: 2400 } });
    page.setDefaultTimeout(0);
    await page.setContent(`<style>${css}${style}</style><div id="page"></div>`);
    await page.addScriptTag({ content: `${beside}; keep(${JSON.stringify(view)})` });
    await page.addScriptTag({ content: script });
    return page;
  }

  const draw = (page: Page, values: readonly number[]): Promise<number> => page.evaluate(`draw([${values.join()}])`);
  const faults = (page: Page): Promise<string[]> => page.evaluate('faults');
  const blank = (page: Page): Promise<string[]> => page.evaluate('blank()');

  for (const view of [{ smoothing: 0.85 }, { smoothing: 0 }, { smoothing: 0.85, log: true }])
    test(`are drawn in time, and charts recover: ${JSON.stringify(view)}`, async () => {
      const page = await dashboard(view);
      await draw(page, [1, 2]);
      assert.equal(await page.locator('.panel').count(), 15);
      const drawnInTime = async (values: number[]) => {
        assert.ok((await draw(page, values)) < limit, 'the page was blocked');
        assert.deepEqual(await faults(page), []);
        const finite = values.filter((value) => Math.abs(value) <= 1e100 && (!view.log || value >= 1e-100));
        if (finite.length > 0 && !view.log) assert.deepEqual(await blank(page), []);
        await draw(page, [1, 2, 3]);
        assert.deepEqual(await blank(page), []);
      };
      await drawnInTime([-1.70113334139265]);
      await fc.assert(fc.asyncProperty(anyValues, drawnInTime), { numRuns: 40 });
      await page.close();
    });

  test('a chart that failed once is drawn again with the next update', async () => {
    const page = await dashboard({});
    await page.evaluate(`{
      const { fillText } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = () => { throw new Error('no text today'); };
      window.mend = () => { CanvasRenderingContext2D.prototype.fillText = fillText; };
    }`);
    await draw(page, [1, 2]);
    assert.match((await faults(page)).join(), /no text today/);
    await page.evaluate('mend()');
    await draw(page, [1, 2, 3]);
    assert.deepEqual(await blank(page), []);
    await page.close();
  });
});
