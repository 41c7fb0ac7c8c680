import { Handle, HttpResponse, type ListenConfig, type Plugins, type RequestTrace } from 'rawhttp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from '../../../../core/cli/args.ts'
import { Asker } from '../../../../core/cli/explain/ask.ts'
import { questionOf } from '../../../../core/cli/explain/question.ts'
import { resolveConfig } from '../../../../core/config/resolve.ts'
import { buildServer } from '../../../../core/server.ts'
import { onServer, onSite } from '../../../support/in-memory.ts'

const answers = onSite('answers', site =>
  site.hooks.handle.tapPromise({ name: 'answers', stage: Handle.Route }, async ({ path, body }) => {
    if (path === '/text') return HttpResponse.text('hello')
    if (path === '/echo') return HttpResponse.text(await body.text())
    if (path === '/upgrade') return HttpResponse.upgrade({ protocol: 'echo' }, stream => void stream.resume())
    if (path === '/endless') return HttpResponse.stream(endless())
    return undefined
  }),
)

async function* endless() {
  for (;;) {
    yield 'x'
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** What sends requests to a server with these plugins. */
async function asker(
  plugins: Plugins = [answers],
  listen: readonly ListenConfig[] = [{ port: 81 }, { port: 82, tls: true }],
) {
  let listener: (trace: RequestTrace) => void = () => undefined
  const tls = onServer('tls', ({ hooks }) => hooks.connection.tap({ name: 'tls', stage: 0 }, () => undefined))
  const config = await resolveConfig({ listen, plugins: [tls, ...plugins] }, { file: null, dir: '/' })
  const server = await buildServer(config, {
    tracer: { wants: () => true, finished: trace => listener(trace) },
  })
  onTestFinished(() => server.stop({ deadline: 0 }))
  await server.start()
  const one = new Asker(server, given => {
    listener = given
  })
  return (...words: string[]) => one.ask(questionOf(parse(['explain', ...words])))
}

describe('a request goes through parser and writer, without a socket', () => {
  test('and its trace has what the transport adds', async () => {
    const { answer, outcome } = await (await asker())('GET', '/text')
    expect(answer!.fields.map(({ name, value }) => [name, value])).toEqual([
      ['content-type', 'text/plain; charset=utf-8'],
      ['accept-ranges', 'bytes'],
      ['date', expect.any(String)],
      ['content-length', '5'],
    ])
    expect(outcome).toMatchObject({ result: 'sent', bodyBytes: 5 })
  })

  test('with its body', async () => {
    const trace = await (await asker())('POST', '/echo', '--data', 'hällo')
    expect(trace.answer).toMatchObject({ status: 200, body: { bytes: 6 } })
  })

  test('and is refused as a client of the network would be', async () => {
    const ask = await asker()
    const trace = await ask('GET', '/text', '-H', 'Transfer-Encoding: x')
    expect(trace).toMatchObject({
      request: { refused: { id: 'H1-TE-INVALID', section: 'RFC 9112 6.1' } },
      site: { name: '-', why: 'refused' },
      answer: { status: 400 },
      outcome: { result: 'refused' },
    })
    const close = trace.answer!.fields.find(({ name }) => name === 'connection')!
    expect([close.value, close.source.rule?.section]).toEqual(['close', 'RFC 9112 9.6'])
    expect((await ask('GET', '/a b')).request.refused?.id).toBe('H1-REQUEST-LINE')
  })

  test('and an upgrade ends when it is there', async () => {
    const trace = await (await asker())('GET', '/upgrade', '-H', 'Connection: upgrade', '-H', 'Upgrade: echo')
    expect(trace).toMatchObject({ answer: { status: 101 }, outcome: { result: 'upgraded' } })
    const fields = trace.answer!.fields.map(({ name, value, source }) => [name, value, source.rule?.section])
    expect(fields).toContainEqual(['connection', 'upgrade', 'RFC 9110 7.8'])
    expect(fields).toContainEqual(['upgrade', 'echo', 'RFC 9110 7.8'])
  })

  test('and one without an end is left', async () => {
    const trace = await (await asker())('GET', '/endless')
    expect(trace.outcome).toMatchObject({ result: 'aborted' })
    expect(trace.answer!.fields).toContainEqual(
      expect.objectContaining({ name: 'transfer-encoding', value: 'chunked' }),
    )
  })

  test('one after the other', async () => {
    const ask = await asker()
    for (const path of ['/text', '/nothing', '/text'])
      expect((await ask('GET', path)).request.path).toBe(path)
  })
})

test('its client is on this machine, and comes to the listener of its scheme', async () => {
  const seen: unknown[] = []
  const sees = onSite('sees', site =>
    site.hooks.handle.tap({ name: 'sees', stage: 0 }, ({ client, scheme, connection }) => {
      seen.push([client.address, scheme, connection!.local.port, connection!.tls?.serverName])
    }),
  )
  const ask = await asker([sees])
  await ask('GET', 'http://a.example/')
  await ask('GET', 'https://a.example:443/')
  expect(seen).toEqual([
    ['127.0.0.1', 'http', 81, undefined],
    ['127.0.0.1', 'https', 82, 'a.example'],
  ])
})

test('a path alone is asked for over TLS where the first listener has it', async () => {
  const schemeAt = async (listen: { port: number; tls: boolean }[]) =>
    (await (await asker([answers], listen))('GET', '/text')).request.scheme
  const [plain, secure] = [
    { port: 81, tls: false },
    { port: 82, tls: true },
  ]
  expect(await schemeAt([secure])).toBe('https')
  expect(await schemeAt([secure, plain])).toBe('https')
  expect(await schemeAt([plain, secure])).toBe('http')
})
