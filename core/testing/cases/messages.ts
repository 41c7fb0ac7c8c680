import type { InjectOptions } from '../../inject.ts'
import { KIT } from '../answers.ts'
import { ask, differences, titleOf } from '../asking.ts'
import type { Case } from '../case.ts'
import type { RawResponse } from '../raw-client.ts'
import { randomSizes, type Split } from '../splits.ts'
import type { TestServer } from '../test-server.ts'
import type { Trial } from '../trial.ts'
import { turns } from '../turns.ts'

const isGet = ({ method = 'GET' }: InjectOptions): boolean => method === 'GET'

const fieldsOf = ({ headers = [] }: InjectOptions): (readonly [string, string])[] =>
  Symbol.iterator in headers ? [...headers] : Object.entries(headers)

const without = (request: InjectOptions, field: string): InjectOptions => ({
  ...request,
  headers: fieldsOf(request).filter(([name]) => name.toLowerCase() !== field),
})

/** The answers to all requests when what clients send comes in pieces. */
async function inPieces(trial: Trial, split: () => Split): Promise<RawResponse[]> {
  const served = await trial.serve()
  const answers: RawResponse[] = []
  for (const request of trial.requests) {
    await using client = await served.connect({ ...trial.settings.connection, split: split() })
    answers.push(await trial.answer(ask(client, request, trial.settings), request))
  }
  await turns(20)
  return answers
}

/** Fields that a 304 has to have if the 200 has them (RFC 9110 section 15.4.5). */
const validating = ['cache-control', 'content-location', 'etag', 'expires', 'vary'] as const

/** The request that is answered with 304 if nothing has changed; null where the answer gives nothing to ask by. */
function conditional(request: InjectOptions, answer: RawResponse): InjectOptions | null {
  const [etag, modified] = [answer.field('etag'), answer.field('last-modified')]
  const condition =
    etag !== undefined
      ? (['if-none-match', etag] as const)
      : modified !== undefined && (['if-modified-since', modified] as const)
  if (condition === false) return null
  return { ...request, headers: [...fieldsOf(request), condition] }
}

async function checkConditional(trial: Trial, served: TestServer, request: InjectOptions): Promise<void> {
  const whole = await trial.ask(served, request)
  const asked = whole.status === 200 ? conditional(request, whole) : null
  if (asked === null) return
  const { varies } = trial.settings
  const answer = await trial.ask(served, asked)
  const title = titleOf(request)
  if (answer.status !== 304)
    return trial.fault(
      `${title} is answered ${answer.status} to who has it already by its own validator, not 304`,
    )
  for (const name of validating) {
    if (varies.has(name) || whole.field(name) === answer.field(name)) continue
    trial.fault(`${title}: ${name} is ${whole.field(name)} in the 200, and ${answer.field(name)} in the 304`)
  }
}

/** What messages a plugin makes of what comes in. */
export const messages: readonly Case[] = [
  {
    id: 'split-bytes',
    name: 'a request is answered the same however its bytes come',
    async run(trial) {
      const whole = await trial.transcript(await trial.serve())
      trial.compare(whole, await inPieces(trial, () => 1), 'byte by byte')
      for (const seed of [1, 2, 3]) {
        const pieces = await inPieces(trial, () => randomSizes(seed))
        trial.compare(whole, pieces, `in pieces of random size (seed ${seed})`)
      }
    },
  },
  {
    id: 'head',
    name: 'HEAD is answered as GET is, without the body',
    async run(trial) {
      const [gets, heads] = [await trial.serve(), await trial.serve()]
      // A range is one of GET only (RFC 9110 section 14.2).
      for (const request of trial.requests.filter(isGet).map(each => without(each, 'range'))) {
        const get = await trial.ask(gets, request)
        await using client = await trial.connect(heads)
        const head = await trial.answer(ask(client, { ...request, method: 'HEAD' }, trial.settings), request)
        await turns(20)
        if (client.received !== '') trial.fault(`HEAD ${request.url} is answered with a body`)
        // These are about bytes that were not sent (RFC 9110 section 9.3.2).
        const varies = new Set([...trial.settings.varies, 'content-length', 'transfer-encoding', 'trailer'])
        for (const difference of differences(get, head, { varies }, { withBody: false }))
          trial.fault(`GET and then HEAD of ${request.url} are answered differently: ${difference}`)
      }
    },
  },
  {
    id: 'not-modified',
    name: 'who has an answer already gets a 304 that fits it',
    async run(trial) {
      const served = await trial.serve()
      for (const request of trial.requests.filter(isGet)) await checkConditional(trial, served, request)
    },
  },
  {
    id: 'shared-answers',
    name: 'an answer that is shared stays as it is for the next client',
    async run(trial) {
      const served = await trial.serve()
      const request: InjectOptions = { url: `${KIT}/shared` }
      const others = {
        ...request,
        headers: { cookie: 'other=1', 'accept-encoding': 'gzip', 'user-agent': 'other' },
      }
      await trial.ask(served, request)
      const before = await trial.ask(served, request)
      for (let time = 0; time < 3; time++) await trial.ask(served, others)
      const after = await trial.ask(served, request)
      for (const difference of differences(before, after, trial.settings))
        trial.fault(`after another client has had it, the same answer is different: ${difference}`)
    },
  },
  {
    id: 'refused-messages',
    name: 'it bears messages that no handler ever sees',
    async run(trial) {
      const served = await trial.serve()
      for (const bytes of refused) {
        await using client = await trial.connect(served)
        client.send(bytes)
        client.end()
        await trial.answer(client.closed, {
          url: JSON.stringify(bytes.slice(0, 30)),
          method: 'a refused message',
        })
      }
      const usual = await trial.serve()
      trial.compare(await trial.transcript(usual), await trial.transcript(served), 'after refused messages')
    },
  },
  {
    id: 'hostile-input',
    name: 'what a client sends ends up in no field, page or fault',
    async run(trial) {
      const served = await trial.serve()
      for (const request of trial.requests) {
        for (const asked of hostile(request)) inspect(trial, asked, await trial.ask(served, asked))
      }
    },
  },
]

const refused: readonly string[] = [
  'GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/9.9\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'no message at all\r\n\r\n',
  'GET / HT',
]

const MARK = '<script>kit()</script>'
const ENCODED = '%22%3E%3Cscript%3Ekit()%3C/script%3E%0D%0AX-Injected:%20yes'
const RAW = `"'>${MARK} %0d%0aX-Injected: yes \xe9\xff`

/** A request with what attackers try, in one place after the other. */
function hostile(request: InjectOptions): InjectOptions[] {
  const { url = '/' } = request
  const [path = '/'] = url.split('?')
  const given = Object.fromEntries(fieldsOf(request))
  const names = ['user-agent', 'referer', 'cookie', 'origin', 'accept', 'accept-language', 'accept-encoding']
  names.push('authorization', 'x-forwarded-for', 'x-forwarded-host', 'x-request-id', 'if-none-match', 'range')
  const fields = Object.fromEntries(names.map(name => [name, RAW]))
  return [
    { ...request, url: `${path}${path.endsWith('/') ? '' : '/'}${ENCODED}` },
    { ...request, url: `${path}?${ENCODED}=${ENCODED}` },
    { ...request, headers: { ...given, ...fields } },
  ]
}

function inspect(trial: Trial, request: InjectOptions, answer: RawResponse): void {
  const title = `${titleOf(request)} with hostile input`
  if (answer.status === 500) trial.fault(`${title} is answered 500: it fails by what a client sends`)
  if (answer.field('x-injected') !== undefined)
    trial.fault(`${title} has put a field of its own into the answer`)
  const isPage = /html|xml|svg/.test(answer.field('content-type') ?? '')
  if (isPage && answer.body.includes(MARK)) trial.fault(`${title} stands unescaped in a page`)
  for (const [name, value] of answer.fields)
    if (value.includes(MARK)) trial.fault(`${title} stands unescaped in the field ${name}`)
}
