import {
  engine,
  findBackend,
  getKernel,
  memory,
  registerKernel,
  type TensorInfo,
  tensor2d,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { gradientKernelNames, kernelNames } from '../interface';
import { switchTo } from '../testing/backends';
import { references, registerReferenceKernels } from './register';

beforeAll(() => switchTo('cpu'));

it('there is a reference for every kernel', () => {
  const names = [...Object.values(kernelNames), ...Object.values(gradientKernelNames)];
  expect(Object.keys(references).sort()).toEqual(names.sort());
});

it('kernels that a backend has already are left to it', () => {
  const own = { kernelName: kernelNames.embed, backendName: 'elsewhere', kernelFunc: () => [] };
  registerKernel(own);
  registerReferenceKernels('elsewhere');
  expect(getKernel(kernelNames.embed, 'elsewhere')).toBe(own);
  for (const name of Object.keys(references)) {
    expect(getKernel(name, 'elsewhere')).toBeDefined();
    unregisterKernel(name, 'elsewhere');
  }
});

it('kernels may be called by kernels, with bare infos for tensors', () => {
  const x = tensor2d([[3, 4]]);
  const bare = ({ dataId, shape, dtype }: TensorInfo): TensorInfo => ({ dataId, shape, dtype });
  const before = memory().numTensors;
  const out = getKernel(kernelNames.sumSquares, 'cpu').kernelFunc({
    inputs: { 0: bare(x) },
    backend: findBackend('cpu'),
    attrs: {},
  }) as TensorInfo;
  expect(memory().numTensors).toBe(before + 1);
  const total = engine().makeTensorFromTensorInfo(out);
  expect(total.dataSync()[0]).toBe(25);
  expect([...x.dataSync()]).toEqual([3, 4]);
});
