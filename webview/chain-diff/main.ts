import '../common/jitless';
import '../common/theme.css';
import './style.css';
import { type ToChainPage, toChainPageSchema } from '../../src/protocol/chain-diff';
import type { FromChainPage } from '../../src/protocol/chain-diff-requests';
import { openLink } from '../common/link';
import { listenToKeys } from './keys';
import { ChainDiffPage } from './page';
import { initialView, viewSchema } from './state';

const link = openLink<ToChainPage, FromChainPage>(toChainPageSchema, (message) => {
  performance.mark('case-received');
  if (message.type === 'case') page.show(message.case);
  else page.showTrouble(message.message);
  performance.measure('case-shown', 'case-received');
});
const kept = viewSchema.safeParse(link.kept()?.view);
const page = new ChainDiffPage(document.getElementById('page')!, link, kept.data ?? initialView);
listenToKeys(page);
