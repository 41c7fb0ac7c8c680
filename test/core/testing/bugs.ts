import { EventEmitter } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createServer, type Server as NetServer } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import {
  Connect,
  definePlugin,
  Handle,
  type HttpRequest,
  HttpResponse,
  type PluginServer,
  type PluginSite,
  pieces,
  slot,
  Transform,
} from 'rawhttp'
import type { CaseId, ContractOptions, Subject } from 'rawhttp/testing'

/** A plugin with a bug that people really make. */
export interface Bug extends ContractOptions {
  readonly plugin: Subject
  /** The case that finds it; null for what the contract does not see. */
  readonly caught: CaseId | null
  /** What is said of it. */
  readonly told?: RegExp
  /** Takes away what the bug has left in the process. */
  readonly undo?: () => void
}

const bus = new EventEmitter()

type Site = (site: PluginSite) => void
type OnServer = (server: PluginServer) => void

const onSite = (site: Site): Subject => definePlugin({ name: 'bugged', site })()
const onServer = (server: OnServer): Subject => definePlugin({ name: 'bugged', server })()

/** A handler for one path. */
const handling = (
  path: string,
  handler: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>,
): Subject =>
  onSite(({ hooks }) =>
    hooks.handle.tapPromise({ name: 'bugged', stage: Handle.Route }, async request =>
      request.path === path ? await handler(request) : undefined,
    ),
  )

const tick = (): void => undefined
const beat = (): NodeJS.Timeout => setInterval(tick, 1_000).unref()

// What the bugs below keep where nothing may be kept.
let requests = 0
let hasStarted = false
let table: Map<string, string> | null = new Map([['a', 'first']])
let current: NodeJS.Timeout | null = null
let latest = 0
const history: HttpRequest[] = []
const timers: NodeJS.Timeout[] = []
const ports: NetServer[] = []
const descriptors: number[] = []
const onExit = (): void => undefined

const closeAll = (): void => {
  for (const timer of timers.splice(0)) clearInterval(timer)
  for (const port of ports.splice(0)) port.close()
  for (const descriptor of descriptors.splice(0)) closeSync(descriptor)
}

const Seen = slot<{ readonly at: number }>('bugged.seen')

const notifies = definePlugin({
  name: 'bugged',
  server(server) {
    const kept = server.keep('notifier', {
      create: () => ({ tell: () => server.log.info('a request was done') }),
    })
    server.set(Notifier, kept)
  },
  site({ server, hooks }) {
    hooks.done.tap('bugged', () => server.get(Notifier)!().tell())
  },
})
const Notifier = slot<() => { tell(): void }>('bugged.notifier')

const greets = definePlugin({
  name: 'bugged',
  options: ({ words = 'hello' }: { readonly words?: string } = {}) => ({ words }),
  site(site, { words }) {
    const kept = site.keep('greeting', { create: () => ({ words }) })
    site.hooks.deliver.tap('bugged', response => void response.set('x-greeting', kept().words))
  },
})

const lists = definePlugin({
  name: 'bugged',
  options: (options: { names: string[] }) => options,
  site(_site, options) {
    options.names.sort()
    options.names.push('everybody')
  },
})

const keeps = definePlugin({
  name: 'bugged',
  server({ keep }) {
    keep('sweeper', { create: () => void timers.push(beat()) })
  },
})

const echo = { url: '/echo', method: 'POST', body: 'some words of a client' }

/** Every bug by what is wrong. */
export const bugs: Readonly<Record<string, Bug>> = {
  'a timer that nobody stops': {
    caught: 'start-stop',
    told: /the server has stopped: a timer, opened at .*bugs.ts/,
    plugin: onServer(({ hooks }) => hooks.start.tap('bugged', () => void timers.push(beat()))),
  },
  'a timer that stops at a shutdown, but not at a reload': {
    caught: 'reload-growth',
    told: /with each reload there is more: a timer/,
    plugin: onServer(({ hooks }) => {
      let timer: NodeJS.Timeout
      hooks.start.tap('bugged', () => {
        timer = beat()
        timers.push(timer)
      })
      hooks.stop.tap('bugged', (_server, reason) => {
        if (reason !== 'reload') clearInterval(timer)
      })
    }),
  },
  'a timer that goes on as long as old requests do': {
    caught: 'retire',
    told: /goes on beside the new one: a timer/,
    plugin: onServer(({ hooks }) => {
      let timer: NodeJS.Timeout
      hooks.start.tap('bugged', () => {
        timer = beat()
      })
      hooks.stop.tap('bugged', () => clearInterval(timer))
    }),
  },
  'a kept value with a timer, and no dispose': {
    caught: 'start-stop',
    told: /the server has stopped: a timer/,
    plugin: keeps,
  },
  'a timer that starts another one each time': {
    caught: 'time-jump',
    told: /32 timers wait where 1 did/,
    plugin: onServer(({ hooks }) => {
      const own: NodeJS.Timeout[] = []
      const more = () => void own.push(setInterval(more, 60_000))
      hooks.start.tap('bugged', more)
      const end = () => {
        for (const timer of own.splice(0)) clearInterval(timer)
      }
      hooks.retire.tap('bugged', end)
      hooks.stop.tap('bugged', end)
    }),
  },
  'a timer that fails when it comes': {
    caught: 'time-jump',
    told: /reading 'clear'/,
    plugin: onServer(({ hooks }) => {
      let timer: NodeJS.Timeout
      const sessions: Map<string, number> | undefined = undefined
      hooks.start.tap('bugged', () => {
        timer = setInterval(() => (sessions as unknown as Map<string, number>).clear(), 3_600_000)
      })
      hooks.retire.tap('bugged', () => clearInterval(timer))
      hooks.stop.tap('bugged', () => clearInterval(timer))
    }),
  },
  'a count of the module': {
    caught: 'two-servers',
    told: /a second server beside the first, GET \/ .* x-count: "\d+", then "\d+"/,
    plugin: onSite(({ hooks }) =>
      hooks.deliver.tap('bugged', response => void response.set('x-count', String(++requests))),
    ),
  },
  'a start that only works once': {
    caught: 'second-start',
    told: /x-up: "true", then "false"/,
    plugin: definePlugin({
      name: 'bugged',
      server({ hooks }) {
        hooks.start.tap('bugged', server => {
          if (!hasStarted) server.set(Seen, { at: 1 })
          hasStarted = true
        })
      },
      site({ server, hooks }) {
        hooks.deliver.tap(
          'bugged',
          response => void response.set('x-up', String(server.get(Seen) !== undefined)),
        )
      },
    }),
    undo: () => {
      hasStarted = false
    },
  },
  'a table of the module that the first stop takes away': {
    caught: 'reload',
    told: /when the old generation has ended, .* x-table: "first", then "none"/,
    plugin: definePlugin({
      name: 'bugged',
      server({ hooks }) {
        hooks.start.tap('bugged', () => {
          table ??= new Map([['a', 'first']])
        })
        hooks.stop.tap('bugged', () => {
          table = null
        })
      },
      site({ hooks }) {
        hooks.deliver.tap('bugged', response => void response.set('x-table', table?.get('a') ?? 'none'))
      },
    }),
  },
  'a port that setup opens': {
    caught: 'setup',
    told: /start has not: a TCP server/,
    plugin: onServer(() => void ports.push(createServer().listen(0, '127.0.0.1'))),
  },
  'a server that is never closed': {
    caught: 'start-stop',
    told: /the server has stopped: a TCP server/,
    plugin: onServer(({ hooks }) =>
      hooks.start.tap('bugged', () => void ports.push(createServer().listen(0, '127.0.0.1'))),
    ),
  },
  'a stop that takes for granted that start has run': {
    caught: 'failed-start',
    told: /stop tap "bugged" failed/,
    plugin: onServer(({ hooks }) => {
      let timer: { timer: NodeJS.Timeout } | undefined
      hooks.start.tap('bugged', () => {
        timer = { timer: beat() }
      })
      hooks.retire.tap('bugged', () => clearInterval(timer!.timer))
      hooks.stop.tap('bugged', () => clearInterval(timer!.timer))
    }),
  },
  'a start that ends what still serves': {
    caught: 'failed-reload',
    told: /behind a reload that has failed, .* x-alive: "true", then "false"/,
    plugin: definePlugin({
      name: 'bugged',
      server({ hooks }) {
        let own: NodeJS.Timeout
        hooks.start.tap('bugged', () => {
          own = beat()
          clearInterval(current ?? undefined)
          current = own
        })
        hooks.stop.tap('bugged', (_server, reason) => {
          clearInterval(own)
          if (reason === 'failed' || reason === 'shutdown') current = null
        })
      },
      site({ hooks }) {
        hooks.deliver.tap('bugged', response => void response.set('x-alive', String(current !== null)))
      },
    }),
    undo: () => {
      current = null
    },
  },
  'an answer that waits for what a client that has left will not send': {
    caught: 'abort',
    told: /\/poll have left: \d requests go on for ever/,
    requests: ['/poll'],
    plugin: handling('/poll', async ({ signal }) => {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, 20)
        signal.addEventListener('abort', () => clearTimeout(timer))
        if (signal.aborted) reject(signal.reason)
      })
      return HttpResponse.text('news')
    }),
  },
  'a file that stays open when its client leaves': {
    caught: 'abort',
    told: /the server has stopped: the file .*bugs.ts/,
    requests: ['/file'],
    plugin: onSite(({ hooks }) => {
      const open = new WeakMap<HttpRequest, number>()
      hooks.handle.tapPromise({ name: 'bugged', stage: Handle.Route }, async request => {
        if (request.path !== '/file') return undefined
        const descriptor = openSync(import.meta.filename, 'r')
        descriptors.push(descriptor)
        open.set(request, descriptor)
        await new Promise(resolve => setTimeout(resolve, 5))
        return HttpResponse.text('read')
      })
      hooks.done.tap('bugged', (request, _response, { result }) => {
        const descriptor = open.get(request)
        if (descriptor === undefined || result !== 'sent') return
        descriptors.splice(descriptors.indexOf(descriptor), 1)
        closeSync(descriptor)
      })
    }),
  },
  'errors that become empty pages': {
    caught: 'errors-stay',
    told: /a handler that has thrown is answered with 200/,
    plugin: onSite(({ hooks }) => hooks.error.tap('bugged', () => HttpResponse.html(''))),
  },
  'a body whose failure looks like its end': {
    caught: 'broken-body',
    told: /ends as if it was whole/,
    plugin: onSite(({ hooks }) =>
      hooks.transform.tap({ name: 'bugged', stage: Transform.Encode }, response => {
        const { body } = response
        if (body === null || typeof body === 'string' || body instanceof Uint8Array) return
        response.replace(
          (async function* () {
            try {
              yield* pieces(body)
            } catch {
              // Well, that was it.
            }
          })(),
        )
      }),
    ),
  },
  'a stream that is read as fast as it comes': {
    caught: 'slow-reader',
    told: /reads nothing has had 8388608 bytes made for it/,
    patience: 5_000,
    plugin: onSite(({ hooks }) =>
      hooks.transform.tap({ name: 'bugged', stage: Transform.Encode }, response => {
        const { body } = response
        if (body === null || typeof body === 'string' || body instanceof Uint8Array) return
        const source = Readable.from(pieces(body), { objectMode: true })
        const through = new PassThrough()
        source.on('data', piece => void through.write(piece))
        source.on('end', () => through.end())
        source.on('error', error => through.destroy(error))
        through.on('close', () => source.destroy())
        response.replace(through)
      }),
    ),
  },
  'a signature that reads bodies of any length': {
    caught: 'body-limit',
    told: /lets POST .* send \d{7} bytes where 65536 are allowed/,
    plugin: onSite(({ hooks }) =>
      hooks.handle.tapPromise({ name: 'bugged', stage: Handle.Guard }, async request => {
        if (request.method !== 'POST') return
        request.limits.bodyBytes = 0
        await request.body.bytes()
      }),
    ),
  },
  'an answer from the first piece of a body alone': {
    caught: 'split-bytes',
    told: /byte by byte, POST \/echo .* a body of 22 bytes, then another one of 1/,
    requests: [echo],
    plugin: handling('/echo', async ({ body }) => {
      for await (const piece of body.stream()) return HttpResponse.bytes(piece)
      return HttpResponse.empty()
    }),
  },
  'a head that is expected in one piece': {
    caught: 'split-bytes',
    told: /the connection ended/,
    plugin: onServer(({ hooks, serve }) =>
      hooks.connection.tap({ name: 'bugged', stage: Connect.Address }, (stream, info) => {
        stream.once('data', (chunk: Buffer) => {
          stream.pause()
          stream.unshift(chunk)
          if (/ HTTP\/1\.1\r\n/.test(chunk.toString('latin1'))) serve(stream, info)
          else stream.destroy()
        })
        return { name: 'bugged', drain: tick, destroy: tick }
      }),
    ),
  },
  'bytes of a shared answer that are changed in place': {
    caught: 'shared-answers',
    told: /has changed the bytes of an answer that somebody else has given/,
    plugin: onSite(({ hooks }) =>
      hooks.transform.tap({ name: 'bugged', stage: Transform.Shape }, ({ body }) => {
        if (body instanceof Uint8Array) body[0] = (body[0]! + 1) & 0xff
      }),
    ),
  },
  'a tag that is another one each time': {
    caught: 'not-modified',
    told: /GET \/page is answered 200 to who has it already/,
    requests: ['/page'],
    plugin: handling('/page', () => HttpResponse.text('a page', { headers: { etag: `"${++latest}"` } })),
  },
  'fields that HEAD does not get': {
    caught: 'head',
    told: /GET and then HEAD of \/ .* x-frame-options: "DENY", then none/,
    plugin: onSite(({ hooks }) =>
      hooks.deliver.tap('bugged', (response, { method }) => {
        if (method === 'GET') response.set('x-frame-options', 'DENY')
      }),
    ),
  },
  'a field with what the client sent in it': {
    caught: 'hostile-input',
    told: /is answered 500: it fails by what a client sends/,
    plugin: onSite(({ hooks }) =>
      hooks.deliver.tap('bugged', (response, { query }) => {
        const [name] = query.keys()
        if (name !== undefined) response.set('x-first', name)
      }),
    ),
  },
  'a page with what the client sent in it': {
    caught: 'hostile-input',
    told: /stands unescaped in a page/,
    plugin: handling('/page', ({ search }) =>
      HttpResponse.html(`<p>You asked for ${decodeURIComponent(search)}`),
    ),
    requests: ['/page'],
  },
  'a done that takes for granted that handle has run': {
    caught: 'refused-messages',
    told: /done tap "bugged" failed/,
    plugin: onSite(({ hooks }) => {
      hooks.handle.tap({ name: 'bugged', stage: Handle.Prepare }, request => request.set(Seen, { at: 1 }))
      hooks.done.tap('bugged', request => void (request.get(Seen)!.at + 1))
    }),
  },
  'a deliver that takes for granted that handle has run': {
    caught: 'hook-throws',
    told: /deliver tap "bugged" failed/,
    plugin: onSite(({ name, hooks }) => {
      if (name === '-') return
      hooks.handle.tap({ name: 'bugged', stage: Handle.Guard }, request => request.set(Seen, { at: 1 }))
      hooks.deliver.tap('bugged', (response, request) => {
        response.set('x-at', String(request.get(Seen)!.at))
      })
    }),
  },
  'requests that are kept for a page of statistics': {
    caught: 'forgets-requests',
    told: /48 of 48 requests are held/,
    plugin: onSite(({ hooks }) => hooks.done.tap('bugged', request => void history.push(request))),
    undo: () => void history.splice(0),
  },
  'a listener of the module that is never taken off': {
    caught: 'reload-growth',
    told: /generations that have ended are held in memory/,
    plugin: onSite(site => void bus.on('news', () => site.server.log.info('news'))),
    undo: () => void bus.removeAllListeners(),
  },
  'a log of the generation before': {
    caught: 'ended-generation',
    told: /calls log.info\(\) of a generation/,
    plugin: notifies(),
  },
  'options of the generation before': {
    caught: 'reload-options',
    told: /x-greeting: "good morning", then "hello"/,
    plugin: greets(),
    other: greets({ words: 'good morning' }),
  },
  'options that are sorted where they stand': {
    caught: 'options',
    told: /Cannot assign to read only property/,
    plugin: () => lists({ names: ['b', 'a'] }),
  },
  'a listener to the process': {
    caught: 'start-stop',
    told: /a listener to "SIGUSR2" of the process/,
    plugin: onServer(({ hooks }) => hooks.start.tap('bugged', () => void process.on('SIGUSR2', onExit))),
    undo: () => void process.off('SIGUSR2', onExit),
  },
  'a method for all arrays': {
    caught: 'globals',
    told: /Array.prototype has got "last"/,
    plugin: onServer(() => {
      Reflect.set(Array.prototype, 'last', tick)
    }),
    undo: () => void Reflect.deleteProperty(Array.prototype, 'last'),
  },
  'a variable of the environment': {
    caught: 'globals',
    told: /process.env has got "BUGGED"/,
    plugin: onServer(() => {
      Reflect.set(process.env, 'BUGGED', 'yes')
    }),
    undo: () => void Reflect.deleteProperty(process.env, 'BUGGED'),
  },
  'a line on the console': {
    caught: 'quiet',
    told: /wrote "\/contract-kit\/shared"/,
    plugin: onSite(({ hooks }) => hooks.done.tap('bugged', ({ path }) => console.log(path))),
  },
  'a promise that nobody waits for': {
    caught: 'start-stop',
    told: /nobody caught it: the statistics server is down/,
    plugin: onSite(({ hooks }) =>
      hooks.done.tap('bugged', () => {
        const send = async () => {
          throw new Error('the statistics server is down')
        }
        void send()
      }),
    ),
  },
  'a callback that is called twice': {
    caught: 'start-stop',
    told: /called its callback twice/,
    plugin: onSite(({ hooks }) =>
      hooks.handle.tapAsync({ name: 'bugged', stage: Handle.Guard }, (request, callback) => {
        if (request.method === 'POST') callback()
        callback()
      }),
    ),
  },
  'a string that is thrown': {
    caught: 'errors-stay',
    told: /a non-error was thrown: "no page for 409"/,
    plugin: onSite(({ hooks }) =>
      hooks.error.tap('bugged', ({ status }) => {
        if (status === 409) throw 'no page for 409'
      }),
    ),
  },
  'taps with labels that say nothing': {
    caught: 'labels',
    told: /the done tap is labelled "tap1"/,
    plugin: onSite(({ hooks }) => hooks.done.tap('tap1', tick)),
  },
  'an order that differs from start to start': {
    caught: 'same-taps',
    told: /its taps were .*; then they were /,
    plugin: onSite(({ hooks }) => {
      const taps = [() => hooks.done.tap('bugged:a', tick), () => hooks.done.tap('bugged:b', tick)]
      if (latest++ % 4 === 3) taps.reverse()
      for (const tap of taps) tap()
    }),
  },
  'a stop that cuts off what is under way': {
    caught: 'stop-under-way',
    told: /a stop has changed an answer that was under way/,
    plugin: onSite(({ hooks, server }) => {
      let isStopping = false
      server.hooks.drain.tap('bugged', () => {
        isStopping = true
      })
      hooks.transform.tap({ name: 'bugged', stage: Transform.Encode }, response => {
        const { body } = response
        if (body === null || typeof body === 'string' || body instanceof Uint8Array) return
        response.replace(
          (async function* () {
            for await (const piece of pieces(body)) {
              if (isStopping) return
              yield piece
            }
          })(),
        )
      })
    }),
  },
  // What follows is not found, and cannot be by trying.
  'a password that is compared letter by letter': {
    caught: null,
    plugin: onSite(({ hooks }) =>
      hooks.handle.tap({ name: 'bugged', stage: Handle.Guard }, request => {
        const given = request.headers.get('x-key') ?? ''
        request.set(Seen, { at: [...'secret'].findIndex((letter, at) => given[at] !== letter) })
      }),
    ),
  },
  'a fault that waits for the 29th of February': {
    caught: null,
    plugin: onSite(({ hooks }) =>
      hooks.done.tap('bugged', () => {
        const today = new Date()
        if (today.getMonth() === 1 && today.getDate() === 29) throw new Error('no such day')
      }),
    ),
  },
}

/** Closes what the bugs have left open. */
export const cleanUp = closeAll
