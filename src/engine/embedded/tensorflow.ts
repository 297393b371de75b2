/** What the command line needs of TensorFlow under this engine: whether it is installed, and whether it works. */
export { type Installed, readInstalled, tensorFlowFolder } from '../../kernels/tensorflow/installed';
export { probe } from '../../kernels/tensorflow/probe';
export { verifyTensorFlow } from '../../kernels/tensorflow/verify';
