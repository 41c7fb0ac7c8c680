import { globSync, readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'rolldown'
import manifest from './package.json' with { type: 'json' }

const entries = Object.values(manifest.exports).flatMap(entry =>
  typeof entry === 'string' ? [] : [entry['rawhttp-source']],
)

/** The scripts of the inspector's page, which a browser loads file by file. */
const page: Plugin = {
  name: 'page',
  generateBundle() {
    for (const fileName of globSync('plugins/*/page/*.js'))
      this.emitFile({ type: 'asset', fileName, source: readFileSync(fileName) })
  },
}

/**
 * The published JavaScript: a process that loads some 20 files starts in half the time of one that loads 250. Each
 * module stands in one file only, whichever entry needs it, and in the folder of its kind: places in messages and what a
 * reload leaves alone go by that folder. Types are written by tsc, a file a module.
 */
export default defineConfig({
  input: Object.fromEntries(
    ['./core/cli.ts', ...entries].map(file => [file.replace(/^\.\/|\.ts$/g, ''), file]),
  ),
  platform: 'node',
  // Libraries stay dependencies; rawhttp's own name is what the checkout calls its entry by.
  external: id => /^[^./]/.test(id) && !/^rawhttp(\/|$)/.test(id),
  resolve: { conditionNames: ['rawhttp-source'] },
  plugins: [page],
  output: {
    dir: 'dist',
    cleanDir: true,
    chunkFileNames: ({ name }) => (name.startsWith('core/') ? '[name].js' : 'core/cli/[name].js'),
    comments: { jsdoc: false },
    codeSplitting: {
      groups: [
        // What every command needs, `--help` too, which is to stay quick.
        {
          name: 'core/cli/command',
          test: /\/core\/(cli\/(args|commands)|pending|stderr)\.ts$/,
          priority: 1,
        },
        { name: 'core/kernel', test: /\/core\/index\.ts$/ },
      ],
    },
  },
})
