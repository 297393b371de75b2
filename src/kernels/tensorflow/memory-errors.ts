import { UserError } from '../../errors';
import type { Binding } from './binding';

/** TensorFlow's messages for exhausted memory, on a GPU or not (TF_RESOURCE_EXHAUSTED is status 8). */
const exhausted =
  /Invalid TF_Status: 8\b|OOM when allocating|RESOURCE_EXHAUSTED|CUDA_ERROR_OUT_OF_MEMORY|std::bad_alloc/;

/** An operation's error unchanged or, if memory is exhausted, as a UserError that names settings to lower. */
export function memoryError(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (!exhausted.test(message)) return error;
  const [, tensor, device] = /allocating tensor with shape\s*(\[[^\]]*\]).* on (\S+)/.exec(message) ?? [];
  const where = /GPU/i.test(device ?? message) ? 'the GPU' : 'this machine';
  return new UserError(`Memory of ${where} ran out${tensor ? ` at a tensor of shape ${tensor}` : ''}`, {
    code: 'memory',
    remedy:
      'Lower microBatchTokens, maxNewTokens, or the group and prompts of an update; ' +
      'on a shared GPU, wait until other programs are done. Resume with `distillery resume`.',
    cause: error,
  });
}

/** The binding, with memory errors converted to UserErrors. */
export function withMemoryErrors(binding: Binding): Binding {
  const guarded = (call: (...args: never[]) => unknown) =>
    function guard(...args: never[]) {
      try {
        return call(...args);
      } catch (error) {
        throw memoryError(error);
      }
    };
  return Object.create(binding, {
    executeOp: { value: guarded(binding.executeOp) },
    createTensor: { value: guarded(binding.createTensor) },
    tensorDataSync: { value: guarded(binding.tensorDataSync) },
  });
}
