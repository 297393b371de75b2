import { studentTitle } from '../runs/students';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { TestRunner } from './evaluation';
import { registerGenerated } from './generated';
import { TestedStudent } from './students';
import { TestTree } from './tree';

/** Datasets as test suites: a problem that the student answers wrong is a failed test. */
export function registerTests(services: Services): vscode.Disposable {
  const controller = new vscode.TestController('distillery.evaluation', 'Distillery: Problems');
  const tree = new TestTree(controller, services);
  const student = new TestedStudent(services);
  const evaluation = new TestRunner(services, controller, tree, student);
  const profile = controller.createRunProfile('Ask the Student', (request, cancelled) =>
    evaluation.run(request, cancelled),
  );
  const name = () => {
    const label = student.chosen ? `Ask ${studentTitle(student.chosen)}` : 'Ask the Newest Student';
    vscode.setTexts(profile, { label });
  };
  const choose = async () => {
    if (await student.choose()) name();
  };
  profile.configureHandler = () => void choose();
  name();
  return vscode.Disposable.from(
    tree,
    controller,
    registerGenerated(),
    vscode.commands.registerCommand('distillery.chooseTestedStudent', choose),
  );
}
