import { setTimeout as after } from 'node:timers/promises'
import { type Child, offer, settingsOf, startChild } from '../hostile/child.ts'
import { bytesOf, type Manner, type Question, SoakConnection, type Target } from './connection.ts'
import { events, questions, unchanged, upload } from './questions.ts'
import { type Seen, Tally } from './tally.ts'

interface ClientsSettings extends Target {
  /** The file for names of answered requests. */
  readonly answers: string
}

/** What the soak can ask the process of its clients. */
export type ClientsCalls = ReturnType<typeof clients>

/** All clients, in a process of their own. */
export const startClients = (settings: ClientsSettings): Promise<Child<ClientsCalls>> =>
  startChild<ClientsCalls>(new URL(import.meta.url), settings)

const random = (below: number): number => Math.floor(Math.random() * below)
const oneOf = <T>(all: readonly T[]): T => all[random(all.length)]!

const all = Object.values(questions)
const { big, ...rest } = questions
const light = Object.values(rest)

/** How many clients of a kind there are, and what one does again and again. */
interface Kind {
  readonly count: number
  turn(world: World): Promise<void>
}

interface World {
  readonly kind: string
  readonly tally: Tally
  readonly target: Target
  readonly isResting: () => boolean
}

async function connected(
  { kind, tally, target }: World,
  isSecure: boolean,
  use: (connection: SoakConnection) => Promise<void>,
): Promise<void> {
  const connection = await SoakConnection.open(kind, tally, target, isSecure)
  if (connection === null) return
  await using _ = connection
  await use(connection)
}

/** One connection, as long as the server keeps it. */
const kept = (isSecure: boolean, next: () => Question, manner: Manner = {}): Kind['turn'] => {
  return world =>
    connected(world, isSecure, async connection => {
      while (!connection.isOver && !world.isResting()) {
        await connection.ask(next(), manner)
        await after(random(30))
      }
    })
}

/** A connection for each request. */
const newcomer = (isSecure: boolean, next: () => Question, manner: Manner = {}): Kind['turn'] => {
  return world =>
    connected(world, isSecure, async connection => {
      const question = next()
      await connection.ask({ ...question, fields: [...(question.fields ?? []), 'Connection: close'] }, manner)
    })
}

const eight = (): readonly Question[] => Array.from({ length: 8 }, () => oneOf(light)())

/** Eight at once, again and again; what the end of a connection leaves goes over the next one. */
const pipelining: Kind['turn'] = async world => {
  for (let next = eight(); next.length > 0; await after(random(60)))
    await connected(world, false, async connection => {
      while (!connection.isOver && next.length > 0) {
        next = await connection.askAll(next)
        await after(random(60))
        if (next.length === 0 && !world.isResting()) next = eight()
      }
    })
}

const conditional: Kind['turn'] = world =>
  connected(world, false, async connection => {
    let etag: string | undefined
    const page = questions.page()
    await connection.ask({
      ...page,
      check(answer) {
        etag = answer.field('etag')
        return page.check(answer)
      },
    })
    for (let i = 0; i < 20 && etag !== undefined && !connection.isOver; i++)
      await connection.ask(unchanged(etag))
  })

/** Leaves somewhere on the way, with a reset where that is possible. */
const leaving: Kind['turn'] = world =>
  connected(world, random(3) === 0, async ({ client, isSecure }) => {
    const { tally } = world
    const bytes = bytesOf(oneOf([upload, questions.big, questions.stream, () => events])(), tally.begin().id)
    tally.leave()
    client.send(bytes.subarray(0, oneOf([0, 30, random(bytes.length), bytes.length])))
    await after(random(20))
    if (isSecure) client.socket.destroy()
    else client.reset()
  })

const kinds: Readonly<Record<string, Kind>> = {
  'keep-alive': { count: 4, turn: kept(false, () => oneOf(all)()) },
  'keep-alive by TLS': { count: 2, turn: kept(true, () => oneOf(all)()) },
  'a connection each': { count: 2, turn: newcomer(false, () => oneOf(light)()) },
  'a connection each by TLS': { count: 1, turn: newcomer(true, () => oneOf(light)()) },
  pipelined: { count: 2, turn: pipelining },
  'slow heads': { count: 3, turn: newcomer(false, () => oneOf(light)(), { pieces: 12, pause: 60 }) },
  'slow readers': { count: 3, turn: newcomer(false, questions.big, { rest: 15 }) },
  'a slow reader by TLS': { count: 1, turn: newcomer(true, questions.big, { rest: 15 }) },
  uploads: { count: 2, turn: kept(false, upload) },
  'slow uploads': { count: 2, turn: newcomer(false, upload, { pieces: 10, pause: 50 }) },
  'event streams': { count: 3, turn: kept(false, () => events) },
  'an event stream by TLS': { count: 1, turn: newcomer(true, () => events) },
  conditional: { count: 1, turn: conditional },
  'who leaves': { count: 2, turn: leaving },
}

function clients({ answers, ...target }: ClientsSettings) {
  const tally = new Tally(answers)
  let isResting = true
  let running: Promise<unknown> = Promise.resolve()
  const run = async (kind: string, { turn }: Kind) => {
    const world: World = { kind, tally, target, isResting: () => isResting }
    while (!isResting) {
      await turn(world)
      await after(random(40))
    }
  }
  return {
    start(): void {
      isResting = false
      const each = Object.entries(kinds).flatMap(([name, kind]) =>
        Array.from({ length: kind.count }, () => run(name, kind)),
      )
      running = Promise.all(each)
    },
    /** All finish what they are at, and leave. */
    async rest(): Promise<Seen> {
      isResting = true
      await running
      tally.flush()
      return tally.seen()
    },
    floor(number: number): void {
      tally.floor = number
    },
  }
}

if (process.argv[1] === import.meta.filename) offer(clients(settingsOf<ClientsSettings>()))
