import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codings } from '../../../plugins/compression/codecs.ts'
import { negotiation } from '../../../plugins/compression/negotiate.ts'
import { page, read, serving, text } from './answers.ts'

// The coding, `identity` for the body as it is, or `none` where a 406 is due.
const rows: readonly (readonly [acceptEncoding: string | undefined, chosen: string, why: string])[] = [
  [undefined, 'identity', 'no field: the client decodes nothing as far as we know'],
  ['', 'identity', 'an empty field: no coding is wanted'],
  // The examples of RFC 9110 section 12.5.3.
  ['compress, gzip', 'gzip', 'of two codings the one that is known'],
  ['*', 'zstd', 'anything: the server chooses'],
  ['compress;q=0.5, gzip;q=1.0', 'gzip', 'the heavier one'],
  ['gzip;q=1.0, identity; q=0.5, *;q=0', 'gzip', 'with a fallback, and nothing else'],
  // What browsers send.
  ['gzip, deflate', 'gzip', 'an old browser, or one without TLS'],
  ['gzip, deflate, br', 'br', 'on ties the order is ours'],
  ['gzip, deflate, br, zstd', 'zstd', 'on ties the order is ours'],
  // Weights.
  ['gzip;q=0.9, br;q=0.8, zstd;q=0.7', 'gzip', "the client's weights count before our order"],
  ['br;q=0.001', 'br', 'the smallest weight is one'],
  ['gzip;q=0', 'identity', 'a coding that is refused'],
  ['gzip;q=0.000', 'identity', 'the same with digits'],
  ['gzip;Q=0', 'identity', 'the name of a weight has no case'],
  ['gzip ; q=0', 'identity', 'spaces before the weight'],
  ['gzip\t;\tq=0', 'identity', 'tabs too'],
  ['gzip;q=0, *', 'zstd', 'all but one'],
  ['*;q=0.5, br;q=0.1', 'zstd', 'what is named does not count as anything'],
  ['GZIP', 'gzip', 'codings have no case'],
  ['x-gzip', 'gzip', 'the old name of gzip'],
  ['br;q=0.5, X-GZIP', 'gzip', 'the same in capitals'],
  ['x-gzip;q=0', 'identity', 'the old name with a weight'],
  ['x-gzipped', 'identity', 'not the old name'],
  ['deflate', 'identity', 'a coding that we do not make'],
  // The body as it is.
  ['identity', 'identity', 'no coding is wanted'],
  ['identity, gzip', 'gzip', 'on ties a coding wins'],
  ['identity;q=1, gzip;q=0.5', 'identity', 'liked better than a coding'],
  ['identity;q=0, br', 'br', 'refused, with a way out'],
  ['*;q=0, gzip', 'gzip', 'all refused but one'],
  ['identity;q=0', 'none', 'refused without a way out'],
  ['*;q=0', 'none', 'all refused'],
  ['identity;q=0., deflate', 'none', 'refused, and the rest is unknown'],
  ['gzip, identity;q=0.000, gzip;q=0, zstd;q=0, br;q=0', 'gzip', 'the better one of two weights'],
  ['identity;q=0, identity', 'identity', 'refused and allowed'],
  // Junk refuses nothing.
  ['gzip;q=abc', 'identity', 'no weight'],
  ['gzip;q=-1', 'identity', 'a negative weight'],
  ['br, gzip;q=-1', 'br', 'a negative weight beside a good one'],
  ['gzip;q=NaN', 'identity', 'no number'],
  ['gzip;q=', 'gzip', 'an empty weight'],
  [',,, ,', 'identity', 'only commas'],
  ['gzip br', 'identity', 'no list'],
  ['"gzip"', 'identity', 'a quoted string'],
  ['gzip;q="0, identity;q=0"', 'identity', 'a member within a quoted string'],
  ['=;q=0', 'identity', 'no name'],
]

test.each(rows)('Accept-Encoding %j gets %s: %s', async (acceptEncoding, chosen) => {
  const ask = await serving(page)
  const answer = await ask(acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding })
  if (chosen === 'none') {
    expect(answer.status).toBe(406)
    return
  }
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-encoding') ?? 'identity').toBe(chosen)
  expect(read(answer)).toBe(text)
})

test('the order of codings is the one of the config, and what is not in it is not offered', async () => {
  const ask = await serving(page, { codings: ['gzip', 'br'] })
  const coding = async (accept: string) =>
    (await ask({ 'accept-encoding': accept })).headers.get('content-encoding')
  expect(await coding('gzip, br, zstd')).toBe('gzip')
  expect(await coding('br;q=1, gzip;q=0.5')).toBe('br')
  expect(await coding('zstd')).toBeUndefined()
})

test('several lines of the field are one list', async () => {
  const ask = await serving(page)
  const answer = await ask(
    {},
    {
      headers: [
        ['accept-encoding', 'gzip;q=0.5'],
        ['accept-encoding', 'br'],
      ],
    },
  )
  expect(answer.headers.get('content-encoding')).toBe('br')
})

test('a choice is the same whether it is remembered or not, and never throws', () => {
  const member = fc.tuple(
    fc.constantFrom('gzip', 'br', 'zstd', 'identity', '*', 'x-gzip', 'deflate', '', '"', '\\'),
    fc.constantFrom('', ';q=0', ';q=1', ';q=0.5', ';q=', ';q=-1', ';', ';q="', ';a=b;q=0'),
  )
  const field = fc.array(member, { maxLength: 6 }).map(all => all.map(each => each.join('')).join(', '))
  const choose = negotiation(codings)
  fc.assert(
    fc.property(fc.oneof(field, fc.string({ maxLength: 400 })), accept => {
      const first = choose(accept)
      expect(choose(accept)).toEqual(first)
      expect(negotiation(codings)(accept)).toEqual(first)
    }),
  )
})

test('fields of any length are chosen by, though only short ones are remembered', () => {
  const choose = negotiation(codings)
  const short = choose('gzip')
  expect(choose('gzip')).toBe(short)
  const long = `gzip, ${'a'.repeat(300)}`
  expect(choose(long)).toEqual(short)
  expect(choose(long)).not.toBe(choose(long))
})

test('only so many choices are remembered', () => {
  const choose = negotiation(codings)
  const first = choose('gzip, a')
  for (let i = 0; i < 256; i++) choose(`gzip, a${i}`)
  expect(choose('gzip, a')).not.toBe(first)
})
