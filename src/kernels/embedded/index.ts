/** Declares every accelerated kernel; installEmbedded then makes a backend with them. */
import './copy-slots';
import './elementwise';
import './gemm';
import './rows';

export { installEmbedded } from './register';
