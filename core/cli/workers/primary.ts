import cluster from 'node:cluster'
import { passedSockets } from '../../passed-sockets.ts'
import type { ListeningAddress } from '../../server.ts'
import { writeError } from '../../stderr.ts'
import { ExplainedError } from '../failure.ts'
import { ReloadQueue } from '../reload-queue.ts'
import type { Outcome } from '../reloader.ts'
import type { Running } from '../running.ts'
import { Crew } from './crew.ts'
import { changeInPlace } from './in-place.ts'
import { workerEnv } from './number.ts'
import { canReusePort, Places } from './places.ts'
import type { NamedVersion, PeerMessage } from './protocol.ts'
import { changes, notReloaded, sayAll } from './say.ts'
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

/** The process that starts workers, and has them change together. It serves nothing itself. */
class Primary {
  readonly #options: PrimaryOptions
  readonly #places: Places
  readonly #values = new Values(version => this.#tellVersion(version))
  readonly #queue = new ReloadQueue(() => this.#reload())
  /** All that run: starting, serving and leaving. */
  readonly #all = new Set<WorkerProcess>()
  readonly #crew = new Crew({
    spawn: number => this.#spawn(number),
    onCame: worker => this.#came(worker),
    onHopeless: why => this.#giveUp(why),
  })
  readonly #hopeless = Promise.withResolvers<number>()
  #addresses: readonly ListeningAddress[] = []
  /** Whether a reload has not decided yet what all are to serve: who comes to serve meanwhile is taken in. */
  #isOpen = false
  /** When the last good reload began, by `performance.now()`: who was started before may have read older files. */
  #begun = 0
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
    this.#crew.replace(await this.#startAll())
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
    this.#crew.stop()
    this.#stopped ??= Promise.all([...this.#all].map(({ ended }) => ended)).then(() => undefined)
    for (const worker of this.#all) worker.stop(isForced ? 'forced' : 'usual')
    await this.#stopped
    // One that the stop has overtaken says so: without workers it ends by itself.
    await this.#queue.idle()
  }

  async #reload(): Promise<Outcome> {
    const end = await this.#change()
    const outcome = end.code !== 0 && this.#stopped !== null ? notReloaded('the server is stopping') : end
    writeError(outcome.text)
    if (outcome.code !== 0 && this.#stopped === null) this.#dismissOdd()
    return outcome
  }

  async #change(): Promise<Outcome> {
    if (this.#stopped !== null || this.#crew.serving.length === 0) return notReloaded('no worker serves')
    const begun = performance.now()
    const decided = () => {
      this.#isOpen = false
      this.#begun = begun
    }
    this.#isOpen = true
    const end = await (this.#options.isRolling ? this.#roll(decided) : this.#changeInPlace(decided))
    this.#isOpen = false
    await this.#places.keepOnly(this.#addresses)
    return end
  }

  async #changeInPlace(decided: () => void): Promise<Outcome> {
    const { code, text, addresses } = await changeInPlace(this.#crew, decided)
    if (code === 0) this.#crew.startWaiting()
    this.#addresses = addresses ?? this.#addresses
    return { code, text }
  }

  /** A reload by fresh workers, who listen on the same sockets before the old ones leave. */
  async #roll(decided: () => void): Promise<Outcome> {
    const before = this.#addresses
    try {
      const fresh = await this.#startAll()
      decided()
      for (const worker of this.#crew.replace(fresh)) worker.stop('replaced')
    } catch (error) {
      const { code, text } = (error as ExplainedError).failure
      const { text: first } = notReloaded('the config before goes on serving')
      return { code, text: first + text }
    }
    return { code: 0, text: sayAll(['reloaded by fresh workers', ...changes(before, this.#addresses)]) }
  }

  /** Starts as many workers as there shall be. The old ones, if there are any, stay. */
  async #startAll(): Promise<readonly WorkerProcess[]> {
    const fresh: WorkerProcess[] = []
    const add = async (number: number) => {
      const worker = this.#spawn(number)
      fresh.push(worker)
      return await worker.ready
    }
    try {
      const { addresses, fingerprint } = await add(1)
      const numbers = Array.from({ length: this.#options.count - 1 }, (_, at) => at + 2)
      const others = await Promise.all(numbers.map(add))
      if (others.some(other => other.fingerprint !== fingerprint)) this.#rejectMixed()
      this.#addresses = addresses
      return fresh
    } catch (error) {
      // Those who serve already have requests: they share the sockets of the old ones.
      for (const worker of fresh) worker.stop('replaced')
      throw error
    }
  }

  /** Where others serve there is something better than workers that do not serve the same. */
  #rejectMixed(): void {
    if (this.#crew.serving.length > 0)
      throw new ExplainedError({
        code: 1,
        text: sayAll(['files of the config changed while the workers loaded them']),
      })
    writeError(sayAll([changedMeanwhile]))
  }

  #spawn(number: number): WorkerProcess {
    const worker: WorkerProcess = new WorkerProcess(number, workerEnv(number, passedSockets()), {
      place: question => this.#places.find(question),
      leaving: (_, from) => {
        this.#crew.replaceLeaving(from)
        return null
      },
      propose: version => this.#values.propose(version),
      peers: (message, from) => this.#askOthers(message, from),
    })
    this.#all.add(worker)
    void worker.ended.then(() => this.#all.delete(worker))
    return worker
  }

  /** Who takes the place of another one loads what is on disk: that may not be what the others have. */
  #came(worker: WorkerProcess): void {
    if (this.#isOpen || (this.#hasWhatAllHave(worker) && worker.began >= this.#begun)) return
    writeError(sayAll([`${worker.name} has not loaded what the others have: reloading`]))
    void this.reload()
  }

  /** The others cannot have what one of them has loaded meanwhile: it leaves, so that all serve one config. */
  #dismissOdd(): void {
    for (const worker of this.#crew.serving) {
      if (this.#hasWhatAllHave(worker)) continue
      this.#crew.dismiss(worker)
      const why = 'leaves, since the others cannot have what it has loaded'
      writeError(sayAll([`${worker.name} ${why}; another one starts with the next reload`]))
    }
  }

  /** Whoever serves for the longest time has what counts. */
  #hasWhatAllHave({ fingerprint }: WorkerProcess): boolean {
    return fingerprint === this.#crew.serving[0]!.fingerprint
  }

  #giveUp(why: string): void {
    writeError(sayAll([`${why}: giving up`]))
    void this.stop(true).then(() => this.#hopeless.resolve(1))
  }

  async #askOthers(message: PeerMessage, from: WorkerProcess): Promise<readonly Uint8Array[]> {
    const others = this.#crew.serving.filter(each => each !== from)
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

const changedMeanwhile =
  'warning: files of the config changed while the workers loaded them, so that not all serve the same: reload'
