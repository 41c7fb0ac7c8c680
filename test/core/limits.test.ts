import { readFileSync } from 'node:fs'
import { safeParse } from 'valibot'
import { describe, expect, test } from 'vitest'
import { configSchema } from '../../core/config/schema.ts'
import { refusals } from '../../core/errors.ts'
import { defaultExchangeLimits, defaultListenerLimits } from '../../core/limits.ts'
import { limitDocs, limitsDoc, PAGE } from './limits-doc.ts'

const docs = limitDocs()
const defaults: Readonly<Record<string, number>> = { ...defaultListenerLimits, ...defaultExchangeLimits }

/** What the config makes of a written limit; null when it is refused. */
function resolved(name: string, written: unknown): number | null {
  const { success, output } = safeParse(configSchema, { limits: { [name]: written } })
  return success ? (output.limits as Readonly<Record<string, number>>)[name]! : null
}

test('docs/limits.md is what limits-doc.ts makes', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(limitsDoc())
})

test('the page has every limit once', () => {
  const names = [...limitsDoc().matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  expect(names.sort()).toEqual(Object.keys(defaults).sort())
})

describe.each(docs)('$name', ({ name, of, what, beyond, written }) => {
  test('has the default that its comment says', () => {
    expect(resolved(name, written)).toBe(defaults[name])
  })

  test('may be 0 where its comment says what that means', () => {
    const saysZero = /\b0 = n/.test(what)
    // Of what is kept or dropped, nothing is a number like any other.
    if (name !== 'drainBytes') expect(resolved(name, 0) !== null).toBe(saysZero)
  })

  test('belongs to its group, and names refusals that there are', () => {
    expect(name in (of === 'Listener' ? defaultListenerLimits : defaultExchangeLimits)).toBe(true)
    for (const [, id] of beyond.matchAll(/`(H1-[A-Z-]+)`/g)) expect(Object.keys(refusals)).toContain(id)
  })
})

test('a limit without a comment is an error that names it', () => {
  const source = 'export interface ListenerLimits {\n  readonly some: number\n}\n'
  expect(() => limitDocs(source)).toThrow('the comment of some must say')
})
