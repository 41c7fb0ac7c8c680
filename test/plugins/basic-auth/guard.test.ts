import { HttpResponse, Slots } from 'rawhttp'
import { basicAuth, basicAuthGuard } from 'rawhttp/plugins/basic-auth'
import { route, router } from 'rawhttp/plugins/router'
import { describe, expect, test, vi } from 'vitest'
import { BasicGuard } from '../../../plugins/basic-auth/guard.ts'
import { Turns } from '../../../plugins/basic-auth/turns.ts'
import { requestOf, serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'
import { basic, cheapHash, guarded } from './site.ts'

const ann = { ann: await cheapHash('correct: horse'), jürgen: await cheapHash('s€cret') }

describe('basic-auth', () => {
  test('asks who sends nothing, with the realm and the charset', async () => {
    const { ask } = await guarded({ users: ann, realm: 'The "back" \\ office' })
    const answer = await ask()
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe(
      'Basic realm="The \\"back\\" \\\\ office", charset="UTF-8"',
    )
    expect(answer.text()).toContain('Sign in')
  })

  test('lets in who knows name and password, and says who it is', async () => {
    const { as } = await guarded({ users: ann })
    expect((await as('ann', 'correct: horse')).text()).toBe('for ann')
    expect((await as('jürgen', 's€cret')).text()).toBe('for jürgen')
  })

  test.each([
    ['a wrong password', 'ann', 'correct: house'],
    ['no password', 'ann', ''],
    ["another's password", 'ann', 's€cret'],
    ['an unknown name', 'bob', 'correct: horse'],
    ['a name in capitals', 'ANN', 'correct: horse'],
    ['no name', '', ''],
    ["an object's own name", 'constructor', 'x'],
  ])('asks again for %s', async (_, user, password) => {
    const { as, done } = await guarded({ users: ann })
    const answer = await as(user, password)
    expect([answer.status, answer.headers.has('www-authenticate')]).toEqual([401, true])
    expect(answer.text()).not.toContain(user === '' ? 'ann' : user)
    expect(done[0]?.request.get(Slots.user)).toBeUndefined()
  })

  test('answers 400 to what cannot be read, and asks for another scheme than ours', async () => {
    const { ask, reports } = await guarded({ users: ann })
    const status = async (authorization: string) => (await ask({ headers: { authorization } })).status
    expect([await status('Basic !'), await status('Bearer abc'), await status('')]).toEqual([400, 401, 401])
    expect(reports).toEqual([])
  })

  test('knows a user by a name that objects have, too', async () => {
    const { as } = await guarded({ users: { constructor: await cheapHash('x') } as Record<string, string> })
    expect((await as('constructor', 'x')).status).toBe(200)
  })

  test('restricts every request, refused ones too', async () => {
    const { ask, as, done } = await guarded({ users: ann })
    await ask()
    await as('ann', 'x')
    await as('ann', 'correct: horse')
    expect(done.map(({ request }) => request.restriction)).toEqual(Array(3).fill('basic-auth'))
  })

  test('never tells a password, not where a check fails either', async () => {
    const { as, reports } = await guarded({
      verify: () => Promise.reject(new Error('the directory is away')),
    })
    const answer = await as('ann', 'hunter2')
    expect([answer.status, answer.text()]).toEqual([500, '500 Internal Server Error\n'])
    expect(reports[0]?.message).toContain('plugin "basic-auth"')
    expect(
      JSON.stringify(reports.map(({ message, request, cause }) => [message, request, String(cause)])),
    ).not.toMatch(/hunter2|aHVudGVyMg|YW5uOmh1bnRlcjI/)
  })
})

describe('verify', () => {
  test('is asked with name and password, at once or by a promise', async () => {
    const seen: string[][] = []
    const { as } = await guarded({
      verify: (...given) => {
        seen.push(given)
        return given[1] === 'now' || Promise.resolve(given[1] === 'later')
      },
    })
    const statuses = []
    for (const password of ['now', 'later', 'never']) statuses.push((await as('ann', password)).status)
    expect(statuses).toEqual([200, 200, 401])
    expect(seen).toEqual([
      ['ann', 'now'],
      ['ann', 'later'],
      ['ann', 'never'],
    ])
  })

  test.each([
    ['nothing', () => undefined],
    ['a user', () => ({ name: 'ann' })],
    ['a number', () => 1],
    ['a rejection with nothing', () => Promise.reject(undefined)],
    ['a rejection with null', () => Promise.reject(null)],
    [
      'a throw of nothing',
      () => {
        throw undefined
      },
    ],
  ])('lets nobody in by %s: that is a 500', async (_, verify) => {
    const { as, reports } = await guarded({ verify: verify as unknown as () => boolean })
    expect((await as('ann', 'x')).status).toBe(500)
    expect(reports[0]).toMatchObject({ plugin: 'basic-auth', hook: 'handle' })
    expect(reports[0]?.message).toContain('verify')
  })
})

describe('a check', () => {
  const counting = (isRight: boolean) => {
    const calls = { count: 0 }
    const verify = () => {
      calls.count++
      return new Promise<boolean>(resolve => setImmediate(() => resolve(isRight)))
    }
    return { calls, verify }
  }

  test("is one for a page's fifty requests, and none for those that follow", async () => {
    const { calls, verify } = counting(true)
    const { as } = await guarded({ verify })
    const all = await Promise.all(Array.from({ length: 50 }, () => as('ann', 'x')))
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]))
    await as('ann', 'x')
    expect(calls.count).toBe(1)
    await as('ann', 'y')
    await as('bob', 'x')
    expect(calls.count).toBe(3)
  })

  test('that failed is made again', async () => {
    const { calls, verify } = counting(false)
    const { as } = await guarded({ verify })
    await as('ann', 'x')
    expect((await as('ann', 'x')).status).toBe(401)
    expect(calls.count).toBe(2)
  })

  test('is remembered for as long as the options say, used or not', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const { calls, verify } = counting(true)
      const { as } = await guarded({ verify, remember: '10s' })
      await as('ann', 'x')
      for (const _ of [1, 2]) {
        vi.advanceTimersByTime(4_000)
        await as('ann', 'x')
      }
      expect(calls.count).toBe(1)
      vi.advanceTimersByTime(4_000)
      await as('ann', 'x')
      expect(calls.count).toBe(2)
    } finally {
      vi.useRealTimers()
    }
  })

  test('is not remembered with remember: 0', async () => {
    const { calls, verify } = counting(true)
    const { as } = await guarded({ verify, remember: 0 })
    await as('ann', 'x')
    await as('ann', 'x')
    expect(calls.count).toBe(2)
  })

  test('answers those at once who are remembered, without a promise', async () => {
    const guard = basicAuthGuard({ verify: () => true })
    const request = () => requestOf({ headers: basic('ann', 'x') })
    expect(await guard(request())).toBeUndefined()
    expect(guard(request())).toBeUndefined()
  })
})

describe('under a flood of passwords', () => {
  /** A guard whose checks hang until they are let go. */
  const flooded = () => {
    const waiting: (() => void)[] = []
    const verify = () => new Promise<boolean>(resolve => waiting.push(() => resolve(true)))
    const turns = new Turns({ atOnce: 1, waiting: 2, perClient: 2, patience: 5_000 })
    const guard = new BasicGuard({ realm: 'x', remember: 1_000, verify, turns })
    const log: string[] = []
    let number = 0
    const ask = (address: string, password = `${number++}`) => {
      const headers = basic('ann', password)
      const request = requestOf({ headers, client: { address, port: 1 } })
      const tell = (message: string) => void log.push(message)
      Object.defineProperty(request, 'log', { value: { warn: tell } })
      return guard.admit(request)
    }
    return { ask, waiting, log }
  }

  test('one client has few places, and all together as many as are given', async () => {
    const { ask, waiting, log } = flooded()
    const checks = [ask('a'), ask('a')]
    const greedy = ask('a') as HttpResponse
    expect([greedy.status, greedy.headers.get('retry-after')]).toEqual([429, '1'])
    checks.push(ask('b'))
    for (const client of ['b', 'c', 'd']) {
      const full = ask(client) as HttpResponse
      expect([full.status, full.headers.get('retry-after')]).toEqual([503, '1'])
    }
    expect(log).toEqual(['more passwords come than can be checked; clients get 503 (told once a minute)'])
    expect(waiting.length).toBe(1)
    for (const check of checks) {
      await vi.waitUntil(() => waiting.length > 0)
      waiting.shift()!()
      expect(await check).toBeUndefined()
    }
    expect(ask('a')).toBeInstanceOf(Promise)
  })

  test('who is remembered, and who asks for what is being checked, need no place', async () => {
    const { ask, waiting } = flooded()
    const known = ask('a', 'known')
    waiting.shift()!()
    await known
    const same = [ask('a', 'new'), ask('b'), ask('c')]
    expect((ask('d') as HttpResponse).status).toBe(503)
    expect(ask('d', 'known')).toBeUndefined()
    expect(ask('d', 'new')).toBeInstanceOf(Promise)
    expect(same.length).toBe(3)
  })

  test('who waits too long is told to come again, and takes no place any more', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { ask, waiting } = flooded()
      const first = ask('a')
      const late = [ask('b'), ask('c')]
      vi.advanceTimersByTime(4_999)
      expect((ask('d') as HttpResponse).status).toBe(503)
      vi.advanceTimersByTime(1)
      for (const check of late) expect(((await check) as HttpResponse).status).toBe(503)
      const next = ask('b')
      waiting.shift()!()
      expect(await first).toBeUndefined()
      await vi.waitUntil(() => waiting.length === 1)
      waiting.shift()!()
      expect(await next).toBeUndefined()
      vi.advanceTimersByTime(9_999)
      expect(waiting.length).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('the turns are those of who came first', async () => {
    const turns = new Turns({ atOnce: 2, waiting: 9, perClient: 9, patience: 5_000 })
    const begun: number[] = []
    const all = [1, 2, 3, 4, 5].map(number =>
      turns.run('a', async () => {
        begun.push(number)
        await new Promise(resolve => setImmediate(resolve))
        return number
      }),
    )
    expect(begun).toEqual([1, 2])
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5])
    expect(begun).toEqual([1, 2, 3, 4, 5])
  })

  test('a check that throws gives its place on', async () => {
    const turns = new Turns({ atOnce: 1, waiting: 1, perClient: 9, patience: 5_000 })
    const failing = turns.run('a', () => {
      throw new Error('no')
    })
    const next = turns.run('a', () => 'done')
    await expect(failing).rejects.toThrow('no')
    expect(await next).toBe('done')
    expect(turns.refuses('a')).toBeNull()
  })
})

describe('basicAuthGuard', () => {
  test('guards a route, before its handler and for no other', async () => {
    const guard = basicAuthGuard({ users: ann })
    const { ask } = await serve([
      router({
        'GET /admin': route({ guards: [guard] }, ({ request }) => `for ${request.get(Slots.user)}`),
        'GET /': () => 'open',
      }),
    ])
    expect((await ask('/')).text()).toBe('open')
    const refused = await ask('/admin')
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="Restricted", charset="UTF-8"',
    ])
    expect((await ask({ url: '/admin', headers: basic('ann', 'correct: horse') })).text()).toBe('for ann')
  })

  test('shares what it remembers among the routes that have it', async () => {
    const verify = vi.fn(() => true)
    const guard = basicAuthGuard({ verify })
    const { ask } = await serve([
      router({
        'GET /a': route({ guards: [guard] }, () => 'a'),
        'GET /b': route({ guards: [guard] }, () => 'b'),
      }),
    ])
    for (const url of ['/a', '/b']) expect((await ask({ url, headers: basic('ann', 'x') })).status).toBe(200)
    expect(verify).toHaveBeenCalledTimes(1)
  })
})

test('each site remembers for itself', async () => {
  const verify = vi.fn(() => true)
  const { ask } = await serve({
    plugins: [basicAuth({ verify }), answering(() => HttpResponse.text('x'))],
    sites: [
      { name: 'a', hosts: ['a'] },
      { name: 'b', hosts: ['b'] },
    ],
  })
  for (const host of ['a', 'a', 'b'])
    expect((await ask({ headers: { host, ...basic('ann', 'x') } })).status).toBe(200)
  expect(verify).toHaveBeenCalledTimes(2)
})
