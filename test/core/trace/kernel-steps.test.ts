import { FileSlice, HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onServer, onSite } from '../../support/in-memory.ts'
import { tempFile } from '../../support/temp-file.ts'
import { serveTraced, shortly, sources } from './serve-traced.ts'

const answers = (name: string, make: () => HttpResponse) =>
  onSite(name, site => site.hooks.handle.tap({ name, stage: 0 }, make))
const text = () => HttpResponse.text('hello')

describe('the kernel', () => {
  const resource = () =>
    HttpResponse.text('hello', { headers: { etag: '"a"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' } })
  const asked = async (headers: Record<string, string>, method = 'GET') =>
    (await serveTraced([answers('route', resource)])).trace({ headers, method })

  test.each<[string, Record<string, string>, number, string, string]>([
    ['a 304 by tag', { 'if-none-match': '"a"' }, 304, 'If-None-Match names the tag', 'RFC 9110 13.1.2'],
    [
      'a 304 by date',
      { 'if-modified-since': 'Mon, 01 Jan 2024 00:00:00 GMT' },
      304,
      'it was not changed since',
      'RFC 9110 13.1.3',
    ],
    ['a 206', { range: 'bytes=0-1' }, 206, 'the client asks for parts', 'RFC 9110 14.2'],
    ['a 412 by tag', { 'if-match': '"b"' }, 412, 'If-Match names none', 'RFC 9110 13.1.1'],
    [
      'a 412 by date',
      { 'if-unmodified-since': 'Sun, 01 Jan 2023 00:00:00 GMT' },
      412,
      'it was changed after',
      'RFC 9110 13.1.4',
    ],
    ['a 416', { range: 'bytes=9-' }, 416, 'the Range lies outside', 'RFC 9110 15.5.17'],
  ])('tells why %s', async (_, headers, status, note, section) => {
    const found = await asked(headers)
    const step = found.steps.find(each => each.by === 'kernel')
    expect(step).toMatchObject({ status, section, note: expect.stringContaining(note) })
    expect(found.answer!.status).toBe(status)
  })

  test.each([
    ['If-Range names another state', { range: 'bytes=0-1', 'if-range': '"b"' }, 'RFC 9110 13.1.5'],
    ['the Range is not one', { range: 'lines=1-2' }, 'RFC 9110 14.2'],
  ])('tells why the whole goes out: %s', async (note, headers, section) => {
    const found = await asked(headers)
    expect(found.steps[1]).toMatchObject({
      by: 'kernel',
      status: null,
      section,
      note: expect.stringContaining(note),
    })
    expect(found.answer!.status).toBe(200)
  })

  test('says nothing where nothing is to be decided', async () => {
    expect((await asked({})).steps.filter(({ by }) => by === 'kernel')).toEqual([])
    expect((await asked({ 'if-none-match': '"b"' })).steps.filter(({ by }) => by === 'kernel')).toEqual([])
  })

  test('takes away in a 304 what the client has', async () => {
    const { steps } = await asked({ 'if-none-match': '"a"' })
    const removed = steps[1]!.changes.map(
      change => change.what === 'field' && [change.name, change.rule?.section],
    )
    expect(removed).toEqual([
      ['last-modified', 'RFC 9110 15.4.5'],
      ['content-type', 'RFC 9110 15.4.5'],
    ])
  })

  test.each([
    ['404', 'GET', 'nobody answered', 'RFC 9110 15.5.5'],
    ['501', 'BREW', 'nobody answered, and the kernel does not know the method', 'RFC 9110 15.6.2'],
  ])('tells why %s', async (status, method, note, section) => {
    const found = await (await serveTraced([])).trace({ method })
    expect(found.steps[0]).toMatchObject({ by: 'kernel', status: Number(status), note, section })
    expect(found.answer!.source).toMatchObject({ by: 'kernel', rule: { text: note, section } })
  })

  test('tells where 405 and its Allow come from, and what OPTIONS gets', async () => {
    const knows = onSite('knows', site =>
      site.hooks.handle.tap({ name: 'knows', stage: 0 }, request => request.allow('GET')),
    )
    const { trace } = await serveTraced([knows])
    const refused = await trace({ method: 'PUT' })
    expect(shortly(refused)[1]).toBe('kernel: plugins have the path, but not with this method 405')
    expect(sources(refused)).toContain('allow: kernel RFC 9110 10.2.1')
    const options = await trace({ method: 'OPTIONS' })
    expect(shortly(options)[1]).toBe('kernel: nobody answered; OPTIONS gets what the path allows 204')
    expect(options.answer!.source).toMatchObject({ rule: { section: 'RFC 9110 9.3.7' } })
  })

  test('handles a request again whose file has changed', async () => {
    const file = await tempFile('a.txt', 'hello')
    let tries = 0
    const changing = onSite('changing', site =>
      site.hooks.handle.tap({ name: 'changing', stage: 0 }, () => {
        if (tries++ > 0) return text()
        return HttpResponse.bytes(Buffer.alloc(0)).set('x-first', '1').close() && gone(file)
      }),
    )
    const found = await (await serveTraced([changing])).trace()
    expect(shortly(found)).toEqual([
      'handle changing: answered 200',
      'kernel: the file was another one when it was opened: the request is handled once more',
      'handle changing: answered 200',
    ])
    expect(found.answer!.body).toEqual({ kind: 'text', bytes: 5 })
  })
})

/** A file that is another one than it was. */
const gone = (path: string) =>
  new HttpResponse(200, new FileSlice(path, { size: 5, identity: { dev: 0, ino: 0, mtimeMs: 0 } } as never))

test('a refused message shows its rule, and the taps of protocolError', async () => {
  const tells = onServer('tells', ({ hooks }) => {
    hooks.protocolError.tap('tells', ({ status }) => HttpResponse.text('no', status))
    hooks.protocolError.tap('late', () => undefined)
  })
  const found = await (await serveTraced([tells])).trace('/%00')
  expect(shortly(found)).toEqual([
    'kernel: the message was refused: the path has a broken percent escape or an escaped NUL 400',
    'protocolError tells: answered 400',
    'protocolError late: not-asked tells answered before',
  ])
  expect(found.request.refused).toEqual({
    id: 'PATH-ESCAPE',
    sentence: 'the path has a broken percent escape or an escaped NUL',
    section: 'RFC 3986 2.1',
  })
  expect(found.outcome).toMatchObject({ result: 'refused' })
  const bare = await (await serveTraced([])).trace('/%00')
  expect(bare.answer!.source.rule).toMatchObject({ section: 'RFC 3986 2.1' })
})
