import { type Config, createServer, type HttpRequest, HttpResponse, scope } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { serve } from '../support/in-memory.ts'
import { request as message, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { tempFile } from '../support/temp-file.ts'

/** What a plugin sees. */
const facts = ({ client, scheme, host, hostname, site, connection, isFromTrustedProxy }: HttpRequest) => ({
  client: client.address,
  peer: connection?.client.address,
  scheme,
  host,
  hostname,
  site: site.name,
  isFromTrustedProxy,
})
const tell = answering(request => HttpResponse.json(facts(request)))

const fields = [
  'X-Forwarded-For: 6.6.6.6, 192.0.2.1',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: Shop.Example:8443',
]
const told = {
  client: '192.0.2.1',
  peer: '127.0.0.1',
  scheme: 'https',
  host: 'Shop.Example:8443',
  hostname: 'shop.example',
  site: 'default',
  isFromTrustedProxy: true,
}
const asSent = {
  client: '127.0.0.1',
  peer: '127.0.0.1',
  scheme: 'http',
  host: 'a',
  hostname: 'a',
  site: 'default',
  isFromTrustedProxy: false,
}

/** What one request comes to, in a config and with the plugin that tells. */
async function seen(config: Config, lines: readonly string[] = fields): Promise<unknown> {
  await using served = await startServer({ ...config, plugins: [...(config.plugins ?? []), tell] })
  await using client = await RawClient.connect(served.port)
  client.send(message('GET', '/', lines))
  return JSON.parse((await client.response()).body.toString())
}

describe('who is believed', () => {
  test('is nobody unless the config says so: a spoofed X-Forwarded-For changes nothing', async () => {
    expect(await seen({})).toEqual(asSent)
    expect(await seen({ trustedProxies: [] })).toEqual(asSent)
    expect(await seen({}, ['Forwarded: for=192.0.2.1;proto=https;host=shop.example'])).toEqual(asSent)
  })

  test('is a peer in the list, and no other', async () => {
    expect(await seen({ trustedProxies: ['127.0.0.0/8'] })).toEqual(told)
    expect(await seen({ trustedProxies: ['loopback'] })).toEqual(told)
    expect(await seen({ trustedProxies: { from: ['127.0.0.1'] } })).toEqual(told)
    expect(await seen({ trustedProxies: ['private', 'unix', '192.0.2.1'] })).toEqual(asSent)
  })

  test('is looked up once a connection, and stays who it is for each request', async () => {
    for (const [trustedProxies, expected] of [
      [['loopback'], told] as const,
      [['private'], asSent] as const,
    ]) {
      await using served = await startServer({ trustedProxies, plugins: [tell] })
      await using client = await RawClient.connect(served.port)
      client.send(message('GET', '/', fields).repeat(3))
      for (let count = 0; count < 3; count++)
        expect(JSON.parse((await client.response()).body.toString())).toEqual(expected)
    }
  })

  test('is told apart by listener, where that has a list of its own', async () => {
    const trustedProxies = ['loopback']
    expect(await seen({ listen: [{ port: 0, trustedProxies }] })).toEqual(told)
    expect(await seen({ trustedProxies, listen: [{ port: 0, trustedProxies: [] }] })).toEqual(asSent)
    expect(await seen({ trustedProxies, listen: [{ port: 0, trustedProxies: undefined }] })).toEqual(told)
  })

  test('is whoever comes by a Unix socket only when the list says unix', async () => {
    const ask = async (trustedProxies: readonly string[]) => {
      const path = `${await tempFile('a', '')}.sock`
      const server = await createServer({ listen: [{ path }], trustedProxies, plugins: [tell] })
      await server.listen()
      await using client = await RawClient.open({ path })
      client.send(message('GET', '/', fields))
      const answer = JSON.parse((await client.response()).body.toString())
      await server.stop({ deadline: 0 })
      return answer
    }
    expect(await ask(['unix'])).toEqual({ ...told, peer: '' })
    expect(await ask(['loopback', '0.0.0.0/0', '::/0'])).toEqual({ ...asSent, client: '', peer: '' })
  })

  test('is believed in the fields that the list names only', async () => {
    const from = ['loopback']
    expect(await seen({ trustedProxies: { from, fields: ['x-forwarded-for'] } })).toEqual({
      ...asSent,
      client: '192.0.2.1',
      isFromTrustedProxy: true,
    })
  })

  test('is decided anew by a reload, also for connections that are open', async () => {
    await using served = await startServer({ plugins: [tell] })
    await using client = await RawClient.connect(served.port)
    const ask = async () => {
      client.send(message('GET', '/', fields))
      return JSON.parse((await client.response()).body.toString())
    }
    const listen = [{ port: 0 }]
    expect(await ask()).toEqual(asSent)
    await served.server.reload({ listen, plugins: [tell], trustedProxies: ['loopback'] })
    expect(await ask()).toEqual(told)
    await served.server.reload({ listen, plugins: [tell] })
    expect(await ask()).toEqual(asSent)
  })
})

describe('what trusted proxies tell', () => {
  const trustedProxies = ['loopback', '10.0.0.0/8']

  test('is left as it came in the fields', async () => {
    const plugins = [answering(({ headers }) => HttpResponse.text(headers.get('x-forwarded-for')!))]
    await using served = await startServer({ trustedProxies, plugins })
    await using client = await RawClient.connect(served.port)
    client.send(message('GET', '/', fields))
    expect((await client.response()).body.toString()).toBe('6.6.6.6, 192.0.2.1')
  })

  test('says nothing where it is missing or malformed', async () => {
    const trusted = { ...asSent, isFromTrustedProxy: true }
    expect(await seen({ trustedProxies }, [])).toEqual(trusted)
    const malformed = ['X-Forwarded-For: x', 'X-Forwarded-Proto: gopher', 'X-Forwarded-Host: a b']
    expect(await seen({ trustedProxies }, malformed)).toEqual(trusted)
  })

  test('names the farthest proxy when all are trusted', async () => {
    expect(await seen({ trustedProxies }, ['X-Forwarded-For: 10.0.0.2, 10.0.0.1'])).toMatchObject({
      client: '10.0.0.2',
    })
  })

  test('holds for HTTP/1.0 and for absolute targets', async () => {
    await using served = await startServer({ trustedProxies, plugins: [tell] })
    const lines = `${fields.join('\r\n')}\r\n\r\n`
    const old = await exchangeBytes(served.port, `GET / HTTP/1.0\r\n${lines}`)
    expect(JSON.parse(old.split('\r\n\r\n')[1]!)).toEqual(told)
    await using client = await RawClient.connect(served.port)
    client.send(`GET http://b/ HTTP/1.1\r\nHost: a\r\n${lines}`)
    expect(JSON.parse((await client.response()).body.toString())).toEqual(told)
  })

  test('chooses the site by the host', async () => {
    const sites = [
      { name: 'shop', hosts: ['shop.example'] },
      { name: 'inner', hosts: ['a'] },
    ]
    expect(await seen({ trustedProxies, sites })).toMatchObject({ site: 'shop' })
    expect(await seen({ sites })).toMatchObject({ site: 'inner' })
  })

  test('narrows scopes by the host', async () => {
    const plugins = [scope({ hosts: ['shop.example'] }, [answering(() => HttpResponse.json('in scope'))])]
    expect(await seen({ trustedProxies, plugins })).toBe('in scope')
    expect(await seen({ plugins })).toEqual(asSent)
  })

  test('is told of refused messages, too', async () => {
    await using served = await startServer({ trustedProxies })
    await exchangeBytes(served.port, message('GET', '/', [...fields, 'Content-Length: x']))
    expect((await served.untilReported('H1-CL-INVALID')).message).toContain('a message from 192.0.2.1 ')
  })

  test('counts for inject, when the peer that it names is trusted', async () => {
    const { ask } = await serve({ trustedProxies, plugins: [tell] })
    const headers = { host: 'a', forwarded: 'for=192.0.2.1;proto=https;host=shop.example' }
    const peer = (address: string) => ({ headers, client: { address, port: 1 } })
    expect((await ask(peer('10.0.0.1'))).json()).toMatchObject({ client: '192.0.2.1', host: 'shop.example' })
    expect((await ask(peer('11.0.0.1'))).json()).toMatchObject({ client: '11.0.0.1', host: 'a' })
    expect((await ask({ headers })).json()).toMatchObject({ client: '', host: 'a', scheme: 'http' })
  })
})

describe('a target of https on a plain connection', () => {
  const ask = async (trustedProxies: readonly string[], ...lines: string[]) => {
    await using served = await startServer({ trustedProxies, plugins: [tell] })
    const head = ['GET https://a/ HTTP/1.1', 'Host: a', 'Connection: close', ...lines].join('\r\n')
    return statuses(await exchangeBytes(served.port, `${head}\r\n\r\n`))
  }

  test('is 421, unless a trusted proxy says that the client came by https', async () => {
    expect(await ask([], 'X-Forwarded-Proto: https')).toEqual([421])
    expect(await ask(['loopback'])).toEqual([421])
    expect(await ask(['loopback'], 'X-Forwarded-Proto: http')).toEqual([421])
    expect(await ask(['loopback'], 'X-Forwarded-Proto: https')).toEqual([200])
  })
})
