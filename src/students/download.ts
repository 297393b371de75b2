/**
 * Fetches a student's files into the cache: file by file into a folder aside, each checked by its hash, and the folder renamed when
 * all are there. What a failed try left is gone on from. (The Hub's own library neither resumes nor can be stopped.)
 */
import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { guardDisk } from '../disk';
import { UserError } from '../errors';
import { flushFolder, makeFolder, move, replaceText } from '../writing';
import { repositoryFolder } from './cache';
import { fetchFile } from './fetch-file';
import { studentNameText } from './name';
import type { DownloadPlan } from './plan';
import type { Hub } from './request';

export interface DownloadProgress {
  file: string;
  /** Bytes of the whole student that are here and that there are. */
  done: number;
  bytes: number;
}

const kept = 'what was fetched is kept, and the next try goes on from there';

/** Fetches what `plan` lists and lacks. Returns the student's folder. */
export async function downloadStudent(
  hub: Hub,
  plan: DownloadPlan,
  cache: string,
  progress: (progress: DownloadProgress) => void = () => {},
): Promise<string> {
  const repository = repositoryFolder(cache, plan.student);
  const folder = join(repository, 'snapshots', plan.commit);
  if (!existsSync(folder)) {
    const draft = join(repository, 'partial', plan.commit);
    guardDisk(draft, kept, () => makeFolder(cache, draft));
    checkSpace(draft, plan);
    let before = 0;
    for (const file of plan.files) {
      const address = `${hub.url}/${plan.student.repository}/resolve/${plan.commit}/${file.name}`;
      const tell = (here: number) => progress({ file: file.name, done: before + here, bytes: plan.bytes });
      await fetchFile(hub, address, file, join(draft, file.name), tell);
      before += file.bytes;
    }
    guardDisk(folder, kept, () => {
      makeFolder(cache, dirname(folder));
      flushFolder(draft);
      move(cache, draft, folder);
      flushFolder(dirname(folder));
    });
  }
  const reference = join(repository, 'refs', plan.student.revision);
  if (plan.student.revision !== plan.commit) {
    guardDisk(reference, kept, () => makeFolder(cache, dirname(reference)));
    replaceText(cache, reference, plan.commit);
  }
  return folder;
}

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function checkSpace(draft: string, { bytes, files, student }: DownloadPlan): void {
  const missing = bytes - files.reduce((sum, { name }) => sum + sizeOf(join(draft, name)), 0);
  const { bavail, bsize } = statfsSync(draft);
  const free = bavail * bsize;
  if (missing > free)
    throw new UserError(
      `${studentNameText(student)} needs ${gigabytes(missing)} more, but only ${gigabytes(free)} are free`,
      { file: draft, code: 'disk', remedy: 'Free some space, or set DISTILLERY_STUDENTS_CACHE to a folder elsewhere.' },
    );
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
