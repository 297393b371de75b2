/** All kernels with a TensorFlow implementation; the rest are composed of tfjs operations. */
import './attend';
import './decode';
import './optimizer';
import './rows';
import './vocabulary';

export { installTensorFlowKernels } from './register';
