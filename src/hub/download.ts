/**
 * Downloads the files of a plan to the cache: into a temporary folder, each verified by its hash, and renamed when
 * complete. An interrupted download resumes. (The Hub's own library can neither resume nor be stopped.)
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkSpace, guardDisk } from '../disk';
import { fetchFile } from '../download';
import { UserError } from '../errors';
import { sizeOf } from '../paths';
import { flushFolder, makeFolder, move, replaceText } from '../writing';
import { repositoryFolder } from './cache';
import type { DownloadPlan } from './plan';
import { type Hub, refuseStatus, request, unreachable } from './request';

export interface DownloadProgress {
  file: string;
  /** Bytes downloaded, and in all. */
  done: number;
  bytes: number;
}

const kept = 'the downloaded part is kept, and the next attempt resumes';

/** Downloads the missing files of `plan`. Returns their folder. */
export async function download(
  hub: Hub,
  plan: DownloadPlan,
  cache: string,
  progress: (progress: DownloadProgress) => void = () => {},
): Promise<string> {
  const { kind, name, commit } = plan;
  const repository = repositoryFolder(cache, kind, name);
  const folder = join(repository, 'snapshots', commit, plan.folder);
  if (!existsSync(folder)) {
    const draft = join(repository, 'partial', commit, plan.folder);
    guardDisk(draft, kept, () => makeFolder(cache, draft));
    const there = plan.files.reduce((sum, file) => sum + sizeOf(join(draft, file.name)), 0);
    checkSpace(draft, plan.bytes - there, setting[kind]);
    const base = `${hub.url}/${kind === 'dataset' ? 'datasets/' : ''}${name.repository}/resolve/${commit}`;
    let before = 0;
    for (const file of plan.files) {
      const to = join(draft, file.name);
      if (dirname(to) !== draft) guardDisk(to, kept, () => makeFolder(cache, dirname(to)));
      const address = `${base}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
      await fetchFile(to, file, {
        request: (headers) => request(hub, address, { range: 'bytes=0-', ...headers }),
        refuse: (status) => refuseStatus(hub, status, file.name),
        unreachable: (error) => unreachable(hub, error),
        otherFile: (why) =>
          new UserError(`${why}: the Hub sent another file than it lists`, {
            file: to,
            code: 'network',
            remedy: 'Try again later. If it keeps happening, something between here and the Hub changes files.',
          }),
        progress: (here) => progress({ file: file.name, done: before + here, bytes: plan.bytes }),
        signal: hub.signal,
        delayMs: hub.retryDelayMs,
      });
      before += file.bytes;
    }
    guardDisk(folder, kept, () => {
      makeFolder(cache, dirname(folder));
      flushFolder(draft);
      move(cache, draft, folder);
      flushFolder(dirname(folder));
    });
  }
  const reference = join(repository, 'refs', name.revision);
  if (name.revision !== commit) {
    guardDisk(reference, kept, () => makeFolder(cache, dirname(reference)));
    replaceText(cache, reference, commit);
  }
  return folder;
}

const setting = { model: 'DISTILLERY_STUDENTS_CACHE', dataset: 'DISTILLERY_DATASETS_CACHE' };
