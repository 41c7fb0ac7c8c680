import { describe, expect, test } from 'vitest'
import { eventText } from '../../core/event-text.ts'

describe('an event', () => {
  test('is its fields, a line each, and an empty line', () => {
    expect(eventText({ event: 'tick', id: '7', retry: 1_000, data: 'a' })).toBe(
      'event: tick\nid: 7\nretry: 1000\ndata: a\n\n',
    )
    expect(eventText({ id: '8' })).toBe('id: 8\n\n')
  })

  test('has a line of data for each line of its text', () => {
    expect(eventText({ data: 'a\nb\r\nc\rd\n' })).toBe('data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n')
    expect(eventText({ data: '' })).toBe('data: \n\n')
  })

  test.each([
    [{ event: 'a\ndata: forged' }, 'events: event must be one line, got "a\\ndata: forged"'],
    [{ id: 'a\rb' }, 'events: id must be one line, got "a\\rb"'],
    [{ id: 'a\0b' }, 'events: id must be one line'],
    [{ retry: 0.5 }, 'events: retry must be a whole number of milliseconds, got 0.5'],
    [{ retry: -1 }, 'events: retry must be a whole number of milliseconds, got -1'],
    [{ data: 7 }, 'events: data must be a string, got 7'],
    [null, 'events: expected an event or its data as a string, got null'],
    [7, 'events: expected an event or its data as a string, got 7'],
  ])('%j is refused', (event, sentence) => {
    expect(() => eventText(event as never)).toThrow(sentence)
  })
})
