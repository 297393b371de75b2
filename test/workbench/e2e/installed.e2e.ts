import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { editor, openFile, showContainer, treeItems } from '../../../scripts/workbench/page';
import { openSession, type Session, sharedSession } from './session';

suite('Installed in a fresh profile', () => {
  let session: Session;
  sharedSession(async () => (session = await openSession()));

  test('the Runs view lists the experiments and the run', async () => {
    const { page } = session;
    await showContainer(page, 'Distillery');
    await treeItems(page, 'Runs').filter({ hasText: 'tiny' }).first().waitFor();
  });

  test('the installed command line finds its kernels', () => {
    const [name] = readdirSync(join(session.server.home, 'extensions')).filter((name) =>
      name.startsWith('distillery.'),
    );
    const cli = join(session.server.home, 'extensions', name, 'dist/cli.js');
    const { status, stdout } = spawnSync(process.execPath, [cli, 'doctor', '--json'], {
      cwd: session.folder,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /embedded-wasm/);
    assert.ok(stdout.includes(join(session.server.home, 'extensions')), stdout);
  });

  test('a reward file offers the components by its schema', async () => {
    const { page } = session;
    await openFile(page, 'accuracy.reward.json');
    await editor(page).locator('.view-lines').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.keyboard.type('{ "components": [{ "use": ', { delay: 20 });
    await page.keyboard.press('Control+Space');
    const list = page.locator('.suggest-widget.visible');
    await list.getByText('correctness').first().waitFor();
    await list.getByText('repetition').first().waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+Z');
  });

  test('the browser asked no outside host', () => assert.deepEqual(session.outside, []));
});
