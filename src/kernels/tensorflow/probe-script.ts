/** The process that `probe` starts: it tests TensorFlow and sends the result to its parent. */
import { verifyTensorFlow } from './verify';

void verifyTensorFlow(process.argv.includes('--gpu')).then((result) => process.send?.(result));
