/**
 * The page of a status that has none: it needs nothing else from the server, which is failing. Empty lines do not
 * show.
 */
export const BUILT_IN_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{{status}} {{reason}}</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif; }
body { min-height: 100svh; margin: 0; display: grid; place-items: center; }
main { max-width: 34rem; padding: 2rem; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; text-wrap: balance; }
h1 span { display: block; font-size: 4rem; line-height: 1; letter-spacing: -0.03em; opacity: 0.6; }
p { margin: 0.75rem 0 0; }
p:empty { display: none; }
.id { font-size: 0.875rem; opacity: 0.75; }
.id::before { content: 'Request '; }
</style>
</head>
<body>
<main>
<h1><span>{{status}}</span> {{reason}}</h1>
<p>{{detail}}</p>
<p class="id">{{requestId}}</p>
</main>
</body>
</html>
`
