import { registerGradients } from './gradients';
import { registerReferenceKernels } from './reference/register';

/**
 * Registers every kernel of interface.ts and its gradient with tfjs for a backend. Register accelerated kernels before;
 * may be called again, for this backend or another.
 */
export function registerKernels(backendName: string): void {
  registerGradients();
  registerReferenceKernels(backendName);
}
