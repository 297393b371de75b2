import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { readProblems } from '../../../src/data/read';
import type { Services } from '../../../src/extension/services';
import { vscodeTeacher } from '../../../src/extension/teach/vscode-teacher';
import { collectReply } from '../../../src/teachers/reply';
import { type FakeServer, openServer } from '../../../src/teachers/testing/server';
import { ending } from '../ending';
import { pause, until } from '../until';

const readChains = (file: string) => [...readProblems(file, 'chains').problems];

const root = () => vscode.workspace.workspaceFolders![0].uri.fsPath;

/** Takes the first item of the list that is open, again and again, until a look is satisfied. */
async function accept(what: string, look: () => boolean): Promise<void> {
  await until(what, () => {
    if (!look()) void vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    return look();
  });
}

suite('Teachers', () => {
  const settings = () => vscode.workspace.getConfiguration('distillery');
  const secret = 'sk-workbench-5ecret';
  let server: FakeServer;
  let services: Services;
  let questions: string;

  suiteSetup(async () => {
    services = (await vscode.extensions.getExtension<Services>('distillery.distillery')!.activate()) as Services;
    server = await openServer(({ question }) => {
      const [a, b] = question.match(/\d+/g)!.map(Number);
      return { thought: 'Let me add.', text: `Step 1: ${a} + ${b} = ${a + b}\nAnswer: ${a + b}` };
    });
    questions = join(root(), 'data', 'asked.jsonl');
    const rows = [1, 2, 3].map((n) => ({ id: `a${n}`, question: `What is ${n} + ${n + 4}?`, answer: `${2 * n + 4}` }));
    writeFileSync(questions, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    await settings().update('teacher.baseUrl', server.baseUrl, vscode.ConfigurationTarget.Global);
    await settings().update('teacher.model', 'tiny/teacher', vscode.ConfigurationTarget.Global);
    await settings().update('teacher.samples', 2, vscode.ConfigurationTarget.Global);
    await services.context.secrets.store(`distillery.teacher.key ${new URL(server.baseUrl).origin}`, secret);
  });
  suiteTeardown(async () => {
    for (const key of ['baseUrl', 'model', 'samples'])
      await settings().update(`teacher.${key}`, undefined, vscode.ConfigurationTarget.Global);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await server.close();
    for (const name of readdirSync(join(root(), 'data')).filter((one) => one.startsWith('asked')))
      rmSync(join(root(), 'data', name), { recursive: true });
  });

  test('Generate Teacher Chains sends nothing before the plan was seen', async () => {
    const command = vscode.commands.executeCommand('distillery.generateChains', vscode.Uri.file(questions));
    await pause(1000);
    assert.equal(await ending(command, 'workbench.action.closeQuickOpen'), undefined);
    assert.equal(server.asked.length, 0);
  });

  test('Generate Teacher Chains asks the endpoint of the settings and opens the chains', async () => {
    const command = vscode.commands.executeCommand<string>('distillery.generateChains', vscode.Uri.file(questions));
    const out = join(root(), 'data', 'asked.tiny-teacher.chains.jsonl').replace('tiny-teacher', 'teacher');
    await accept('the chains', () => existsSync(out));
    assert.equal(await command, out);
    assert.equal(vscode.window.activeTextEditor!.document.uri.fsPath, out);
    assert.equal(server.asked.length, 6);
    assert.ok(server.asked.every(({ headers }) => headers.authorization === `Bearer ${secret}`));
    const chains = readChains(out);
    assert.deepEqual(
      chains.map(({ id, answer, chain }) => [id, answer, chain]),
      [1, 2, 3].map((n) => [
        `a${n}`,
        `${2 * n + 4}`,
        `<think>\nLet me add.\n</think>\nStep 1: ${n} + ${n + 4} = ${2 * n + 4}\nAnswer: ${2 * n + 4}`,
      ]),
    );
    const folder = readdirSync(join(root(), 'data'), { recursive: true, encoding: 'utf8' });
    for (const name of folder.map((one) => join(root(), 'data', one)).filter((one) => statSync(one).isFile()))
      assert.ok(!readFileSync(name, 'latin1').includes(secret), name);
  });

  test('asked again, it takes the replies that are there', async () => {
    const command = vscode.commands.executeCommand<string>('distillery.generateChains', vscode.Uri.file(questions));
    let done = false;
    void command.then(() => {
      done = true;
    });
    await accept('the end', () => done);
    assert.equal(server.asked.length, 6);
  });

  test('a language model of VS Code is a teacher like others', async () => {
    const asked: string[] = [];
    const model = {
      id: 'one',
      name: 'One',
      vendor: 'test',
      family: 'one',
      countTokens: async (text: string | vscode.LanguageModelChatMessage) => String(text).length,
      sendRequest: async (messages: vscode.LanguageModelChatMessage[]) => {
        asked.push(messages.map(({ content }) => JSON.stringify(content)).join());
        const text = (async function* () {
          yield 'Step 1: 1 + 1 = 2\n';
          yield 'Answer: 2';
        })();
        return { text, stream: text };
      },
    };
    const teacher = vscodeTeacher(model);
    const request = { prompt: 'What is 1 + 1?', temperature: 0.7, maxTokens: 100 };
    const reply = await collectReply(teacher.ask(request, new AbortController().signal), 0);
    assert.deepEqual(reply, {
      thought: '',
      text: 'Step 1: 1 + 1 = 2\nAnswer: 2',
      finished: true,
      usage: { prompt: 14, completion: 27 },
    });
    assert.match(asked[0], /What is 1 \+ 1\?/);

    const blocked = vscodeTeacher({
      ...model,
      sendRequest: () => Promise.reject(vscode.LanguageModelError.Blocked('filtered')),
    });
    await assert.rejects(collectReply(blocked.ask(request, new AbortController().signal), 0), {
      kind: 'request',
      message: 'filtered',
    });
    const refused = vscodeTeacher({
      ...model,
      sendRequest: () => Promise.reject(vscode.LanguageModelError.NoPermissions('no')),
    });
    await assert.rejects(collectReply(refused.ask(request, new AbortController().signal), 0), { kind: 'teacher' });
    const silent = vscodeTeacher({ ...model, sendRequest: () => new Promise(() => {}) }, { silenceMs: 50 });
    await assert.rejects(collectReply(silent.ask(request, new AbortController().signal), 0), {
      kind: 'passing',
      message: 'no complete reply from VS Code (test): nothing arrived for 0.05 s',
    });
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    await assert.rejects(collectReply(teacher.ask(request, abort.signal), 0), /enough/);
  });
});
