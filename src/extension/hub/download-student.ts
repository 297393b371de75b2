import { findStudent } from '../../hub/cache';
import { parseStudentName, studentNameText } from '../../hub/name';
import { planStudent } from '../../hub/student-plan';
import { trustedCommand } from '../commands/report';
import type { Services } from '../services';
import { commandOffer, offer } from '../shared/offers';
import * as vscode from '../vscode';
import { askName, fetchFromHub } from './hub';

/**
 * `distillery.downloadStudent`: downloads a model of the Hugging Face Hub. Experiments refer to it by name. Returns its
 * folder.
 */
export function registerDownloadStudent(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.downloadStudent', async (argument?: unknown) => {
    const given = typeof argument === 'string' ? parseStudentName(argument) : null;
    const student = given ?? (await askName(question));
    if (!student) return undefined;
    const name = studentNameText(student);
    const folder = findStudent(student) ?? (await fetchFromHub(services, name, (hub) => planStudent(hub, student)));
    if (folder === undefined) return undefined;
    const text = `${name} was downloaded. Experiments use it by name: "student": { "path": "${name}" }.`;
    const copy = { title: 'Copy Name', run: () => vscode.env.clipboard.writeText(name) };
    void offer(text, copy, commandOffer('Ask This Student', 'distillery.askStudent', folder));
    return folder;
  });
}

const question = {
  title: 'Download Student',
  prompt: 'Name of a model on the Hugging Face Hub. Its size is shown before anything is downloaded.',
  placeHolder: 'Qwen/Qwen2.5-0.5B',
  parse: parseStudentName,
  form: 'owner/name, with @revision if it is not main',
};
