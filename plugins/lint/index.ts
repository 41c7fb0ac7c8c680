import { LRUCache } from 'lru-cache'
import { definePlugin, type HttpRequest, type PluginServer, type RequestTrace } from 'rawhttp'
import { answerOf } from './answer.ts'
import { EarlierAnswers } from './earlier.ts'
import { diagnosticOf, findingsIn, keyOf } from './finding.ts'
import type { Rule } from './rule.ts'
import { rules } from './rules/index.ts'
import { lintOptions } from './schema.ts'

export type { LintOptions } from './schema.ts'

/** Findings that are remembered, at most: one that was forgotten is told again. */
const MOST_TOLD = 2_000

/** What the sites of one instance have in common. */
interface Linter {
  readonly rules: readonly Rule[]
  readonly earlier: EarlierAnswers
  readonly told: LRUCache<string, true>
  /** The trace of a request so far. */
  readonly of: (request: HttpRequest) => RequestTrace | null
}

/** By the server as each plugin instance sees it. */
const linters = new WeakMap<PluginServer, Linter>()

/**
 * Looks at every answer for what HTTP, caches and browsers take amiss, and tells it once for each rule, plugin and route:
 * what is wrong, where that is written, and which plugin, tap and line of the config has done it. It changes nothing.
 *
 * For development: it traces every request.
 *
 * @example
 * export default defineConfig(({ mode }) => ({
 *   plugins: [mode === 'development' && lint()],
 * }))
 */
export const lint = definePlugin({
  name: 'lint',
  options: lintOptions,
  server(server, { ignore }) {
    linters.set(server, {
      rules: rules.filter(({ id }) => !ignore.has(id)),
      earlier: new EarlierAnswers(),
      told: new LRUCache({ max: MOST_TOLD }),
      of: server.trace({ wants: () => true }),
    })
  },
  site({ hooks, server, name }) {
    const linter = linters.get(server)!
    hooks.done.tap('lint', (request, response, outcome) => {
      const trace = linter.of(request)
      if (response === null || trace?.answer == null) return
      const answer = answerOf(request, response, outcome, trace.answer, linter.earlier.of(request))
      linter.earlier.keep(request, response)
      for (const finding of findingsIn(answer, trace.answer, linter.rules)) {
        const key = keyOf(finding, trace)
        if (linter.told.has(key)) continue
        linter.told.set(key, true)
        server.report(diagnosticOf(finding, request, name))
      }
    })
  },
})
