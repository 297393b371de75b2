import { registerGradients } from './gradients';
import { registerReferenceKernels } from './reference/register';

/**
 * Makes every kernel of interface.ts and its gradient known to tfjs for a backend. Accelerated kernels are to be
 * registered before; may be called again, for this backend or another.
 */
export function registerKernels(backendName: string): void {
  registerGradients();
  registerReferenceKernels(backendName);
}
