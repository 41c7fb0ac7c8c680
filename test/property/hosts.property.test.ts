import fc from 'fast-check'
import { createServer, HttpResponse } from 'rawhttp'
import { expect, it } from 'vitest'
import { answering } from '../support/server.ts'

const numRuns = 300

// Few labels and short names, so that hosts meet: `b.a` is below `*.a`, and `a.b.a` below both it and `*.b.a`.
const name = fc
  .array(fc.constantFrom('a', 'b', 'xn--c'), { minLength: 1, maxLength: 3 })
  .map(labels => labels.join('.'))
const address = fc.constantFrom('127.0.0.1', '[::1]', '[2001:db8::a]')
const rule = fc.oneof(
  { weight: 5, arbitrary: name },
  { weight: 4, arbitrary: name.map(each => `*.${each}`) },
  { weight: 1, arbitrary: address },
  { weight: 1, arbitrary: fc.constant('*') },
)
const rules = fc.uniqueArray(rule, { minLength: 1, maxLength: 8 })

/** A host as somebody may write it. */
const written = fc
  .record({
    name: fc.oneof({ weight: 9, arbitrary: name }, { weight: 1, arbitrary: address }),
    isUpper: fc.boolean(),
    dot: fc.boolean(),
    port: fc.constantFrom('', ':', ':80', ':08080', ':65535'),
  })
  .map(({ name, isUpper, dot, port }) => {
    const host = dot && !name.endsWith(']') ? `${name}.` : name
    return { name, host: `${isUpper ? host.toUpperCase() : host}${port}` }
  })

/** Which of the rules takes a name, by looking at all of them. */
function naive(all: readonly string[], host: string): string | null {
  if (all.includes(host)) return host
  const wildcards = all.filter(each => each.startsWith('*.') && host.endsWith(each.slice(1)))
  const [longest = null] = wildcards.sort((a, b) => b.length - a.length)
  return longest ?? (all.includes('*') ? '*' : null)
}

it('a request goes to the site that the exact host, else the longest wildcard, else * says', async () => {
  await fc.assert(
    fc.asyncProperty(rules, fc.array(written, { minLength: 1, maxLength: 8 }), async (all, hosts) => {
      const answer = answering(({ site }) => HttpResponse.text(site.name))
      const sites = all.map(host => ({ name: host, hosts: [host] }))
      const server = await createServer({ sites, plugins: [answer] })
      try {
        for (const { name, host } of hosts) {
          const expected = naive(all, name)
          const byHost = await server.inject({ headers: { host } })
          const byTarget = await server.inject({
            url: `http://${host}/`,
            headers: { host: 'elsewhere.test' },
          })
          for (const { status, text } of [byHost, byTarget])
            expect([status, status === 200 ? text() : null]).toEqual(
              expected === null ? [421, null] : [200, expected],
            )
        }
      } finally {
        await server.stop()
      }
    }),
    { numRuns },
  )
})
