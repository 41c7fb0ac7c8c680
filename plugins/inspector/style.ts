/** The sheet of the page. Two inks, as everywhere: neutral for the kernel, one colour for what plugins do. */
export const STYLE = `:root {
  color-scheme: light dark;
  --paper: #f3f7f5; --card: #ffffff; --ink: #10201c; --soft: #4a5d57; --rule: #cdd9d4; --edge: #70837c;
  --plug: #b50b55; --wash: #fbe7f0; --good: #12664f; --bad: #b3261e; --warn: #8a5a00;
  --mono: ui-monospace, 'Cascadia Code', 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  --sans: system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0c1513; --card: #131f1c; --ink: #e6f0ec; --soft: #9fb3ac; --rule: #2a3b36; --edge: #6f857d;
    --plug: #ff86b4; --wash: #371425; --good: #6fd3b1; --bad: #ff9a8f; --warn: #f0c36a;
  }
}
@media (forced-colors: active) {
  .strip i, .bar i, .legend li::before { forced-color-adjust: none; }
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
html, body { height: 100%; }
body {
  margin: 0; display: grid; grid-template: auto auto minmax(0, 1fr) auto / minmax(0, 1fr);
  background: var(--paper); color: var(--ink); font: 0.875rem/1.4 var(--sans);
}
h1, h2, h3, p, dl, dd, ul, ol { margin: 0; padding: 0; }
:focus-visible { outline: 3px solid var(--plug); outline-offset: -2px; border-radius: 3px; }

header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: baseline; padding: 0.75rem 1rem 0.5rem; }
h1 { font: 750 1.125rem var(--mono); letter-spacing: -0.03em; }
h1 span { color: var(--plug); }
#state, #part { color: var(--soft); }
#state::before { content: ''; display: inline-block; width: 0.6em; height: 0.6em; margin-inline-end: 0.4em; border-radius: 50%; background: var(--warn); }
#state[data-state='live']::before { background: var(--good); }
#state[data-state^='ended']::before { background: var(--bad); }
.gauges { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin-inline-start: auto; }
.gauges div { display: flex; gap: 0.4rem; align-items: baseline; }
.gauges dt { color: var(--soft); }
.gauges dd { min-width: 2.5ch; text-align: end; font: 650 1rem var(--mono); font-variant-numeric: tabular-nums; }

form { display: flex; flex-wrap: wrap; gap: 0.5rem; padding: 0.25rem 1rem 0.75rem; }
.gap { flex: 1; }
input, select, button {
  min-height: 2rem; max-width: 100%; padding: 0.25rem 0.6rem; border: 1px solid var(--edge); border-radius: 4px;
  background: var(--card); color: var(--ink); font: inherit;
}
input { width: 20rem; }
input::placeholder { color: var(--soft); opacity: 1; }
button { cursor: pointer; }
button:hover { border-color: var(--plug); }
button[aria-pressed='true'] { background: var(--wash); border-color: var(--plug); color: var(--plug); }

main { display: flex; min-height: 0; border-block: 1px solid var(--rule); background: var(--card); }
.requests { flex: 1; min-width: 0; }
#rows { position: relative; height: 100%; overflow: auto; overflow-anchor: none; }
#canvas { position: relative; min-width: 58rem; }
.row {
  display: grid; grid-template-columns: 7.5rem 5.5rem minmax(8rem, 1fr) 4.5rem 6rem 8rem 5.5rem 14rem;
  gap: 0.5rem; align-items: center; height: 28px; padding: 0 1rem; font-variant-numeric: tabular-nums;
}
#canvas .row { position: absolute; inset: 0 0 auto; cursor: pointer; border-bottom: 1px solid var(--rule); content-visibility: auto; }
.row.head { position: sticky; top: 0; z-index: 1; min-width: 58rem; background: var(--paper); color: var(--soft); border-bottom: 1px solid var(--rule); }
.row > span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row .path, .row .method, .row .time { font-family: var(--mono); font-size: 0.8125rem; }
.row .took { text-align: end; }
#canvas .by { color: var(--plug); }
#canvas [data-by='kernel'] .by { color: inherit; }
#canvas .row:hover { background: var(--paper); }
#canvas .row.active { background: var(--wash); box-shadow: inset 4px 0 var(--plug); }
.row .status { font-weight: 650; color: var(--good); }
.row.head .status { font-weight: inherit; color: inherit; }
[data-status='3'] .status { color: var(--soft); }
[data-status='4'] .status { color: var(--warn); }
[data-status='5'] .status, [data-status='none'] .status { color: var(--bad); }
#empty { position: absolute; inset: 40% 0 auto; text-align: center; color: var(--soft); }

/* Beside the details of one there is less room: what they tell is left out. */
main:has(aside:not([hidden])) :is(.row, #canvas) { min-width: 0; }
main:has(aside:not([hidden])) .row { grid-template-columns: 7rem 4.5rem minmax(0, 1fr) 3.5rem 5rem 6rem; }
main:has(aside:not([hidden])) .row > :is(.site, .by) { display: none; }

.strip { display: flex; gap: 2px; height: 12px; }
.strip i { flex: 0 1 8px; min-width: 8px; border-radius: 2px; }
.strip i, .bar i, .legend li::before { background: var(--edge); }
.strip .plugins, .bar .plugins, .plugins .bar i, .legend .plugins::before { background: var(--plug); }
.strip .response, .response .bar i, .legend .response::before { background: var(--good); }
.strip .client, .strip .listener, .strip .parser, .legend .client::before, .legend .listener::before, .legend .parser::before { background: var(--ink); }
.strip .skipped { background: none; box-shadow: inset 0 0 0 1px var(--edge); }
.strip .failed, .failed .bar i, .legend .failed::before { background: var(--bad) repeating-linear-gradient(45deg, transparent 0 3px, var(--card) 3px 5px); }

aside { display: grid; grid-template-rows: auto minmax(0, 1fr); width: min(42rem, 55%); border-inline-start: 1px solid var(--rule); background: var(--paper); }
aside .title { display: flex; gap: 1rem; align-items: start; padding: 0.75rem 1rem; }
aside h2 { flex: 1; font: 650 1rem/1.4 var(--mono); overflow-wrap: anywhere; max-height: 6.5em; overflow: auto; }
#detail-content { overflow: auto; padding: 0 1rem 1.5rem; overflow-wrap: anywhere; }
h3 { margin: 1.25rem 0 0.5rem; font-size: 0.9375rem; }
.stations { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 0.4rem; list-style: none; }
.stations li { display: grid; gap: 0.1rem; padding: 0.5rem; border: 1px solid var(--edge); border-top-width: 4px; border-radius: 4px; background: var(--card); }
.stations .plugins { border-color: var(--plug); }
.stations .failed { border-color: var(--bad); }
.stations .skipped { border-style: dashed; opacity: 0.75; }
.stations li > span { font: 0.75rem/1.3 var(--mono); }
.stations small, small { color: var(--soft); font-size: 0.8125rem; }
.stations li { grid-template-rows: auto 1fr auto auto; }
.stations .bar { display: block; height: 4px; background: var(--rule); }
.stations .bar i { display: block; height: 100%; min-width: 1px; }
#detail dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; margin-top: 1rem; }
#detail dt { color: var(--soft); }
#detail dd { font-family: var(--mono); font-size: 0.8125rem; }
.fault { margin-top: 0.75rem; color: var(--bad); }
.hook { margin-top: 0.4rem; border: 1px solid var(--rule); border-radius: 4px; background: var(--card); }
.hook summary { padding: 0.35rem 0.6rem; cursor: pointer; }
.hook summary small { margin-inline-start: 0.75rem; }
.hook ul { list-style: none; }
.hook > ul { padding: 0 0.6rem 0.4rem; }
.hook > ul > li { padding: 0.2rem 0 0.2rem 0.75rem; border-inline-start: 2px solid var(--rule); }
.hook .answered { border-color: var(--plug); }
.hook .threw, .hook .unfinished { border-color: var(--bad); }
.hook .answered .result, .hook .changed .result { color: var(--plug); }
.hook .threw .result, .hook .unfinished .result { color: var(--bad); }
.hook .not-asked, .hook .out-of-scope { color: var(--soft); }
.hook .not-asked b, .hook .out-of-scope b { font-weight: 400; }
.changes { padding-inline-start: 1rem; font: 0.8125rem/1.4 var(--mono); }
table { width: 100%; border-collapse: collapse; background: var(--card); table-layout: fixed; }
th, td { padding: 0.25rem 0.5rem; border: 1px solid var(--rule); text-align: start; vertical-align: top; }
th { color: var(--soft); font-weight: 400; }
td { font: 0.8125rem/1.4 var(--mono); }

footer { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; padding: 0.4rem 1rem; color: var(--soft); }
#left-out { color: var(--warn); }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin-inline-start: auto; list-style: none; }
.legend li::before { content: ''; display: inline-block; width: 0.7em; height: 0.7em; margin-inline-end: 0.35em; border-radius: 2px; }

@media (max-width: 60rem) {
  main { position: relative; }
  aside { position: absolute; inset: 0; width: auto; border: 0; z-index: 2; }
  .stations { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .gauges { margin-inline-start: 0; }
  .keys { display: none; }
}
@media (prefers-reduced-motion: no-preference) {
  button { transition: border-color 120ms; }
}
`
