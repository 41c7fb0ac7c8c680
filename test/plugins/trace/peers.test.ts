import { trace } from 'rawhttp/plugins/trace'
import { expect, onTestFinished, test } from 'vitest'
import { resolveConfig } from '../../../core/config/resolve.ts'
import { alone, type PeerLink } from '../../../core/seat.ts'
import { buildServer } from '../../../core/server.ts'
import { exchangeBytes } from '../../support/raw-client.ts'

type Heard = Map<string, Parameters<PeerLink['hear']>[1]>

/** A worker that listens; what it asks, the other one hears. Gives what asks it. */
async function worker(own: Heard, other: Heard) {
  const link: PeerLink = {
    ...alone.link,
    isAlone: false,
    hear(topic, listener) {
      own.set(topic, listener)
      return () => void own.delete(topic)
    },
    async ask(topic, message) {
      const answer = (await other.get(topic)?.(message)) ?? null
      return answer === null ? [] : [answer]
    },
  }
  const plugins = [trace({ sample: 1, keep: 2 })]
  const sites = [{ name: 'a', hosts: ['a.example'] }]
  const config = await resolveConfig({ listen: [{ port: 0 }], plugins, sites }, { file: null, dir: '/' })
  const server = await buildServer(config, { seat: { ...alone, link } })
  onTestFinished(() => server.stop({ deadline: 0 }))
  const [address] = await server.listen()
  const { port } = new URL(address!.url)
  return (host: string, path: string) =>
    exchangeBytes(Number(port), `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
}

test('whichever worker is asked shows the traces of all, the newest first', async () => {
  const [first, second] = [new Map(), new Map()] as const
  const [one, other] = [await worker(first, second), await worker(second, first)]
  for (const [at, ask] of [one, other, other, one, other].entries()) {
    await ask('a.example', `/${at}`)
    // Times are told apart by milliseconds.
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  for (const ask of [one, other]) {
    // By address it answers where all sites have names.
    for (const host of ['a.example', 'localhost']) {
      const answer = await ask(host, '/.rawhttp/trace')
      expect(answer).toMatch(/\r\ncontent-type: application\/json\r\n/)
      // Each keeps two of its own.
      const paths = [...answer.matchAll(/"path":"(\/\d)"/g)].map(([, path]) => path)
      expect(paths).toEqual(['/4', '/3', '/2', '/0'])
    }
  }
})
