/** The command line's view of this engine's TensorFlow: whether it is installed, and whether it works. */
export { type Installed, readInstalled, tensorFlowFolder } from '../../kernels/tensorflow/installed';
export { probe } from '../../kernels/tensorflow/probe';
