import fc from 'fast-check'
import { definePlugin, Handle, HttpRequest, HttpResponse, Slots } from 'rawhttp'
import { expect, test } from 'vitest'
import { logged, parse } from './log.ts'
import { memorySink } from './memory-sink.ts'

// What an attacker would try, and any byte at all.
const nasty = fc.constantFrom(
  '\r\n',
  '\n',
  '"',
  '\\',
  '" 200 0 "-" "',
  '\\x0A',
  '\u001b[2J',
  '\u009b2J',
  '] "GET',
  '\0',
  ' - ',
)
const byte = fc.integer({ min: 0, max: 255 }).map(code => String.fromCharCode(code))
const bytes = fc
  .array(fc.oneof(byte, nasty, fc.string({ maxLength: 4 }).map(latin1)), { maxLength: 12 })
  .map(all => all.join(''))
const unicode = fc.string({ unit: 'binary', maxLength: 12 })

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** What a client's text must read as: the text, or a hyphen for none. */
const shown = (text: string) => text || '-'
// A name that is not one byte a character is logged as UTF-8.
const shownUser = (user: string) => shown(/[^\x00-\xff]/.test(user) ? latin1(user) : user)

const answering = definePlugin({
  name: 'answering',
  site: site =>
    site.hooks.handle.tap({ name: 'answering', stage: Handle.Route }, request => {
      request.set(Slots.user, request.headers.get('x-user') ?? '')
      return HttpResponse.text('x')
    }),
})

const messages = fc.array(
  fc.record({
    target: bytes.map(rest => `/${rest}`),
    agent: bytes,
    referer: bytes,
    user: unicode,
    address: bytes,
  }),
  { minLength: 1, maxLength: 30 },
)

test('any bytes of a client give exactly one line, which parses back to them', async () => {
  await fc.assert(
    fc.asyncProperty(messages, async sent => {
      const log = await logged({}, answering)
      await log.server.inject('/first')
      for (const { target, agent, referer, user, address } of sent) {
        const fields = ['host', 'localhost', 'user-agent', agent, 'referer', referer, 'x-user', user]
        const request = new HttpRequest({ method: 'GET', target, fields, client: { address, port: 1 } })
        const to = memorySink()
        log.server.dispatch(request, to)
        to.onClose?.(null)
      }
      const lines = (await log.lines()).slice(1)
      expect(lines).toHaveLength(sent.length)
      for (const [index, { target, agent, referer, user, address }] of sent.entries()) {
        const line = parse(lines[index]!)
        expect(line).toMatchObject({
          address: shown(address),
          request: `GET ${target} HTTP/1.1`,
          referer: shown(referer),
          agent: shown(agent),
        })
        // A path that is refused never comes to the tap that sets the user.
        expect(line.user).toBe(line.status === 200 ? shownUser(user) : '-')
      }
    }),
    { numRuns: 60 },
  )
})

test('any bytes of a client give exactly one JSON line, which parses back to them', async () => {
  await fc.assert(
    fc.asyncProperty(messages, async sent => {
      const log = await logged({ format: 'json' }, answering)
      await log.server.inject('/first')
      for (const { target, agent, referer } of sent) {
        const fields = ['host', 'localhost', 'user-agent', agent, 'referer', referer]
        const to = memorySink()
        log.server.dispatch(new HttpRequest({ method: 'GET', target, fields }), to)
        to.onClose?.(null)
      }
      const lines = (await log.lines()).slice(1)
      expect(lines).toHaveLength(sent.length)
      for (const [index, { target, agent, referer }] of sent.entries()) {
        expect(lines[index]).toMatch(/^[ -~]+$/)
        expect(JSON.parse(lines[index]!)).toMatchObject({ target, userAgent: agent, referer })
      }
    }),
    { numRuns: 30 },
  )
})
