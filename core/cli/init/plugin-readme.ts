import type { PluginNames } from './names.ts'

/** What the plugin's page on npm says. */
export const readme = ({ package: name, plugin, factory }: PluginNames): string => `# ${name}

Answers one path with a text: a plugin for rawhttp.

\`\`\`sh
npm install ${name}
\`\`\`

\`\`\`ts
import { defineConfig } from 'rawhttp'
import { ${factory} } from '${name}'

export default defineConfig({
  plugins: [${factory}({ text: 'Hello.\\n' })],
})
\`\`\`

In a config of JSON it goes by its name: \`"plugins": [["${name}", { "text": "Hello." }]]\`.

| option | type | default | |
|---|---|---|---|
| \`path\` | path | \`'/${plugin}'\` | The path that is answered. |
| \`text\` | string | \`'Hello from ${plugin}.\\n'\` | What it is answered with. |

GET and HEAD are answered; other methods are 405, unless another plugin takes them. Hooks: \`handle\` at \`Handle.Route\`.

## Working on it

\`\`\`sh
npm test           # the tests, on the sources
npm run check      # types
npm run build      # dist/, what is published
npm publish        # builds first
\`\`\`

To try it in a site before that: \`npm install ../${name}\` there.
`
