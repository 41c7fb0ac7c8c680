import type { InjectOptions } from '../../inject.ts'
import { definePlugin } from '../../plugin.ts'
import { bytesOf } from '../../response-body.ts'
import { KIT, PIECE, PIECES } from '../answers.ts'
import { differences, messageOf, titleOf } from '../asking.ts'
import type { Case } from '../case.ts'
import { collect } from '../garbage.ts'
import type { RawClient } from '../raw-client.ts'
import type { TestServer } from '../test-server.ts'
import type { Trial } from '../trial.ts'
import { comesTrue, turns } from '../turns.ts'
import { virtualClock } from '../virtual-clock.ts'

/** After how many turns of the event loop clients leave: each of the first, where plugins await, then fewer. */
const departures = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30, 40, 60, 90, 140]

/** What takes its time. */
const slow: readonly InjectOptions[] = [
  { url: `${KIT}/wait` },
  { url: `${KIT}/stream` },
  { url: `${KIT}/large` },
  { url: `${KIT}/echo`, method: 'POST', body: 'x'.repeat(1_000) },
]

/** Sends a request and leaves after so many turns. Gives whether its answer was out before. */
async function leave(
  trial: Trial,
  served: TestServer,
  request: InjectOptions,
  after: number,
): Promise<boolean> {
  await using client = await trial.connect(served)
  const message = messageOf(request, trial.settings)
  const before = served.ended.length
  // Of a body half is still to come when the client leaves.
  const half = bytesOf(request.body ?? '').length >> 1
  client.send(message.subarray(0, message.length - half))
  await turns(after)
  client.reset()
  const isOver = await comesTrue(() => served.server.stats.requests === 0, trial.settings.patience)
  const isAnswered = served.ended.length > before && served.ended.at(-1)!.outcome.result === 'sent'
  return isOver && !isAnswered
}

async function nothingLeft(trial: Trial, { server, ended }: TestServer, when: string): Promise<void> {
  const { counts } = trial.kit
  const isOver = () => server.stats.requests === 0 && counts.begun === counts.ended
  if (!(await comesTrue(isOver, trial.settings.patience))) {
    trial.fault(
      counts.begun === counts.ended
        ? `${when}: ${server.stats.requests} requests go on for ever; does it wait for what never comes, past request.signal?`
        : `${when}: the source of an answer was never told to end`,
    )
  }
  if (new Set(ended.map(({ request }) => request)).size !== ended.length)
    trial.fault(`${when}: done has run twice for one request`)
}

/** Sends a body that never ends, and gives how much of it the server has taken. */
async function pour(client: RawClient, request: InjectOptions, trial: Trial): Promise<void> {
  const { body: _, ...rest } = request
  const given = rest.headers ?? {}
  const headers = [
    ...(Symbol.iterator in given ? given : Object.entries(given)),
    ['transfer-encoding', 'chunked'],
  ]
  const head = messageOf({ ...rest, headers: headers as [string, string][] }, trial.settings)
  const piece = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`)
  client.send(head)
  for (let sent = 0; sent < POURED && !client.socket.destroyed; sent += 65_536) {
    if (client.socket.writableLength > 0 && !(await comesTrue(() => isFree(client), 100))) return
    client.send(piece)
    await turns(3)
  }
}

const isFree = ({ socket }: RawClient): boolean => socket.destroyed || socket.writableLength === 0

const POURED = 8 * 1_048_576
const BODY_LIMIT = 65_536
/** Bytes beyond the limit that buffers, and what is dropped behind a refusal, may take. */
const SLACK = 1_048_576

/** How a plugin treats clients that leave, dawdle or send too much. */
export const clients: readonly Case[] = [
  {
    id: 'abort',
    name: 'a client may leave at any moment, and nothing is left of its request',
    async run(trial) {
      const served = await trial.serve()
      const usual = await trial.transcript(served)
      for (const request of [...slow, ...trial.settings.requests]) {
        for (const after of departures) if (!(await leave(trial, served, request, after))) break
        await nothingLeft(trial, served, `clients of ${titleOf(request)} have left`)
      }
      const after = await trial.transcript(served)
      for (const [at, { status }] of after.entries())
        if (status !== usual[at]!.status)
          trial.fault(`when clients have left, status ${status} comes for ${usual[at]!.status}`)
      await trial.stop(served)
      await trial.nothingOpen('clients have left in the middle of their requests, and the server has stopped')
    },
  },
  {
    id: 'slow-reader',
    name: 'a client that does not read holds up the source of its answer',
    async run(trial) {
      const { counts } = trial.kit
      const request = { url: `${KIT}/large` }
      const usual = await trial.ask(await trial.serve(), request)
      const served = await trial.serve()
      counts.pulled = 0
      await using client = await trial.connect(served)
      client.socket.pause()
      client.send(messageOf(request, trial.settings))
      let before = -1
      while (before !== counts.pulled) {
        before = counts.pulled
        await turns(100)
      }
      if (counts.pulled > PIECES / 2)
        trial.fault(
          `a client that reads nothing has had ${counts.pulled * PIECE} bytes made for it: wait until the last ones are taken`,
        )
      client.socket.resume()
      const answer = await trial.answer(client.response(), request)
      for (const difference of differences(usual, answer, trial.settings))
        trial.fault(`a client that reads slowly gets another answer than a fast one: ${difference}`)
    },
  },
  {
    id: 'body-limit',
    name: 'of a body that never ends it takes no more than limits.bodyBytes',
    async run(trial) {
      const served = await trial.serve({ limits: { bodyBytes: BODY_LIMIT } })
      const own = trial.settings.requests.filter(({ body }) => body !== undefined)
      for (const request of [{ url: `${KIT}/upload`, method: 'POST' }, ...own]) {
        const before = served.server.stats.received
        await using client = await trial.connect(served)
        await pour(client, request, trial)
        const taken = served.server.stats.received - before
        if (taken > BODY_LIMIT + SLACK)
          trial.fault(`it lets ${titleOf(request)} send ${taken} bytes where ${BODY_LIMIT} are allowed`)
        client.reset()
        await nothingLeft(trial, served, `a body of ${titleOf(request)} was too long`)
      }
      // A reader that waits is given the piece that is too much.
      if (trial.kit.counts.received > BODY_LIMIT + SLACK)
        trial.fault(`a handler behind it was given ${trial.kit.counts.received} bytes of a body`)
    },
  },
  {
    id: 'forgets-requests',
    name: 'it forgets a request when it is done',
    async run(trial) {
      const refs: WeakRef<object>[] = []
      const note = definePlugin({
        name: 'contract-note',
        site: ({ hooks }) => hooks.done.tap('contract-note', request => void refs.push(new WeakRef(request))),
      })
      const served = await trial.serve({ before: [note()] })
      for (let round = 0; round < 8; round++) await trial.transcript(served)
      served.ended.length = 0
      const alive = () => refs.filter(ref => ref.deref() !== undefined).length
      for (let look = 0; look < 20 && alive() > 0; look++) {
        await turns(20)
        collect()
      }
      // The last one of each kind may well be kept for what it has made.
      const allowed = trial.requests.length
      if (alive() > allowed)
        trial.fault(`${alive()} of ${refs.length} requests are held in memory though they are done`)
    },
  },
  {
    id: 'time-jump',
    name: 'a day that passes at once breaks nothing, and its timers do not pile up',
    async run(trial) {
      using clock = virtualClock()
      const served = await trial.serve()
      await trial.transcript(served)
      const usual = await trial.transcript(served)
      const waiting = clock.pending
      for (let day = 0; day < 5; day++) await clock.jump(86_400_000)
      await turns(20)
      if (clock.pending > waiting + 2)
        trial.fault(`${clock.pending} timers wait where ${waiting} did five days ago`)
      const after = await trial.transcript(served)
      for (const [at, { status }] of after.entries())
        if (status !== usual[at]!.status)
          trial.fault(`five days later status ${status} comes for ${usual[at]!.status}`)
      await trial.stop(served)
    },
  },
]
