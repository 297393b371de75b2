/** The engine inside this process: tfjs with this project's kernels, on one of its backends. */
import { resolve } from 'node:path';
import type { Backend } from '../../config/backends';
import { type BackendInfo, listBackends, useBackend } from '../../kernels/backends';
import { multiplicationSpeed } from '../../kernels/speed';
import { checkWeights, loadPolicy } from '../../model/hf-folder';
import { loadStudentConfig } from '../../student-files/folder';
import type { EngineKind } from '../kind';
import type { Engine, OpenOptions, Student } from '../port';
import { adapt } from './adapter';
import { memoryModel } from './memory';
import { EmbeddedStudent } from './student';

type Own = Exclude<Backend, 'auto'> & BackendInfo['name'];

export const embedded: EngineKind = {
  backends: ['auto', 'embedded', 'embedded-wasm', 'tensorflow-gpu', 'tensorflow', 'cpu'],
  start: async (backend) => new EmbeddedEngine(await useBackend(backend as Own | 'auto')),
  reports: listBackends,
};

class EmbeddedEngine implements Engine {
  readonly info: Engine['info'];
  private readonly students = new Set<EmbeddedStudent>();

  constructor(private readonly backend: BackendInfo) {
    this.info = { ...backend };
  }

  memory: Engine['memory'] = async (folder) => {
    const { name, isa } = this.backend;
    checkWeights(folder);
    return memoryModel(loadStudentConfig(folder), name, isa);
  };

  /** One product is not representative of a GPU. */
  async speed(): Promise<number | null> {
    return this.info.name === 'tensorflow-gpu' ? null : multiplicationSpeed();
  }

  async open(folder: string, options: OpenOptions): Promise<Student> {
    const path = resolve(folder);
    const model = loadPolicy(path);
    adapt(model, path, options);
    const student = new EmbeddedStudent(model, path, (one) => this.students.delete(one));
    this.students.add(student);
    return student;
  }

  async close(): Promise<void> {
    for (const student of [...this.students]) await student.dispose();
  }
}
