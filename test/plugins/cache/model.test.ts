import fc from 'fast-check'
import { HttpError, type HttpRequest, HttpResponse } from 'rawhttp'
import { expect, test, vi } from 'vitest'
import { turns } from '../../support/turns.ts'
import { type Cached, cached } from './origin.ts'

interface Page {
  readonly cacheControl: string
  /** Seconds; 0 where nothing may be stored. */
  readonly fresh: number
  readonly while: number
  readonly ifError: number
  readonly varies: boolean
  readonly tag: string
}

const pages: Readonly<Record<string, Page>> = {
  '/plain': { cacheControl: 'max-age=10', fresh: 10, while: 0, ifError: 0, varies: false, tag: 'x' },
  '/while': {
    cacheControl: 'max-age=5, stale-while-revalidate=10',
    fresh: 5,
    while: 10,
    ifError: 0,
    varies: true,
    tag: 'y',
  },
  '/error': {
    cacheControl: 's-maxage=5, stale-if-error=20, max-age=0',
    fresh: 5,
    while: 0,
    ifError: 20,
    varies: true,
    tag: 'x',
  },
  '/never': { cacheControl: 'no-store, max-age=10', fresh: 0, while: 0, ifError: 0, varies: false, tag: 'y' },
}

interface Stored {
  readonly text: string
  readonly bornAt: number
  retryAt: number
}

/** A cache as the RFCs read, with one list of what is stored and no thought of speed. */
class Naive {
  readonly stored = new Map<string, Stored>()
  runs = 0
  isFailing = false
  readonly versions: Record<string, number> = {}

  ask(path: string, language: string, isHead: boolean): { status: number; text: string } {
    const page = pages[path]!
    const name = `${path} ${page.varies ? language : ''}`
    const now = Date.now()
    const found = this.stored.get(name)
    if (found !== undefined) {
      const age = now - found.bornAt
      const old = { status: 200, text: found.text }
      if (age < page.fresh * 1_000) return old
      if (age < (page.fresh + page.while) * 1_000) {
        if (now >= found.retryAt) this.#run(path, language, name, now)
        return old
      }
      const mayStandIn = age < (page.fresh + page.ifError) * 1_000
      if (mayStandIn && now < found.retryAt) return old
      if (isHead) return this.#answer(path, language)
      return this.#run(path, language, name, now) ?? (mayStandIn ? old : { status: 500, text: '' })
    }
    if (isHead) return this.#answer(path, language)
    return this.#run(path, language, name, now) ?? { status: 500, text: '' }
  }

  drop(test: (path: string) => boolean): void {
    for (const name of this.stored.keys()) if (test(name.split(' ')[0]!)) this.stored.delete(name)
  }

  textOf(path: string, language: string): string {
    return `${path} ${pages[path]!.varies ? language : ''} version ${this.versions[path] ?? 0}`
  }

  #answer(path: string, language: string): { status: number; text: string } {
    this.runs++
    return this.isFailing ? { status: 500, text: '' } : { status: 200, text: this.textOf(path, language) }
  }

  #run(path: string, language: string, name: string, now: number): { status: number; text: string } | null {
    const answer = this.#answer(path, language)
    const found = this.stored.get(name)
    if (answer.status === 500) {
      if (found !== undefined) found.retryAt = now + 1_000
      return null
    }
    this.stored.delete(name)
    if (pages[path]!.fresh > 0) this.stored.set(name, { text: answer.text, bornAt: now, retryAt: 0 })
    return answer
  }
}

type Step =
  | { readonly do: 'ask'; readonly path: string; readonly language: string; readonly isHead: boolean }
  | { readonly do: 'wait'; readonly milliseconds: number }
  | { readonly do: 'change' | 'post' | 'purge'; readonly path: string }
  | { readonly do: 'tag'; readonly tag: string }
  | { readonly do: 'fail' }

const path = fc.constantFrom(...Object.keys(pages))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      path,
      language: fc.constantFrom('de', 'en'),
      isHead: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      milliseconds: fc.oneof(
        fc.nat(6_000),
        fc.constantFrom(999, 1_000, 4_999, 5_000, 10_000, 15_000, 25_000),
      ),
    }),
  },
  fc.record({ do: fc.constantFrom('change' as const, 'post' as const, 'purge' as const), path }),
  fc.record({ do: fc.constant('tag' as const), tag: fc.constantFrom('x', 'y') }),
  fc.record({ do: fc.constant('fail' as const) }),
)

test('the cache answers as a naive one does, and runs the handler as often', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) })
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async steps => {
        const naive = new Naive()
        let posts = 0
        const site = await cached((request: HttpRequest) => {
          if (request.method === 'POST') {
            posts++
            return HttpResponse.text('done')
          }
          if (naive.isFailing) throw new HttpError(500)
          const page = pages[request.path]!
          return HttpResponse.text(naive.textOf(request.path, request.headers.get('accept-language')!), {
            headers: {
              'cache-control': page.cacheControl,
              'cache-tag': page.tag,
              etag: `"${naive.versions[request.path] ?? 0}"`,
              ...(page.varies ? { vary: 'accept-language' } : {}),
            },
          })
        })
        // A refused message starts the server, and no handler.
        await site.ask('/%zz')
        for (const one of steps) {
          await play(one, site, naive)
          expect(site.runs - posts).toBe(naive.runs)
        }
        site.service.purgeAll()
        await site.server.stop({ deadline: 0 })
      }),
      { numRuns: 100 },
    )
  } finally {
    vi.useRealTimers()
  }
}, 60_000)

async function play(one: Step, site: Cached, naive: Naive): Promise<void> {
  if (one.do === 'ask') await ask(one, site, naive)
  else if (one.do === 'wait') vi.setSystemTime(Date.now() + one.milliseconds)
  else if (one.do === 'change') naive.versions[one.path] = (naive.versions[one.path] ?? 0) + 1
  else if (one.do === 'fail') naive.isFailing = !naive.isFailing
  else if (one.do === 'tag') {
    site.service.purgeTag(one.tag)
    naive.drop(path => pages[path]!.tag === one.tag)
  } else {
    if (one.do === 'post') await site.ask({ url: one.path, method: 'POST' })
    else site.service.purge(one.path)
    naive.drop(path => path === one.path)
  }
}

async function ask(
  { path, language, isHead }: Step & { readonly do: 'ask' },
  site: Cached,
  naive: Naive,
): Promise<void> {
  const expected = naive.ask(path, language, isHead)
  const answer = await site.ask({
    url: path,
    method: isHead ? 'HEAD' : 'GET',
    headers: { 'accept-language': language },
  })
  await turns()
  expect(answer.status).toBe(expected.status)
  if (!isHead && expected.status === 200) expect(answer.text()).toBe(expected.text)
}
