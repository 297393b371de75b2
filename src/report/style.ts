import { raw } from './html';

/** The style of the page; light or dark by the reader's system. */
export const style = raw(`
:root {
  color-scheme: light dark; --ink: #1f2328; --dim: #59636e; --rule: #d1d9e0; --back: #ffffff; --soft: #f6f8fa;
  --line: #0969da; --good: #1a7f37; --bad: #c93c37; --mark: #ffdcd7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6edf3; --dim: #9198a1; --rule: #3d444d; --back: #0d1117; --soft: #151b23; --line: #58a6ff;
    --good: #3fb950; --bad: #f47067; --mark: #67251f;
  }
}
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 24px; }
h1, h2, h3, p { overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 26px; }
h2 { margin: 32px 0 12px; font-size: 20px; }
h3 { margin: 0 0 6px; font-size: 13px; }
.dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th:first-child { text-align: left; font-weight: 500; }
thead th { color: var(--dim); font-weight: 500; white-space: normal; vertical-align: bottom; }
.strongest th { font-weight: 700; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
dt { color: var(--dim); }
dt::first-letter { text-transform: uppercase; }
dd { margin: 0; overflow-wrap: anywhere; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 16px; }
figure { margin: 0; }
figcaption { font-size: 13px; margin-bottom: 4px; }
svg { width: 100%; height: auto; display: block; }
svg text {
  fill: var(--dim); font: 11px system-ui, sans-serif; paint-order: stroke; stroke: var(--back); stroke-width: 3px;
}
svg .line { stroke: var(--line); fill: none; stroke-width: 1.5; }
svg .dot { fill: var(--line); }
.legend {
  display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; color: var(--dim); margin: 0 0 12px; padding: 0;
  list-style: none;
}
.legend i { display: inline-block; width: 14px; height: 10px; margin-right: 6px; border: 1px solid var(--rule); }
details { border: 1px solid var(--rule); border-radius: 6px; padding: 10px 14px; margin-bottom: 12px; }
summary { cursor: pointer; overflow-wrap: anywhere; }
.question { white-space: pre-wrap; }
.texts { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 12px; }
article { background: var(--soft); border-radius: 6px; padding: 10px 12px; min-width: 0; }
pre {
  margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace;
}
mark { background: var(--mark); color: inherit; text-decoration: underline wavy var(--bad) 1px; }
.reason { margin: 8px 0 0; font-size: 13px; }
footer { margin-top: 40px; font-size: 13px; }
@media print { details { break-inside: avoid; } }
`);
