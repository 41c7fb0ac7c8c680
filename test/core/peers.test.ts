import { type Diagnostic, definePlugin, type PluginServer } from 'rawhttp'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Values } from '../../core/cli/workers/values.ts'
import { resolveConfig } from '../../core/config/resolve.ts'
import type { Config } from '../../core/config/types.ts'
import { alone, type PeerLink, type Seat, type Version } from '../../core/seat.ts'
import { buildServer, type Server } from '../../core/server.ts'

type Hears = Parameters<PeerLink['hear']>[1]

/** Workers of one process: each has a seat, and they hear each other. */
class Table {
  readonly #seats: { readonly listeners: Map<string, Hears[]> }[] = []
  readonly #versions = new Map<string, Set<(version: Version) => void>>()
  readonly #values = new Values(({ name, ...version }) => {
    // News travel: whoever asks in the same turn has not heard.
    setImmediate(() => {
      for (const listener of this.#versions.get(name) ?? []) listener(version)
    })
  })

  seat(): Seat {
    const own = { listeners: new Map<string, Hears[]>() }
    this.#seats.push(own)
    const ask: PeerLink['ask'] = async (topic, message) => {
      const others = this.#seats.filter(each => each !== own)
      const answers = others.map(({ listeners }) => listeners.get(topic)?.at(-1)?.(message) ?? null)
      return (await Promise.all(answers)).filter(answer => answer !== null)
    }
    const link: PeerLink = {
      isAlone: false,
      ask,
      send: (topic, message) => void ask(topic, message),
      hear(topic, listener) {
        own.listeners.set(topic, [...(own.listeners.get(topic) ?? []), listener])
        return () =>
          own.listeners.set(
            topic,
            own.listeners.get(topic)!.filter(each => each !== listener),
          )
      },
      propose: async (name, version) => this.#values.propose({ name, ...version }),
      hearVersions: (name, listener) => {
        const listeners = this.#versions.get(name) ?? new Set()
        this.#versions.set(name, listeners.add(listener))
        return () => void listeners.delete(listener)
      },
    }
    return { ...alone, link }
  }
}

interface Worker {
  readonly server: Server
  readonly own: PluginServer
  readonly heard: unknown[]
  readonly reports: Diagnostic[]
  reload(): Promise<void>
}

async function worker(seat: Seat, answer: (message: unknown) => unknown = () => undefined): Promise<Worker> {
  const heard: unknown[] = []
  const reports: Diagnostic[] = []
  const made: { own?: PluginServer } = {}
  const talking = definePlugin({
    name: 'talking',
    server(own) {
      made.own = own
      own.hooks.report.tap('talking', diagnostic => void reports.push(diagnostic))
      own.peers.hear('news', message => {
        heard.push(message)
        return answer(message)
      })
    },
  })
  const config: Config = { plugins: [talking] }
  const server = await buildServer(await resolveConfig(config, { file: null, dir: '/' }), { seat })
  onTestFinished(() => server.stop({ deadline: 0 }))
  await server.inject('/')
  return { server, own: made.own!, heard, reports, reload: () => server.reload(config) }
}

describe('a plugin', () => {
  it('reaches itself in the other workers, and not in its own', async () => {
    const table = new Table()
    const [one, two, three] = [
      await worker(table.seat()),
      await worker(table.seat(), message => [message, 2]),
      await worker(table.seat(), async message => [message, 3]),
    ]
    const answers = await one.own.peers.ask('news', new Map([['a', Buffer.from('b')]]))
    expect(answers).toHaveLength(2)
    expect(answers.map(answer => (answer as unknown[])[1])).toEqual([2, 3])
    expect(two.heard).toEqual([new Map([['a', Buffer.from('b')]])])
    expect([one.heard, three.heard.length]).toEqual([[], 1])
    expect(await one.own.peers.ask('nothing')).toEqual([])
    one.own.peers.send('news', 'sent')
    expect(two.heard.at(-1)).toBe('sent')
  })

  it('hears nobody before it has started, nor when it stops', async () => {
    const table = new Table()
    const one = await worker(table.seat())
    const asked: unknown[] = []
    const ask = async (when: string) => void asked.push(when, await one.own.peers.ask('news'))
    const talking = definePlugin({
      name: 'talking',
      server({ peers, hooks }) {
        peers.hear('news', () => 'here')
        hooks.start.tapPromise('ask', () => ask('start'))
        hooks.stop.tapPromise('ask', () => ask('stop'))
      },
    })
    const config = await resolveConfig({ plugins: [talking] }, { file: null, dir: '/' })
    const server = await buildServer(config, { seat: table.seat() })
    await server.inject('/')
    await ask('between')
    await server.stop()
    expect(asked).toEqual(['start', [], 'between', ['here'], 'stop', []])
  })

  it('hears from start to stop, a new generation beside the old one', async () => {
    const table = new Table()
    const one = await worker(table.seat())
    const two = await worker(table.seat(), () => 'here')
    await two.reload()
    await one.own.peers.ask('news', 1)
    expect(two.heard).toEqual([1])
    await two.server.stop()
    expect(await one.own.peers.ask('news', 2)).toEqual([])
    expect(two.heard).toEqual([1])
  })

  it('whose listener fails is reported, and gives no answer', async () => {
    const table = new Table()
    const one = await worker(table.seat())
    const two = await worker(table.seat(), () => {
      throw new Error('no idea')
    })
    expect(await one.own.peers.ask('news')).toEqual([])
    expect(two.reports).toMatchObject([
      { code: 'PEER_FAILED', plugin: 'talking', message: 'plugin "talking": peers.hear("news"): no idea' },
    ])
  })

  it('is told what it may not send', async () => {
    const { own } = await worker(new Table().seat())
    expect(() => own.peers.send('news', () => undefined)).toThrow(
      /^plugin "talking": peers\.send\("news"\): .*could not be cloned/,
    )
    await expect(own.peers.ask('news', Buffer.alloc(1_048_576))).rejects.toThrow(
      'peers.ask("news"): expected at most 1048576 bytes, got',
    )
    expect(() => own.peers.hear('late', () => undefined)).toThrow(
      'came too late: call it in server() or site()',
    )
  })

  it('that hears a topic twice does not start', async () => {
    const twice = definePlugin({
      name: 'twice',
      server({ peers }) {
        peers.hear('a', () => undefined)
        peers.hear('a', () => undefined)
      },
    })
    const config = await resolveConfig({ plugins: [twice] }, { file: null, dir: '/' })
    await expect(buildServer(config)).rejects.toThrow('peers.hear("a") was called twice')
  })

  it('agrees with its peers on the first value, and on who was first to replace it', async () => {
    const table = new Table()
    const [one, two] = [await worker(table.seat()), await worker(table.seat())]
    const told: string[] = []
    const first = await one.own.peers.agree(
      'keys',
      () => 'first',
      value => told.push(`one ${value}`),
    )
    const other = await two.own.peers.agree(
      'keys',
      () => 'other',
      value => told.push(`two ${value}`),
    )
    expect([first.value, other.value, told]).toEqual(['first', 'first', []])
    await Promise.all([first.replace('second'), other.replace('late')])
    expect([first.value, other.value, told.sort()]).toEqual([
      'second',
      'second',
      ['one second', 'two second'],
    ])
    await two.server.stop()
    await first.replace('third')
    await new Promise(resolve => setImmediate(resolve))
    expect(other.value).toBe('second')
  })

  it('that is alone agrees with itself, and nobody hears it', async () => {
    const { own } = await worker(alone)
    const agreed = await own.peers.agree('keys', () => 1)
    await agreed.replace(2)
    expect([own.peers.isAlone, agreed.value, await own.peers.ask('news')]).toEqual([true, 2, []])
  })
})
