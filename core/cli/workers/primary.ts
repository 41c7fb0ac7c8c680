import cluster from 'node:cluster'
import { passedSockets } from '../../passed-sockets.ts'
import type { ListeningAddress } from '../../server.ts'
import { writeError } from '../../stderr.ts'
import { configError, type ExplainedError } from '../failure.ts'
import { ReloadQueue } from '../reload-queue.ts'
import type { Outcome } from '../reloader.ts'
import type { Running } from '../running.ts'
import { workerEnv } from './number.ts'
import { canReusePort, Places } from './places.ts'
import type { Loaded, NamedVersion, PeerMessage } from './protocol.ts'
import { Restarts } from './restarts.ts'
import { Values } from './values.ts'
import { WorkerProcess } from './worker-process.ts'

/** Milliseconds that workers wait for the answer of another one. */
const PEER_LIMIT = 2_000

interface PrimaryOptions {
  readonly count: number
  /** Whether a reload puts fresh workers in the place of the old ones. */
  readonly isRolling: boolean
}

/**
 * Starts the workers of `rawhttp start --workers`, the first one alone: what is wrong with the config it says once.
 *
 * @throws ExplainedError when one does not come to serve.
 */
export async function startWorkers(options: PrimaryOptions): Promise<Running> {
  // The system spreads the connections of a socket that all workers have; passing each on would cost.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  const descriptors = passedSockets().map(({ fd }) => fd)
  cluster.setupPrimary({
    serialization: 'advanced',
    // The place in the list is the descriptor that a worker has, the number the one that is its own here.
    stdio: ['inherit', 'inherit', 'inherit', ...descriptors, 'ipc'],
  })
  const primary = new Primary(options)
  await primary.start()
  if (process.platform !== 'win32') process.on('SIGUSR2', () => primary.reopen())
  return {
    get addresses() {
      return primary.addresses
    },
    ended: primary.ended,
    stop: ({ deadline } = {}) => primary.stop(deadline === 0),
    reload() {
      primary.reopen()
      return primary.reload()
    },
    watch: () => Promise.reject(new Error('workers do not watch')),
  }
}

/** The process that starts workers, starts them again, and has them change together. It serves nothing itself. */
class Primary {
  readonly #options: PrimaryOptions
  readonly #places: Places
  readonly #values = new Values(version => this.#tellVersion(version))
  readonly #queue = new ReloadQueue(() => this.#reload())
  /** All that run: starting, serving and leaving. */
  readonly #all = new Set<WorkerProcess>()
  /** By number of worker. */
  readonly #restarts = new Map<number, Restarts>()
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Numbers of workers that could not load what is on disk, while others go on serving what was there before. */
  readonly #waiting = new Set<number>()
  readonly #hopeless = Promise.withResolvers<number>()
  #serving: readonly WorkerProcess[] = []
  #addresses: readonly ListeningAddress[] = []
  /** Of the config that they serve. */
  #fingerprint = ''
  /** The last change of who serves or what: a worker that starts and a reload must not miss each other. */
  #turn: Promise<unknown> = Promise.resolve()
  #stopped: Promise<void> | null = null

  constructor(options: PrimaryOptions) {
    this.#options = options
    // Who closes a socket of its own resets whoever waits in its queue: workers that come and go have none.
    this.#places = new Places(async () => !options.isRolling && (await canReusePort()))
    process.once('exit', () => this.#killAll())
  }

  /** Resolves with the exit code when there is no hope any more. */
  get ended(): Promise<number> {
    return this.#hopeless.promise
  }

  /** Where it listens, as the first worker says. */
  get addresses(): readonly ListeningAddress[] {
    return this.#addresses
  }

  /** @throws ExplainedError when a worker does not come to serve; then none is left. */
  async start(): Promise<void> {
    await this.#replace()
  }

  /** Has all change, or none, and says on stderr what came of it. It never rejects. */
  reload(): Promise<Outcome> {
    return this.#queue.reload()
  }

  reopen(): void {
    for (const worker of this.#all) worker.reopen()
  }

  /** Ends all workers. A second call may force. */
  async stop(isForced: boolean): Promise<void> {
    this.#stopped ??= this.#end()
    for (const worker of this.#all) worker.stop(isForced ? 'forced' : 'usual')
    await this.#stopped
  }

  async #end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all([...this.#all].map(({ ended }) => ended))
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#turn.then(change)
    this.#turn = changed.catch(() => undefined)
    return changed
  }

  async #reload(): Promise<Outcome> {
    const outcome = await this.#inTurn(async () => {
      if (this.#stopped !== null) return notReloaded('the server is stopping')
      if (this.#serving.length === 0) return notReloaded('no worker serves')
      const end = await (this.#options.isRolling ? this.#roll() : this.#change())
      await this.#places.keepOnly(this.#addresses)
      return end
    })
    writeError(outcome.text)
    return outcome
  }

  /** A reload in two steps: first all prepare, then all go over. */
  async #change(isLastTry = false): Promise<Outcome> {
    const workers = this.#serving
    const answers = await Promise.all(workers.map(worker => worker.prepare()))
    const failure = answers.find(answer => 'code' in answer)
    const loaded = answers as readonly Loaded[]
    // Each reads the files for itself, and somebody may write them at that moment.
    const mustRepeat = !isLastTry && loaded.some(({ fingerprint }) => fingerprint !== loaded[0]!.fingerprint)
    if (failure !== undefined || mustRepeat) {
      await Promise.all(workers.map(worker => worker.abandon()))
      return failure ?? (await this.#change(true))
    }
    const ends = await Promise.all(workers.map(worker => worker.commit()))
    // It is too late to go back. A fresh worker has the new config; one that was told to end meanwhile has requests.
    for (const [at, { code }] of ends.entries()) if (code !== 0) workers[at]!.stop('usual')
    const good = ends.find(({ code }) => code === 0) ?? ends[0]!
    if (good.code !== 0) return good
    this.#addresses = good.addresses ?? this.#addresses
    this.#fingerprint = loaded[0]!.fingerprint
    this.#startWaiting()
    return { code: 0, text: good.text }
  }

  /** A reload by fresh workers, who listen on the same sockets before the old ones leave. */
  async #roll(): Promise<Outcome> {
    const old = this.#serving
    const before = this.#addresses
    try {
      await this.#replace()
    } catch (error) {
      const { code, text } = (error as ExplainedError).failure
      const { text: first } = notReloaded('the config before goes on serving')
      return { code, text: first + text }
    }
    for (const worker of old) worker.stop('replaced')
    return { code: 0, text: sayAll(['reloaded by fresh workers', ...changes(before, this.#addresses)]) }
  }

  /** Starts as many workers as there shall be. The old ones, if there are any, stay; only nobody counts on them. */
  async #replace(): Promise<void> {
    const fresh: WorkerProcess[] = []
    const add = async (number: number) => {
      const worker = this.#spawn(number)
      fresh.push(worker)
      return await worker.ready
    }
    try {
      const { addresses, fingerprint } = await add(1)
      const others = await Promise.all(
        Array.from({ length: this.#options.count - 1 }, (_, at) => add(at + 2)),
      )
      if (others.some(other => other.fingerprint !== fingerprint)) writeError(sayAll([changedMeanwhile]))
      this.#addresses = addresses
      this.#fingerprint = fingerprint
      this.#waiting.clear()
    } catch (error) {
      // Those who serve already have requests: they share the sockets of the old ones.
      for (const worker of fresh) worker.stop('replaced')
      throw error
    }
    this.#serving = fresh
    for (const worker of fresh) this.#watch(worker)
  }

  #spawn(number: number): WorkerProcess {
    const worker: WorkerProcess = new WorkerProcess(number, workerEnv(number, passedSockets()), {
      place: question => this.#places.find(question),
      propose: version => this.#values.propose(version),
      peers: (message, from) => this.#askOthers(message, from),
    })
    this.#all.add(worker)
    void worker.ended.then(() => this.#all.delete(worker))
    return worker
  }

  /** Another one takes the place of a worker that ends though it should serve. */
  #watch(worker: WorkerProcess): void {
    void worker.ended.then(how => {
      if (!this.#serving.includes(worker)) return
      this.#serving = this.#serving.filter(each => each !== worker)
      if (this.#stopped === null) this.#restart(worker, how)
    })
  }

  #restart({ name, number, age }: WorkerProcess, how: string): void {
    const restarts = this.#restarts.get(number) ?? new Restarts()
    this.#restarts.set(number, restarts)
    const pause = restarts.ended(age)
    if (restarts.isHopeless && this.#serving.length === 0)
      return this.#giveUp(`${name} ${how}, for the ${restarts.count}th time in a row, and no other serves`)
    writeError(sayAll([`${name} ${how}; another one starts in ${pause / 1_000} s`]))
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void this.#inTurn(() => this.#startAgain(number))
    }, pause)
    this.#timers.add(timer)
  }

  async #startAgain(number: number): Promise<void> {
    // A reload by fresh workers may have filled the place, or a signal come.
    if (this.#stopped !== null || this.#serving.some(each => each.number === number)) return
    const worker = this.#spawn(number)
    try {
      const { fingerprint } = await worker.ready
      this.#serving = [...this.#serving, worker]
      this.#watch(worker)
      this.#cameToServe(worker, fingerprint)
    } catch (error) {
      if (this.#stopped === null) this.#failedToServe(worker, (error as ExplainedError).failure)
    }
  }

  /** What is on disk may not be what the others have loaded. */
  #cameToServe(worker: WorkerProcess, fingerprint: string): void {
    this.#startWaiting()
    if (fingerprint === this.#fingerprint) return
    if (this.#serving.length === 1) this.#fingerprint = fingerprint
    else {
      writeError(
        sayAll([`${worker.name} has read a config that is newer than that of the others: reloading`]),
      )
      void this.reload()
    }
  }

  /** A mistake on disk goes away by no number of restarts; a fault of the moment does. */
  #failedToServe(worker: WorkerProcess, { text, code }: Outcome): void {
    writeError(text)
    worker.kill()
    if (code !== configError || this.#serving.length === 0)
      return this.#restart(worker, 'did not come to serve')
    this.#waiting.add(worker.number)
    writeError(sayAll([`${worker.name} did not come to serve; another one starts with the next reload`]))
  }

  #startWaiting(): void {
    for (const number of this.#waiting) void this.#inTurn(() => this.#startAgain(number))
    this.#waiting.clear()
  }

  #giveUp(why: string): void {
    writeError(sayAll([`${why}: giving up`]))
    void this.stop(true).then(() => this.#hopeless.resolve(1))
  }

  async #askOthers(message: PeerMessage, from: WorkerProcess): Promise<readonly Uint8Array[]> {
    const others = this.#serving.filter(each => each !== from)
    const answers = await Promise.all(others.map(worker => worker.peer(message, PEER_LIMIT)))
    return answers.filter(answer => answer !== null)
  }

  #tellVersion(version: NamedVersion): void {
    for (const worker of this.#all) worker.version(version)
  }

  #killAll(): void {
    for (const worker of this.#all) worker.kill()
  }
}

function changes(before: readonly ListeningAddress[], after: readonly ListeningAddress[]): string[] {
  const without = (some: readonly ListeningAddress[], others: readonly ListeningAddress[]) =>
    some.map(({ url }) => url).filter(url => !others.some(other => other.url === url))
  return [
    ...without(after, before).map(url => `listening on ${url}`),
    ...without(before, after).map(url => `no longer listening on ${url}`),
  ]
}

const changedMeanwhile =
  'warning: files of the config changed while the workers loaded them, so that not all serve the same: reload'

const notReloaded = (why: string): Outcome => ({ code: 1, text: sayAll([`not reloaded: ${why}`]) })

const sayAll = (lines: readonly string[]): string => lines.map(line => `rawhttp: ${line}\n`).join('')
