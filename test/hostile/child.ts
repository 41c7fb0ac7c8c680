import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

// What each function of a child takes and gives must survive JSON.
// biome-ignore lint/suspicious/noExplicitAny: the two ends of a call are typed by the caller of `startChild`.
type Calls = Readonly<Record<string, (...args: any[]) => unknown>>

interface Question {
  readonly id: number
  readonly name: string
  readonly args: readonly unknown[]
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** A process that a scenario has started, and whose functions it can call. */
export interface Child<Of> extends AsyncDisposable {
  readonly pid: number
  readonly call: Remote<Of>
}

type Remote<Of> = {
  readonly [Name in keyof Of]: Of[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Starts a TypeScript file as a process of its own. It ends with `await using`; when this process ends, however
 * that comes, the channel breaks and the child goes with it.
 */
export async function startChild<Of>(file: URL, settings: unknown = null): Promise<Child<Of>> {
  const execArgv = ['--conditions=rawhttp-source', '--expose-gc']
  const child = fork(file, [JSON.stringify(settings)], {
    execArgv,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  running.add(child)
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  child.on('message', message => settle(message as Answer, waiting))
  child.on('exit', (code, signal) => lost(waiting, new Error(`${file} ended (${signal ?? code})`)))
  const call = remote(child, waiting) as Remote<Of>
  const started = { pid: child.pid!, call, [Symbol.asyncDispose]: () => stop(child) }
  // It has been loaded, and is ready, when it answers.
  await (call as Remote<Ready>).ready().catch(async error => {
    await stop(child)
    throw error
  })
  return started
}

interface Ready {
  ready(): void
}

/** The other end: offers functions to the process that has started this one, and ends with it. */
export function offer(calls: Calls): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async message => {
    const { id, name, args } = message as Question
    const answer = await answerOf(() => (name === 'ready' ? null : calls[name]!(...args)))
    process.send?.({ id, ...answer })
  })
}

/** What the process that started this one has given it. */
export const settingsOf = <Settings>(): Settings => JSON.parse(process.argv[2] ?? 'null') as Settings

async function answerOf(work: () => unknown): Promise<Omit<Answer, 'id'>> {
  try {
    return { value: (await work()) ?? null }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

function remote(child: ChildProcess, waiting: Map<number, PromiseWithResolvers<unknown>>): unknown {
  let last = 0
  const ask = (name: string, args: readonly unknown[]): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>()
    const question: Question = { id: ++last, name, args }
    waiting.set(question.id, answer)
    child.send(question, error => {
      if (error !== null) settle({ id: question.id, error: error.message }, waiting)
    })
    return answer.promise
  }
  return new Proxy(
    {},
    {
      get: (_, name) =>
        typeof name === 'string' && name !== 'then' ? (...args: unknown[]) => ask(name, args) : undefined,
    },
  )
}

function settle({ id, value, error }: Answer, waiting: Map<number, PromiseWithResolvers<unknown>>): void {
  const answer = waiting.get(id)
  waiting.delete(id)
  if (error === undefined) answer?.resolve(value)
  else answer?.reject(new Error(error))
}

function lost(waiting: Map<number, PromiseWithResolvers<unknown>>, reason: Error): void {
  for (const answer of waiting.values()) answer.reject(reason)
  waiting.clear()
}

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
