import { PassThrough, Readable } from 'node:stream'
import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { LazyBody } from '../../core/response-body.ts'

const fields = (response: HttpResponse) => response.headers.toObject()

async function* letters() {
  yield 'ab'
  yield 'c'
}

describe('the status', () => {
  test.each([200, 206, 304, 404, 599])('may be %d', status => {
    expect(new HttpResponse(status).status).toBe(status)
    const response = new HttpResponse(200)
    response.status = status
    expect(response.status).toBe(status)
  })

  test.each([100, 101, 199, 600, 1000, 200.5, Number.NaN, '200', null, undefined])(
    'may not be %j',
    status => {
      const sentence = /^status must be an integer from 200 to 599, got /
      expect(() => new HttpResponse(status as number)).toThrow(sentence)
      expect(() => {
        new HttpResponse(200).status = status as number
      }).toThrow(sentence)
    },
  )
})

describe('given as an answer, a response', () => {
  const sealed = (): HttpResponse => HttpResponse.text('a').seal()

  test.each<[string, (response: HttpResponse) => unknown]>([
    ['status', response => Object.assign(response, { status: 404 })],
    ['body', response => Object.assign(response, { body: 'b' })],
    ['body', response => response.replace('b')],
    ['body', response => response.encode('gzip', () => Buffer.from('b'))],
    ['detail', response => Object.assign(response, { detail: 'b' })],
    ['isCurrent', response => Object.assign(response, { isCurrent: () => true })],
    ['trailers', response => response.trailers(['x-a'], () => ({}))],
    ['close', response => response.close()],
    ['transformed', response => response.transformed()],
  ])('keeps its %s', (what, change) => {
    const response = sealed()
    expect(() => change(response)).toThrow(
      `${what} cannot change: this response was already given as an answer; taps change the fork they get`,
    )
    expect(response.status).toBe(200)
    expect(response.body).toBe('a')
    expect(response.detail).toBeNull()
  })

  test('has forks that change without it', () => {
    const response = sealed()
    const fork = response.fork()
    fork.status = 404
    fork.detail = 'why'
    fork.isCurrent = () => false
    fork.replace('b').transformed().close()
    expect([response.status, response.body, response.detail, response.isCurrent]).toEqual([
      200,
      'a',
      null,
      undefined,
    ])
    expect([response.isTransformed, response.closes]).toEqual([false, false])
  })
})

test('in deliver neither status nor body nor trailers change, but the connection may be closed', () => {
  const response = HttpResponse.text('a').seal().fork().deliver()
  const sentence = 'cannot change in deliver: the representation is finished; use transform'
  expect(() => Object.assign(response, { status: 404 })).toThrow(`status ${sentence}`)
  expect(() => Object.assign(response, { body: 'b' })).toThrow(`body ${sentence}`)
  expect(() => response.replace('b')).toThrow(`body ${sentence}`)
  expect(() => response.encode('gzip', () => Buffer.from('b'))).toThrow(`body ${sentence}`)
  expect(() => response.trailers(['x-a'], () => ({}))).toThrow(`trailers ${sentence}`)
  expect(response.close().closes).toBe(true)
})

test('a fork has all that its base has', () => {
  const isCurrent = () => true
  const values = () => ({ 'x-sum': '1' })
  const base = HttpResponse.stream(letters(), { status: 203, length: 3 }).trailers(['X-Sum'], values)
  base.detail = 'd'
  base.isCurrent = isCurrent
  const fork = base.close().transformed().seal().fork()
  expect(fork).toMatchObject({ status: 203, body: base.body, detail: 'd', isCurrent, declaredLength: 3 })
  expect(fork).toMatchObject({ closes: true, isTransformed: true, trailerPart: { names: ['x-sum'], values } })
  const upgrade = HttpResponse.upgrade({ protocol: 'websocket', raw: true }, () => undefined)
  const { upgradeProtocol, upgradeRaw, upgradeHandler } = upgrade
  expect(upgrade.seal().fork()).toMatchObject({ status: 101, upgradeProtocol, upgradeRaw, upgradeHandler })
})

test('the length of a body is known for all but a stream that declares none', () => {
  expect(HttpResponse.empty().length).toBe(0)
  expect(HttpResponse.text('grüß').length).toBe(6)
  expect(HttpResponse.bytes(new Uint8Array(3)).length).toBe(3)
  expect(HttpResponse.stream(letters(), { length: 3 }).length).toBe(3)
  expect(HttpResponse.stream(letters()).length).toBeNull()
  expect(HttpResponse.text('a').encode('x-none', () => Buffer.from('b')).length).toBeNull()
})

describe('replace', () => {
  const tagged = (etag: string) =>
    new HttpResponse(200, 'a', {
      etag,
      'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
      'content-range': 'bytes 0-1/2',
      'content-digest': 'sha-256=:x:',
      'repr-digest': 'sha-256=:x:',
      'content-type': 'text/plain',
    })

  test('appends its tag to the ETag, strong or weak', () => {
    expect(tagged('"a"').replace('b', { tag: 'min' }).headers.get('etag')).toBe('"a-min"')
    expect(tagged('W/"a"').replace('b', { tag: 'min' }).headers.get('etag')).toBe('W/"a-min"')
  })

  test('drops an ETag that it has no tag for, or that is none', () => {
    expect(tagged('"a"').replace('b').headers.has('etag')).toBe(false)
    expect(tagged('a').replace('b', { tag: 'min' }).headers.has('etag')).toBe(false)
    expect(tagged('"').replace('b', { tag: 'min' }).headers.has('etag')).toBe(false)
    expect(new HttpResponse(200, 'a').replace('b', { tag: 'min' }).headers.size).toBe(0)
  })

  test('drops what speaks of the old bytes, and keeps the rest', () => {
    const isCurrent = () => true
    const response = tagged('"a"')
    response.isCurrent = isCurrent
    response.replace('b')
    expect(response.body).toBe('b')
    expect(fields(response)).toEqual({
      'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
      'content-type': 'text/plain',
    })
    expect(response.isCurrent).toBe(isCurrent)
  })

  test('drops a length that was declared of the old body', () => {
    expect(HttpResponse.stream(letters(), { length: 3 }).replace('a').declaredLength).toBeNull()
  })

  test('refuses a tag that would end the ETag, and changes nothing', () => {
    const response = tagged('"a"')
    expect(() => response.replace('b', { tag: 'x"y' })).toThrow('replace: tag must be a token, got "x\\"y"')
    expect(() => response.replace(5 as never)).toThrow('a body must be null')
    expect([response.body, response.headers.get('etag')]).toEqual(['a', '"a"'])
  })

  test('ends a stream that nobody will read now', () => {
    const [source, wrapped] = [new PassThrough(), new PassThrough()]
    HttpResponse.stream(source).replace('text')
    expect(source.destroyed).toBe(true)
    HttpResponse.stream(wrapped).replace(wrapped.pipe(new PassThrough()))
    expect(wrapped.destroyed).toBe(false)
  })

  test('is what setting the body of a fork is', () => {
    const fork = tagged('"a"').seal().fork()
    fork.body = 'b'
    expect(fields(fork)).toEqual(fields(tagged('"a"').replace('b')))
    const own = tagged('"a"')
    own.body = 'b'
    expect(fields(own)).toEqual(fields(tagged('"a"')))
  })
})

describe('encode', () => {
  test('names the coding, tags the ETag, varies, and makes nothing yet', () => {
    let made = 0
    const base = HttpResponse.text('a', { headers: { etag: '"a"', vary: 'Origin' } }).seal()
    const fork = base.fork().encode('gzip', () => Buffer.from(`${++made}`))
    expect(fields(fork)).toEqual({
      'content-type': 'text/plain; charset=utf-8',
      etag: '"a-gzip"',
      vary: 'Origin, Accept-Encoding',
      'content-encoding': 'gzip',
    })
    expect(made).toBe(0)
    expect(fields(base)).toMatchObject({ etag: '"a"', vary: 'Origin' })
  })

  test('lists codings in the order in which they were put on (RFC 9110 section 8.4)', () => {
    const response = HttpResponse.text('a', { headers: { 'content-encoding': 'x-own' } })
    expect(response.encode('br', () => Buffer.from('b')).headers.get('content-encoding')).toBe('x-own, br')
  })

  test('takes bytes, a promise of them or a stream', async () => {
    for (const produce of [() => Buffer.from('abc'), async () => Buffer.from('abc'), letters]) {
      expect(await HttpResponse.text('x').encode('gzip', produce).text()).toBe('abc')
    }
  })

  test('tells what makes the bytes whether they are kept or sent to one client', async () => {
    const response = HttpResponse.text('x').encode('gzip', purpose => Buffer.from(purpose))
    expect(await response.fork().text()).toBe('send')
    expect(String(await response.fork().bytes({ keep: true }))).toBe('keep')
  })

  test('refuses what is no coding', () => {
    expect(() => HttpResponse.text('a').encode('gz ip', () => Buffer.from('b'))).toThrow('must be a token')
    expect(() => HttpResponse.text('a').encode('', () => Buffer.from('b'))).toThrow('must be a token')
  })

  test('fails with what produce throws', async () => {
    const broken = () => {
      throw new Error('no memory')
    }
    await expect(HttpResponse.text('a').encode('gzip', broken).bytes()).rejects.toThrow('no memory')
  })
})

describe('through', () => {
  test('puts a stream around the body, and all that is said of the bytes stays', async () => {
    const response = HttpResponse.stream(letters(), { length: 3 }).set('etag', '"a"').set('repr-digest', 'x')
    const seen: unknown[] = []
    const fork = response.seal().fork()
    fork.through(async function* (body) {
      seen.push(body.length)
      for await (const piece of body) {
        seen.push(piece)
        yield piece
      }
    })
    expect((await fork.bytes()).toString()).toBe('abc')
    expect(seen).toEqual([3, 'ab', 'c'])
    expect([fork.field('etag'), fork.field('repr-digest')]).toEqual(['"a"', 'x'])
  })

  test('knows the length of what has one, and makes a lazy body when it is read', async () => {
    const lengths: (number | null)[] = []
    let made = 0
    const lazy = () => {
      made++
      return Buffer.from('lazy')
    }
    for (const response of [HttpResponse.text('äb'), HttpResponse.text('x').encode('gzip', lazy)]) {
      response.through(async function* (body) {
        lengths.push(body.length)
        yield* body
      })
      expect(made).toBe(0)
      await response.bytes()
    }
    expect([lengths, made]).toEqual([[3, null], 1])
  })

  test('leaves it to its owner to end what is not read', () => {
    const source = new Readable({ read() {} })
    const response = HttpResponse.stream(source)
    let owned: { destroy(): void } | undefined
    response.through(body => {
      owned = body
      return body
    })
    expect(source.destroyed).toBe(false)
    owned!.destroy()
    owned!.destroy()
    expect(source.destroyed).toBe(true)
  })

  test('asks nobody where there is no body, and refuses in deliver and what is no stream', () => {
    const never = () => expect.unreachable()
    expect(HttpResponse.empty().through(never as never).body).toBe(null)
    expect(() =>
      HttpResponse.text('a')
        .deliver()
        .through(never as never),
    ).toThrow('use transform')
    expect(() => HttpResponse.text('a').through(() => 1 as never)).toThrow('a body must be')
  })
})

describe('the readers', () => {
  test('leave bytes where a stream was, so that they may read again', async () => {
    const response = HttpResponse.stream(letters())
    expect(await response.text()).toBe('abc')
    expect(await response.text()).toBe('abc')
    expect(response.body).toEqual(Buffer.from('abc'))
  })

  test('read nothing of an empty body, and leave it empty', async () => {
    const response = HttpResponse.empty()
    expect(await response.text()).toBe('')
    expect(response.body).toBeNull()
  })

  test('of a fork leave its base as it is', async () => {
    const base = HttpResponse.text('abc').seal()
    await base.fork().bytes()
    expect(base.body).toBe('abc')
  })

  test('have a limit, 16 MB unless said otherwise', async () => {
    const message = (limit: number) => `the response body is larger than ${limit} bytes`
    await expect(HttpResponse.text('abc').text({ limit: 2 })).rejects.toThrow(message(2))
    await expect(HttpResponse.bytes(Buffer.alloc(16_777_217)).bytes()).rejects.toThrow(message(16_777_216))
    expect(await HttpResponse.text('abc').text({ limit: 3 })).toBe('abc')
  })

  test('refuse a stream that is not of its declared length: it could not be told from a whole one', async () => {
    for (const length of [2, 4]) {
      await expect(HttpResponse.stream(letters(), { length }).bytes()).rejects.toThrow(
        `the body has 3 bytes, but declared a length of ${length}`,
      )
    }
    const response = HttpResponse.stream(letters(), { length: 3 })
    await response.bytes()
    expect(response.declaredLength).toBeNull()
  })

  test('fail as the body fails', async () => {
    const broken = new Readable({
      read() {
        this.destroy(new Error('disk'))
      },
    })
    await expect(HttpResponse.stream(broken).bytes()).rejects.toThrow('disk')
  })
})

describe('trailers', () => {
  test('are named in lower case', () => {
    expect(new HttpResponse(200).trailers(['X-Sum', 'x-b'], () => ({})).trailerPart?.names).toEqual([
      'x-sum',
      'x-b',
    ])
  })

  test.each([
    'content-length',
    'Transfer-Encoding',
    'connection',
    'host',
    'trailer',
    'set-cookie',
    'authorization',
  ])('%s may not be one', name => {
    expect(() => new HttpResponse(200).trailers([name], () => ({}))).toThrow(name.toLowerCase())
  })
})

test('as a 304 it keeps what caches must learn, and no more (RFC 9110 section 15.4.5)', () => {
  const whole = {
    etag: '"a"',
    'cache-control': 'max-age=1',
    'content-location': '/a',
    expires: 'x',
    vary: 'Accept',
    'set-cookie': 'a=1',
  }
  const gone = {
    'content-type': 'text/plain',
    'content-encoding': 'gzip',
    'content-language': 'en',
    'content-range': 'bytes 0-1/2',
    'accept-ranges': 'bytes',
    'last-modified': 'x',
  }
  const base = new HttpResponse(200, new LazyBody(() => Buffer.from('a')), { ...whole, ...gone }).seal()
  const same = base.notModified()
  expect(same).toMatchObject({ status: 304, body: null, declaredLength: null })
  expect(fields(same)).toEqual(whole)
  const untagged = new HttpResponse(200, 'a', gone).seal().notModified()
  expect(fields(untagged)).toEqual({ 'last-modified': 'x' })
  expect(base.status).toBe(200)
})

test('as a 304 a base is the same for all, and what may still change is asked anew', () => {
  const base = new HttpResponse(200, 'abc', { etag: '"a"', vary: 'accept' })
  expect(base.notModified()).not.toBe(base.notModified())
  expect(fields(base.set('etag', '"b"').notModified())).toEqual({ etag: '"b"', vary: 'accept' })
  const same = base.seal().notModified()
  expect(base.notModified()).toBe(same)
  expect(() => same.set('x-a', 'b')).toThrow('was already given as an answer')
  expect(fields(same.fork().append('x-a', 'b'))).toEqual({ etag: '"b"', vary: 'accept', 'x-a': 'b' })
  expect(fields(same)).toEqual({ etag: '"b"', vary: 'accept' })
})

describe('with ranges', () => {
  test('a base has the same answer for all, made once, and stays as it is', () => {
    const base = new HttpResponse(200, 'abc', { etag: '"a"' }).seal()
    const ranged = base.ranged()!
    expect(base.ranged()).toBe(ranged)
    expect(fields(ranged)).toEqual({ etag: '"a"', 'accept-ranges': 'bytes' })
    expect(fields(base)).toEqual({ etag: '"a"' })
    expect(() => ranged.set('x-a', 'b')).toThrow('was already given as an answer')
  })

  test('a fork says so itself', () => {
    const fork = new HttpResponse(200, 'abc').seal().fork()
    expect(fork.ranged()).toBe(fork)
    expect(fields(fork)).toEqual({ 'accept-ranges': 'bytes' })
  })

  test('a fork whose body was changed is asked anew', () => {
    const base = new HttpResponse(200, 'abc').seal()
    expect(base.ranged()).not.toBeNull()
    const fork = base.fork().replace(new LazyBody(() => Buffer.from('a')))
    expect(fork.ranged()).toBeNull()
    fork.replace('abc')
    expect(fork.ranged()).toBe(fork)
  })
})

test('as a 206 it keeps what is said of the whole, and whether that is current', () => {
  const isCurrent = () => true
  const whole = { etag: '"a"', 'last-modified': 'x', 'repr-digest': 'a=:b:' }
  const base = new HttpResponse(200, 'abc', { ...whole, 'content-digest': 'a=:b:' })
  base.isCurrent = isCurrent
  const part = base.seal().partial('b', null)
  expect(part).toMatchObject({ status: 206, body: 'b', declaredLength: null, isCurrent })
  expect(fields(part)).toEqual(whole)
  expect(base).toMatchObject({ status: 200, body: 'abc' })
})

test('a 416 keeps the length that it tells when its body changes; a 206 is another part then', () => {
  const over = (status: number) =>
    new HttpResponse(status, 'a', { 'content-range': 'bytes */10' }).seal().fork().replace('b')
  expect(fields(over(416))).toEqual({ 'content-range': 'bytes */10' })
  expect(fields(over(206))).toEqual({})
})
