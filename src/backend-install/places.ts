/** Paths of TensorFlow files in the user's data folder. */
import { join } from 'node:path';

export const packageFolder = (root: string): string => join(root, 'tfjs-node');
export const headersFolder = (root: string): string => join(root, 'node-api-headers');
export const bindingFile = (root: string): string => join(root, 'tfjs_binding.node');
/** Headers and libraries from a downloaded wheel. */
export const wheelFolder = (root: string): string => join(root, 'wheel');
export const downloadFolder = (root: string): string => join(root, 'partial');
