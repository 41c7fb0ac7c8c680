import fc from 'fast-check'
import { staticFiles } from 'rawhttp/plugins/static'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exchangeBytes } from '../../support/raw-client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { dots, slashes, targets } from './spellings.ts'
import { type TempSite, tempSite } from './temp-site.ts'

// Every spelling goes over a real socket, byte for byte: clients would tidy it up.

let site: TempSite
let server: TestServer

beforeAll(async () => {
  site = await tempSite({ 'index.html': 'home', 'a.txt': 'a', 'sub/index.html': 'sub', 'sub/b.txt': 'b' })
  await site.write({ 'secret.txt': 'SECRET', 'public-2/a.txt': 'SECRET', 'index.html': 'SECRET' })
  server = await startServer({ plugins: [staticFiles({ root: site.root, dotfiles: true })] })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})

const get = (target: string): Promise<string> =>
  exchangeBytes(server.port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0)

const isOutside = (answer: string): boolean => answer.includes('SECRET') || answer.includes('root:')

async function expectRefused(target: string): Promise<void> {
  const answer = await get(target)
  expect([400, 404], `${target} gave ${answer}`).toContain(statusOf(answer))
  expect(isOutside(answer), target).toBe(false)
  expect(answer, target).not.toContain(site.dir)
}

test.each(targets)('%j does not leave the root', expectRefused)

describe.each(dots)('a climb spelled %j', dot => {
  test('does not leave the root with any kind of slash, at any depth', async () => {
    for (const slash of slashes) {
      await expectRefused(`/${dot}${slash}secret.txt`)
      await expectRefused(`/sub/${dot}${slash}${dot}${slash}secret.txt`)
      await expectRefused(`/sub${slash}${dot}${slash}${dot}${slash}secret.txt`)
    }
  })
})

test('no mixture of them leaves the root', async () => {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...dots) },
    { weight: 4, arbitrary: fc.constantFrom(...slashes) },
    { weight: 1, arbitrary: fc.constantFrom('sub', 'public', 'public-2', 'index.html', 'a.txt', '?', '.') },
  )
  const target = fc
    .tuple(
      fc.array(piece, { maxLength: 10 }),
      fc.constantFrom('secret.txt', 'index.html', 'public-2/a.txt', ''),
    )
    .map(([pieces, end]) => `/${pieces.join('')}${end}`)
  await fc.assert(
    fc.asyncProperty(target, async text => {
      const answer = await get(text)
      expect([200, 301, 400, 404]).toContain(statusOf(answer))
      expect(isOutside(answer)).toBe(false)
      expect(answer).not.toContain(site.dir)
      expect(answer).not.toMatch(/^location: (?!\/[^/\\])/im)
    }),
    { numRuns: 1_000 },
  )
})

test.each([
  ['/a.txt', 'a'],
  ['/%61.txt', 'a'],
  ['/a%2Etxt', 'a'],
  ['/./a.txt', 'a'],
  ['//a.txt', 'a'],
  ['/sub/../a.txt', 'a'],
  ['/sub/%2e%2e/a.txt', 'a'],
  ['/sub/./b.txt', 'b'],
  ['/nothing/../sub/', 'sub'],
  ['/sub/.', 'sub'],
  ['/sub/..', 'home'],
  ['/%2e', 'home'],
  ['/?/../../secret.txt', 'home'],
  ['http://localhost/a.txt', 'a'],
  ['http://localhost', 'home'],
])('%s stays inside and is answered', async (target, body) => {
  const answer = await get(target)
  expect(statusOf(answer)).toBe(200)
  expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe(body)
})
