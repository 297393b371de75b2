import { findDataset } from '../../hub/cache';
import { datasetNameText, parseDatasetName } from '../../hub/dataset-name';
import { planDataset } from '../../hub/dataset-plan';
import { trustedCommand } from '../commands/report';
import type { Services } from '../services';
import type * as vscode from '../vscode';
import { askName, fetchFromHub } from './hub';

/**
 * `distillery.downloadDataset`: downloads a dataset of the Hugging Face Hub. Experiments refer to it by name. Returns
 * the name; undefined when dismissed.
 */
export function registerDownloadDataset(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.downloadDataset', async (argument?: unknown) => {
    const dataset = typeof argument === 'string' ? parseDatasetName(argument) : await askName(question);
    if (!dataset) return undefined;
    const name = datasetNameText(dataset);
    const folder = findDataset(dataset) ?? (await fetchFromHub(services, name, (hub) => planDataset(hub, dataset)));
    return folder === undefined ? undefined : name;
  });
}

const question = {
  title: 'Download Dataset',
  prompt: 'Name of a dataset on the Hugging Face Hub. Its size is shown before anything is downloaded.',
  placeHolder: 'openai/gsm8k/main',
  parse: parseDatasetName,
  form: 'owner/name, then its subset and split if it has several',
};
