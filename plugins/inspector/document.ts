import { escapeHtml } from 'rawhttp'

/**
 * The page without its data.
 *
 * @param isAlone Whether one process has all that this server does.
 */
export function documentAt(path: string, isAlone: boolean): string {
  const base = escapeHtml(path)
  const part = isAlone ? '' : '<p id="part">one of several workers</p>\n'
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>rawhttp inspector</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}/style.css">
<script type="module" src="${base}/main.js"></script>
</head>
<body>
<header>
<h1>rawhttp <span>inspector</span></h1>
<p id="state" role="status" data-state="connecting">connecting</p>
${part}<dl class="gauges">
<div><dt>connections</dt><dd id="gauge-connections">–</dd></div>
<div><dt>at work</dt><dd id="gauge-requests">–</dd></div>
<div><dt>a second</dt><dd id="gauge-rate">–</dd></div>
<div><dt>cache hits</dt><dd id="gauge-hits">–</dd></div>
<div><dt>misses</dt><dd id="gauge-misses">–</dd></div>
</dl>
</header>
<form id="filters" role="search" aria-label="Filter">
<input id="filter-text" type="search" placeholder="Path, host, client, id, user agent" aria-label="Text" autocomplete="off" spellcheck="false">
<select id="filter-method" aria-label="Method"><option value="">Any method</option></select>
<select id="filter-status" aria-label="Status">
<option value="">Any status</option><option value="1">1xx</option><option value="2">2xx</option><option value="3">3xx</option><option value="4">4xx</option><option value="5">5xx</option><option value="none">No answer</option>
</select>
<select id="filter-site" aria-label="Site"><option value="">Any site</option></select>
<select id="filter-plugin" aria-label="Plugin"><option value="">Any plugin</option></select>
<button type="reset">All</button>
<span class="gap"></span>
<button id="pause" type="button" aria-pressed="false">Pause</button>
<button id="clear" type="button">Clear</button>
</form>
<main>
<section class="requests" aria-label="Requests">
<div id="rows" role="grid" aria-label="Requests, the newest first" tabindex="0" aria-rowcount="1">
<div class="row head" role="row" aria-rowindex="1">
<span class="time" role="columnheader">time</span><span class="method" role="columnheader">method</span><span class="path" role="columnheader">path</span><span class="status" role="columnheader">status</span><span class="site" role="columnheader">site</span><span class="by" role="columnheader">answered by</span><span class="took" role="columnheader">took</span><span class="way" role="columnheader">way</span>
</div>
<div id="canvas" role="rowgroup"></div>
<p id="empty">Waiting for requests …</p>
</div>
</section>
<aside id="detail" aria-labelledby="detail-title" hidden>
<div class="title"><h2 id="detail-title" tabindex="-1"></h2><button id="detail-close" type="button">Close</button></div>
<div id="detail-content"></div>
</aside>
</main>
<footer>
<span id="shown"></span><span id="left-out"></span>
<ul class="legend" aria-hidden="true"><li class="client">client</li><li class="listener">listener</li><li class="parser">parser</li><li class="router">router</li><li class="plugins">plugins</li><li class="response">response</li><li class="failed">failed</li></ul>
<span class="keys">↑ ↓ choose, Enter opens, Esc closes</span>
</footer>
</body>
</html>
`
}
