import { EventEmitter, once } from 'node:events'
import { type AddressInfo, createServer as createListener } from 'node:net'
import { type Config, createServer, HttpResponse, type Server } from 'rawhttp'
import { router } from 'rawhttp/plugins/router'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Browser, startChromium } from '../support/chromium.ts'

// EventSource of a real Chromium over reloads and a restart: what every dashboard on server-sent events lives by.

const page = `<!doctype html><title>events</title><script>
  window.seen = []
  window.closed = false
  const source = new EventSource('/events')
  source.onmessage = ({ data, lastEventId }) => window.seen.push([lastEventId, data])
  source.onerror = () => { window.closed ||= source.readyState === EventSource.CLOSED }
</script>`

const published: string[] = []
const bell = new EventEmitter().setMaxListeners(0)
/** What each stream was asked for, by the name of the config that it began in. */
const asked: [string, string | null][] = []

function publish(data: string): void {
  published.push(data)
  bell.emit('published')
}

/** Ids are URL-like text beyond ASCII: EventSource must bring them back as they were. */
const idOf = (index: number) => `größe-${index}`

const config = (name: string, port: number): Config => ({
  listen: [{ port }],
  plugins: [
    router({
      'GET /': () => HttpResponse.html(page),
      'GET /events': () =>
        HttpResponse.events(
          async function* ({ lastEventId, signal }) {
            asked.push([name, lastEventId])
            let at = lastEventId === null ? 0 : Number(lastEventId.replace('größe-', '')) + 1
            while (!signal.aborted) {
              for (; at < published.length; at++) yield { id: idOf(at), data: published[at] }
              await once(bell, 'published', { signal })
            }
          },
          { reconnectWithin: '300ms' },
        ),
    }),
  ],
})

let server: Server
let port: number
let browser: Browser

// All configs name the same port, so that the listener stays over reloads.
async function freePort(): Promise<number> {
  const probe = createListener().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

beforeAll(async () => {
  port = await freePort()
  server = await createServer(config('first', port))
  await server.listen()
  browser = await startChromium()
}, 60_000)

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]()
  await server.stop({ deadline: 0 })
})

describe('EventSource in Chromium', { timeout: 60_000 }, () => {
  it('misses and repeats no event over reloads and a restart', async () => {
    const tab = await browser.context.newPage()
    await tab.goto(`http://127.0.0.1:${port}/`)
    const until = (count: number) => tab.waitForFunction(`window.seen.length >= ${count}`)
    publish('one')
    publish('two\nlines')
    await until(2)

    await server.reload(config('second', port))
    publish('while it was away')
    await until(3)
    publish('with the second config')
    await until(4)
    await server.reload(config('third', port))
    await server.reload(config('fourth', port))
    publish('over two reloads at once')
    await until(5)

    await server.stop({ deadline: 30_000 })
    publish('while nobody listened')
    server = await createServer(config('fifth', port))
    await server.listen()
    publish('after the restart')
    await until(7)

    expect(await tab.evaluate('window.seen')).toEqual(published.map((data, index) => [idOf(index), data]))
    expect(await tab.evaluate('window.closed')).toBe(false)
    expect(asked).toEqual([
      ['first', null],
      ['second', idOf(1)],
      ['fourth', idOf(3)],
      ['fifth', idOf(4)],
    ])
  })
})
