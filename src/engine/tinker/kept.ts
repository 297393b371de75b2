import type { Snapshot } from '../port';
import type { RemoteModel } from './model';

/** Saved weights on the server; they are loaded into a model of their own for scoring. */
export class Kept implements Snapshot {
  constructor(
    readonly path: string,
    private model?: RemoteModel,
  ) {}

  async policy(beside: RemoteModel): Promise<RemoteModel> {
    this.model ??= await beside.loaded(this.path, false);
    return this.model;
  }

  async discard(): Promise<void> {
    await this.model?.unload();
    this.model = undefined;
  }
}
