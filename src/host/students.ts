import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { runConfigOf } from '../curriculum/run-config';
import { openStudent } from '../curriculum/students';
import { UserError } from '../errors';
import { useBackend } from '../kernels/backends';
import type { Student } from '../model/hf-folder';
import { disposeModel } from '../model/transformer';
import { writtenAt } from './written-at';

/** How long a student that nobody asks stays in memory, in milliseconds. */
const patience = 60_000;

/** The student that was asked last stays loaded for a while: questions come in rows. */
export class Students {
  private loaded?: { folder: string; written: number; student: Student };
  private timer?: NodeJS.Timeout;

  /**
   * The student in a folder. Sets up the backend of its run (`auto` elsewhere), unless `settled`: a run is on, whose tensors live where
   * they are.
   */
  async load(folder: string, settled: boolean): Promise<Student> {
    clearTimeout(this.timer);
    const path = resolve(folder);
    const written = writtenAt(path, ['model.safetensors', 'adapter_model.safetensors']);
    if (this.loaded?.folder === path && this.loaded.written === written) return this.loaded.student;
    this.release();
    if (!statSync(path, { throwIfNoEntry: false }))
      throw new UserError('this checkpoint is not there any more', {
        file: path,
        code: 'checkpoint',
        remedy: 'Runs keep the best and the newest checkpoints of a stage; choose another one.',
      });
    if (!settled) await useBackend(runConfigOf(path)?.experiment.backend ?? 'auto');
    this.loaded = { folder: path, written, student: openStudent(path) };
    return this.loaded.student;
  }

  /** Nobody asks just now. */
  rest(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.release(), patience).unref();
  }

  /** Frees the memory. */
  release(): void {
    clearTimeout(this.timer);
    if (this.loaded) disposeModel(this.loaded.student.model);
    this.loaded = undefined;
  }
}
