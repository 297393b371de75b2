import { resolve } from 'node:path';
import { type AskedStudent, openStudent } from '../curriculum/evaluation/students';
import { runConfigOf } from '../curriculum/run-config';
import { startForInference } from '../engine/engines';
import type { Engine } from '../engine/port';
import { UserError } from '../errors';
import { statOf } from '../paths';
import { lastChange } from './last-change';

/** How long an unused student stays in memory, in milliseconds. */
const unloadAfterMs = 60_000;

/** The last student stays loaded for a while, because questions come in series. */
export class Students {
  private loaded?: { folder: string; written: number; asked: AskedStudent };
  /** An engine started for it; none if that of a run is used. */
  private engine?: Engine;
  private timer?: NodeJS.Timeout;

  /**
   * The student in a folder. It uses the engine of its run (`auto` elsewhere), or that of a run in progress,
   * because there is no memory for two.
   */
  async load(folder: string, running: Engine | undefined): Promise<AskedStudent> {
    clearTimeout(this.timer);
    const path = resolve(folder);
    const written = lastChange(path, ['model.safetensors', 'adapter_model.safetensors']);
    if (this.loaded?.folder === path && this.loaded.written === written) return this.loaded.asked;
    await this.release();
    if (!statOf(path))
      throw new UserError('this checkpoint no longer exists', {
        file: path,
        code: 'checkpoint',
        remedy: 'Runs keep the best and the newest checkpoints of a stage; choose another one.',
      });
    if (!running) this.engine = await startForInference(runConfigOf(path)?.experiment.backend ?? 'auto', path);
    const asked = await openStudent(running ?? this.engine!, path);
    this.loaded = { folder: path, written, asked };
    return asked;
  }

  /** Called when the student is idle. */
  unloadLater(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.release(), unloadAfterMs).unref();
  }

  /** Frees the memory. */
  async release(): Promise<void> {
    clearTimeout(this.timer);
    const { loaded, engine } = this;
    this.loaded = undefined;
    this.engine = undefined;
    await loaded?.asked.student.dispose();
    await engine?.close();
  }
}
