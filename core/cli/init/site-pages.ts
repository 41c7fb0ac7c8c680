const head = (title: string): string => `<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title}</title>
  <link rel="icon" href="/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/style.css">
</head>`

/**
 * The page at `/`: where everything is, each with a link that shows it.
 *
 * @param name A package's name: it needs no escaping.
 */
export const page = (name: string, ts: string): string => `<!doctype html>
<html lang="en">
${head(name)}
<body>
  <main>
    <img src="/icon.svg" alt="" width="64" height="64">
    <h1>${name} is up.</h1>
    <p class="lead">This page is a file. Change it, and the next visitor sees it.</p>
    <dl>
      <div>
        <dt><code>site/public/</code></dt>
        <dd>Files that are served as they are: this page, <a href="/style.css">its style</a> and <a href="/icon.svg">its icon</a>.</dd>
      </div>
      <div>
        <dt><code>site/api/</code></dt>
        <dd>Functions that answer: <a href="/api/hello/world">/api/hello/world</a> greets in JSON.</dd>
      </div>
      <div>
        <dt><code>site/error.html</code></dt>
        <dd>What visitors see when something is missing, as at <a href="/nowhere">/nowhere</a>.</dd>
      </div>
      <div>
        <dt><code>rawhttp.config.${ts}</code></dt>
        <dd>Ports, plugins and sites. <code>npm run check</code> finds the mistakes in it.</dd>
      </div>
    </dl>
  </main>
</body>
</html>
`

/** The page of every error; error-pages fills in what stands in double braces. */
export const errorPage = `<!doctype html>
<html lang="en">
${head('{{status}} {{reason}}')}
<body>
  <main>
    <h1><strong>{{status}}</strong> {{reason}}</h1>
    <p class="lead">{{detail}}</p>
    <p><a href="/">Go to the start page</a></p>
  </main>
</body>
</html>
`

export const style = `:root {
  color-scheme: light dark;
  --ink: light-dark(#16211d, #e6eeea);
  --soft: light-dark(#50605a, #9db0a8);
  --page: light-dark(#f6f9f7, #0f1715);
  --rule: light-dark(#d5dfda, #26332f);
  --accent: light-dark(#0b6b4f, #5fd3ab);
}

* {
  box-sizing: border-box;
}

body {
  display: grid;
  min-height: 100svh;
  margin: 0;
  place-items: center;
  padding: 2rem 1.5rem;
  background: var(--page);
  color: var(--ink);
  font-family: system-ui, sans-serif;
  font-size: 1.0625rem;
  line-height: 1.6;
}

main {
  width: 100%;
  max-width: 40rem;
}

h1 {
  margin: 1.25rem 0 0;
  font-size: clamp(2rem, 1.4rem + 3vw, 3.25rem);
  line-height: 1.1;
  letter-spacing: -0.03em;
  overflow-wrap: anywhere;
}

h1 strong {
  color: var(--accent);
}

.lead {
  margin: 1rem 0 2.5rem;
  color: var(--soft);
  font-size: 1.1875rem;
}

.lead:empty {
  display: none;
}

dl {
  margin: 0;
}

dl > div {
  padding: 1rem 0;
  border-top: 1px solid var(--rule);
}

dd {
  margin: 0.25rem 0 0;
  color: var(--soft);
}

code {
  font-family: ui-monospace, monospace;
  font-size: 0.9375em;
}

dt code {
  color: var(--accent);
  font-weight: 650;
}

a {
  color: var(--accent);
  text-underline-offset: 0.2em;
}
`

export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
  <title>There and back</title>
  <rect width="32" height="32" rx="8" fill="#0b6b4f"/>
  <path d="M7 11h11m-4-4 4 4-4 4M25 21H14m4-4-4 4 4 4" fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/>
</svg>
`
