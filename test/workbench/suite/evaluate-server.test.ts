import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Services } from '../../../src/extension/services';
import { type FakeServer, openServer } from '../../../src/teachers/testing/server';
import { ending } from '../ending';
import { pause } from '../until';

const root = () => vscode.workspace.workspaceFolders![0].uri.fsPath;

interface Evaluated {
  accuracy: number;
  n: number;
  answers: string;
}

suite('Evaluate Model on a Server', () => {
  const secret = 'sk-evaluation-5ecret';
  let server: FakeServer;
  let services: Services;
  let questions: string;
  const wish = (more = {}) => ({ baseUrl: server.baseUrl, model: 'my/student', data: questions, ...more });
  const evaluate = (argument: object) =>
    vscode.commands.executeCommand<Evaluated | undefined>('distillery.evaluateOnServer', argument);

  suiteSetup(async () => {
    services = (await vscode.extensions.getExtension<Services>('distillery.distillery')!.activate()) as Services;
    server = await openServer(({ prompt }) => {
      const [a, b] = prompt.match(/\d+/g)!.map(Number);
      return { text: `Step 1: ${a} + ${b} = ${a + b}\nAnswer: ${a === 3 ? 0 : a + b}`, usage: 7 };
    });
    questions = join(root(), 'data', 'tested.jsonl');
    const rows = [1, 2, 3, 4].map((n) => ({ id: `t${n}`, question: `What is ${n} + 5?`, answer: `${n + 5}` }));
    writeFileSync(questions, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    await services.context.secrets.store(`distillery.teacher.key ${new URL(server.baseUrl).origin}`, secret);
  });
  suiteTeardown(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await server.close();
    rmSync(questions);
  });

  test('sends nothing before the user chooses how many problems go to which host', async () => {
    const command = evaluate(wish({ prompt: 'plain' }));
    await pause(1000);
    assert.equal(await ending(command, 'workbench.action.closeQuickOpen'), undefined);
    assert.equal(server.asked.length, 0);
  });

  test('asks as the command line does, with the key of the secret storage, and gives figures and answers', async () => {
    const result = (await ending(evaluate(wish())))!;
    assert.deepEqual([result.n, result.accuracy], [4, 0.75]);
    const answers = result.answers
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      answers.map(({ problemId, correct, tokens }) => [problemId, correct, tokens]),
      [1, 2, 3, 4].map((n) => [`t${n}`, n !== 3, 7]),
    );
    assert.ok(answers.every((answer) => 'strictMatch' in answer && 'flexibleExtract' in answer));
    for (const { path, body, headers } of server.asked) {
      assert.equal(path, '/v1/completions');
      assert.equal(headers.authorization, `Bearer ${secret}`);
      assert.deepEqual([body.model, body.temperature, body.max_tokens], ['my/student', 0, 512]);
    }
  });

  test("takes an experiment's test problems and its way of asking", async () => {
    server.asked.length = 0;
    const experiment = join(root(), readdirSync(root()).find((name) => name.endsWith('.distillery.json'))!);
    const { evaluation } = JSON.parse(readFileSync(experiment, 'utf8').replace(/^\s*\/\/.*$/gm, ''));
    const result = (await ending(evaluate(wish({ data: experiment, prompt: 'chat' }))))!;
    assert.ok(result.n > 0);
    assert.equal(server.asked.length, result.n);
    assert.ok(server.asked.every(({ path }) => path === '/v1/chat/completions'));
    assert.ok(server.asked.every(({ body }) => body.max_tokens === evaluation.maxNewTokens));
  });

  test('a server that refuses the key is reported, and the key deleted', async () => {
    server.behave = () => ({ status: 401, error: 'wrong key' });
    assert.equal(await ending(evaluate(wish({ prompt: 'plain' }))), undefined);
    const stored = await services.context.secrets.get(`distillery.teacher.key ${new URL(server.baseUrl).origin}`);
    assert.equal(stored, undefined);
  });
});
