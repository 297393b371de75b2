import { completionLength } from '../../chain/completion';
import type { Span } from '../../chain/types';
import type { RolloutRecord } from '../../runs/records';
import { percent } from '../../words';

/** The recorded numbers of one token. */
export interface TokenFacts extends Span {
  index: number;
  text: string;
  id: number;
  logProb?: number;
  refLogProb?: number;
  entropy?: number;
}

/** The token at a position of the completion's text; undefined past the end. */
export function tokenAt(rollout: RolloutRecord, offset: number): TokenFacts | undefined {
  const { tokenTexts, tokens, logProbs, refLogProbs, entropy, finished } = rollout;
  const count = completionLength({ tokens, finished });
  let start = 0;
  for (let index = 0; index < count; index++) {
    const text = tokenTexts[index];
    const end = start + text.length;
    if (offset < end)
      return {
        index,
        text,
        start,
        end,
        id: tokens[index],
        logProb: logProbs?.[index],
        refLogProb: refLogProbs?.[index],
        entropy: entropy?.[index],
      };
    start = end;
  }
  return undefined;
}

/** One line for each number: "log-prob -0.105 (90.0 %)". */
export function tokenLines(facts: TokenFacts, { advantage }: RolloutRecord): string[] {
  const { logProb, refLogProb, entropy } = facts;
  const number = (value: number) => value.toFixed(3);
  return [
    ...(logProb === undefined ? [] : [`log-prob ${number(logProb)} (${percent(Math.exp(logProb))})`]),
    ...(refLogProb === undefined || logProb === undefined
      ? []
      : [`reference log-prob ${number(refLogProb)}, difference ${number(logProb - refLogProb)}`]),
    ...(entropy === undefined ? [] : [`entropy ${number(entropy)} nats`]),
    ...(advantage === null ? [] : [`advantage ${number(advantage)}`]),
  ];
}
