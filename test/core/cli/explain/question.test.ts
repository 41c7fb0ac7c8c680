import { describe, expect, test } from 'vitest'
import { parse } from '../../../../core/cli/args.ts'
import { bytesOf, questionOf } from '../../../../core/cli/explain/question.ts'

const asked = (...words: string[]) => questionOf(parse(['explain', ...words]))
const linesOf = (...words: string[]) =>
  bytesOf(asked(...words))
    .toString()
    .split('\r\n')

describe('the request that is to be explained', () => {
  test('is a path, of localhost', () => {
    expect(linesOf('GET', '/a?b=c')).toEqual(['GET /a?b=c HTTP/1.1', 'host: localhost', '', ''])
  })

  test.each([
    ['http://one.example:81/a?b', 'one.example:81', '/a?b', false],
    ['HTTPS://one.example', 'one.example', '/', true],
    ['http://one.example?a', 'one.example', '/?a', false],
    ['http://[::1]:80/%41/../b', '[::1]:80', '/%41/../b', false],
    ['*', undefined, '*', null],
  ])('or a URL, whose path is sent as it was written: %s', (url, authority, target, isSecure) => {
    expect(asked('GET', url)).toMatchObject({ authority, target, isSecure })
  })

  test('has the Host that a field names, and no second one', () => {
    expect(linesOf('GET', 'http://a/', '-H', 'HOST: b').filter(line => /^host/i.test(line))).toEqual([
      'HOST: b',
    ])
  })

  test('has its body, with the length in bytes unless a field frames it', () => {
    expect(linesOf('POST', '/', '--data', 'hällo').slice(-3)).toEqual(['content-length: 6', '', 'hällo'])
    expect(linesOf('POST', '/', '-d', 'x', '-H', 'Content-Length: 9')).not.toContain('content-length: 1')
    expect(linesOf('POST', '/', '-d', 'x', '-H', 'Transfer-Encoding: chunked')).not.toContain(
      'content-length: 1',
    )
  })

  test('goes once, or as often as --times says', () => {
    expect([asked('GET', '/').times, asked('GET', '/', '--times', '3').times]).toEqual([1, 3])
  })

  test.each<[string, string[], string]>([
    ['no URL', ['GET'], 'rawhttp explain needs METHOD and URL: no URL'],
    ['no method', [], 'rawhttp explain needs METHOD and URL: no METHOD'],
    [
      'what is no URL',
      ['GET', 'ftp://a/'],
      "expected a path such as /about or a URL of http or https, got 'ftp://a/'",
    ],
    ['what is no field', ['GET', '/', '-H', 'accept'], "--header: expected 'name: value', got 'accept'"],
    ['a field without a name', ['GET', '/', '-H', ': x'], "--header: expected 'name: value', got ': x'"],
    ['no number', ['GET', '/', '--times', '0'], "--times: expected a number from 1 to 9999, got '0'"],
    ['two folders', ['GET', '/', 'a', 'b'], 'expected one folder, got a b'],
  ])('is refused: %s', (_, words, sentence) => {
    expect(() => asked(...words)).toThrow(sentence)
  })
})
