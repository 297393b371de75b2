/** All kernels that have a form of their own for TensorFlow; the rest are composed of tfjs operations. */
import './attend';
import './decode';
import './optimizer';
import './rows';
import './vocabulary';

export { installTensorFlowKernels } from './register';
