import { PassThrough, Readable } from 'node:stream'
import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { eventStream, type ServerEvent } from '../../core/event-stream.ts'

async function written(...events: (ServerEvent | string)[]): Promise<string> {
  let text = ''
  for await (const piece of eventStream(Readable.from(events))) text += piece
  return text
}

describe('an event', () => {
  test('is its fields, a line each, and an empty line', async () => {
    expect(await written({ event: 'tick', id: '7', retry: 1_000, data: 'a' })).toBe(
      'event: tick\nid: 7\nretry: 1000\ndata: a\n\n',
    )
    expect(await written('a', { id: '8' })).toBe('data: a\n\nid: 8\n\n')
  })

  test('has a line of data for each line of its text', async () => {
    expect(await written('a\nb\r\nc\rd\n')).toBe('data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n')
    expect(await written('')).toBe('data: \n\n')
  })

  test.each([
    [{ event: 'a\ndata: forged' }, 'events: event must be one line, got "a\\ndata: forged"'],
    [{ id: 'a\rb' }, 'events: id must be one line, got "a\\rb"'],
    [{ id: 'a\0b' }, 'events: id must be one line'],
    [{ retry: 0.5 }, 'events: retry must be a whole number of milliseconds, got 0.5'],
    [{ retry: -1 }, 'events: retry must be a whole number of milliseconds, got -1'],
  ])('%j is refused', async (event, sentence) => {
    await expect(written(event)).rejects.toThrow(sentence)
  })
})

describe('HttpResponse.events', () => {
  test('is an event stream that no cache keeps', async () => {
    const response = HttpResponse.events(Readable.from(['a']), { headers: { 'x-a': '1' } })
    expect(response.headers.toObject()).toEqual({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-a': '1',
    })
    expect(await response.text()).toBe('data: a\n\n')
    const kept = HttpResponse.events(Readable.from([]), { headers: { 'cache-control': 'max-age=1' } })
    expect(kept.headers.getAll('cache-control')).toEqual(['max-age=1'])
  })

  test('refuses what is no stream of events', () => {
    expect(() => HttpResponse.events(['a'] as never)).toThrow(
      'events: expected an async iterable, got an array',
    )
  })

  test('ends its source with itself, also when nobody reads it', () => {
    const source = new PassThrough()
    HttpResponse.events(source).replace('other')
    expect(source.destroyed).toBe(true)
  })
})
