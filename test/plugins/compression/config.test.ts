import { createServer, HttpResponse, scope } from 'rawhttp'
import { compression } from 'rawhttp/plugins/compression'
import { expect, test } from 'vitest'
import { serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'
import { text } from './answers.ts'

const wrong: readonly (readonly [options: unknown, message: string])[] = [
  [
    { codings: [] },
    "options.codings: expected a list of 'zstd', 'br' and 'gzip', each at most once, got an empty list",
  ],
  [
    { codings: ['deflate'] },
    "options.codings: expected a list of 'zstd', 'br' and 'gzip', each at most once",
  ],
  [{ codings: ['gzip', 'gzip'] }, 'each at most once'],
  [{ codings: 'gzip' }, "each at most once, got 'gzip'"],
  [{ minSize: '1 kB' }, "options.minSize: expected a size such as 1024 or '1kb', got '1 kB'"],
  [{ minSize: -1 }, "options.minSize: expected a size such as 1024 or '1kb', got -1"],
  [{ types: { html: true } }, "expected a media type such as 'text/html' or 'image/*'"],
  [{ types: { 'text/html; charset=utf-8': true } }, "expected a media type such as 'text/html' or 'image/*'"],
  [{ types: { 'text/html': 'yes' } }, "expected true or false, got 'yes'"],
  [{ types: ['text/html'] }, 'options.types'],
  [{ levels: { br: 7 } }, 'options.levels.br: expected a level from 0 to 6, got 7'],
  [{ levels: { zstd: 10 } }, 'options.levels.zstd: expected a level from 1 to 9, got 10'],
  [{ levels: { gzip: 0 } }, 'options.levels.gzip: expected a level from 1 to 9, got 0'],
  [{ levels: { gzip: 1.5 } }, 'options.levels.gzip: expected a level from 1 to 9, got 1.5'],
  [{ levels: { deflate: 6 } }, 'options.levels'],
  [{ keptLevels: { zstd: 20 } }, 'options.keptLevels.zstd: expected a level from 1 to 19, got 20'],
  [{ maxStreams: -1 }, 'options.maxStreams: expected a number of streams, 0 or more, got -1'],
  [{ level: 6 }, "did you mean 'levels'"],
]

test.each(wrong)('%j fails the start, by option', async (options, message) => {
  const plugins = [compression(options as never)]
  await expect(createServer({ plugins })).rejects.toThrow(/plugins\[0\] \(compression\): options/)
  await expect(createServer({ plugins })).rejects.toThrow(message)
})

test('it works without options, bare too, and with all of them', async () => {
  const all = compression({
    codings: ['br', 'gzip'],
    minSize: '512b',
    types: { 'image/*': true },
    levels: { gzip: 1, br: 0, zstd: 9 },
    keptLevels: { gzip: 1, br: 0, zstd: 19 },
    maxStreams: 5,
  })
  for (const plugin of [compression, compression(), compression({}), all]) {
    const { ask } = await serve([answering(() => HttpResponse.text(text)), plugin])
    const answer = await ask({ headers: { 'accept-encoding': 'br' } })
    expect(answer.headers.get('content-encoding')).toBe('br')
  }
})

test('a scope says for which requests it works', async () => {
  const { ask } = await serve([
    answering(() => HttpResponse.text(text)),
    scope({ path: '/public/*' }, [compression()]),
  ])
  const headers = { 'accept-encoding': 'br' }
  const inside = await ask({ url: '/public/a', headers })
  expect(inside.headers.get('content-encoding')).toBe('br')
  const outside = await ask({ url: '/account', headers })
  expect(outside.headers.get('content-encoding')).toBeUndefined()
  expect(outside.headers.get('vary')).toBeUndefined()
})

test('a site goes without it, or has its own', async () => {
  const { ask } = await serve({
    plugins: [answering(() => HttpResponse.text(text)), compression()],
    sites: [
      { name: 'plain', hosts: ['plain.test'], without: ['compression'] },
      { name: 'gzip', hosts: ['gzip.test'], plugins: [compression({ codings: ['gzip'] })] },
    ],
  })
  const coding = async (host: string) =>
    (await ask({ headers: { host, 'accept-encoding': 'gzip, br' } })).headers.get('content-encoding')
  expect(await coding('plain.test')).toBeUndefined()
  expect(await coding('gzip.test')).toBe('gzip')
})
