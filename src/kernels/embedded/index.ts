/** Declares every accelerated kernel; installEmbedded then makes a backend with them. */
import './adapted-linear';
import './attend';
import './copy-slots';
import './decode';
import './elementwise';
import './gemm';
import './grpo';
import './optimizer';
import './pack';
import './rows';
import './vocabulary';

export { installEmbedded } from './register';
