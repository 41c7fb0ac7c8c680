import type { Config } from '../config/types.ts'
import { asError } from '../errors.ts'
import type { InjectOptions } from '../inject.ts'
import type { PluginEntry, Plugins } from '../plugin.ts'
import { KitAnswers, kitRequests } from './answers.ts'
import { ask, differences, titleOf } from './asking.ts'
import type { Settings } from './options.ts'
import type { ProcessWatch } from './process-watch.ts'
import type { RawClient, RawResponse } from './raw-client.ts'
import type { Resources } from './resources.ts'
import { entryOf, type Subject } from './subject.ts'
import { type TestServer, testServer } from './test-server.ts'
import { comesTrue, turns, within } from './turns.ts'

/** What stands around the tried plugin in a server, where it is not as usual. */
export interface Parts {
  /** Before it in the list of plugins. */
  readonly before?: Plugins | undefined
  /** Behind it. */
  readonly behind?: Plugins | undefined
  /** In its place. */
  readonly subject?: Subject | undefined
  /** Makes something else of the plugin. */
  readonly change?: ((entry: PluginEntry) => PluginEntry) | undefined
  readonly limits?: Config['limits']
}

/** Turns in which what a request has left behind comes to its end. */
const AFTERMATH = 20

/** One case being tried: makes servers with the plugin in them, asks them, and collects what is wrong. */
export class Trial {
  readonly settings: Settings
  readonly watch: ProcessWatch
  readonly resources: Resources
  /** What has changed in the process while other cases were tried, in words. */
  readonly earlierChanges: readonly string[]
  readonly kit = new KitAnswers()
  readonly faults: string[] = []
  readonly #subject: Subject
  readonly #servers: TestServer[] = []

  constructor(
    subject: Subject,
    settings: Settings,
    { watch, resources, earlierChanges }: Pick<Trial, 'watch' | 'resources' | 'earlierChanges'>,
  ) {
    this.earlierChanges = earlierChanges
    this.#subject = subject
    this.settings = settings
    this.watch = watch
    this.resources = resources
  }

  /** The requests of the kit and those of the plugin's author. */
  get requests(): readonly InjectOptions[] {
    return [...kitRequests, ...this.settings.requests]
  }

  fault(sentence: string): void {
    this.faults.push(sentence)
  }

  /** Runs a case and ends what it has made. */
  async run(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      this.fault(asError(thrown).message)
    }
    for (const served of this.#servers) await this.stop(served)
    for (const { reports } of this.#servers) await this.#judge(reports)
    if (!this.kit.isUntouched)
      this.fault('it has changed the bytes of an answer that somebody else has given')
  }

  async entry(): Promise<PluginEntry> {
    return entryOf(this.#subject)
  }

  async config({ before = [], behind = [], subject, change, limits }: Parts = {}): Promise<Config> {
    const entry = await entryOf(subject ?? this.#subject)
    const { config, beside, place } = this.settings
    const rest = { ...config, ...(limits === undefined ? {} : { limits: { ...config.limits, ...limits } }) }
    const tried = [change?.(entry) ?? entry, ...behind, ...beside, this.kit.plugin]
    if (place === 'root') return { ...rest, plugins: [...before, ...tried] }
    return { ...rest, plugins: before, sites: [{ name: 'default', plugins: tried }] }
  }

  /** A server that is set up, and not started before it is asked. */
  async serve(parts?: Parts): Promise<TestServer> {
    const served = await testServer(await this.config(parts), { dir: this.settings.dir })
    this.#servers.push(served)
    return served
  }

  /** Stops a server; what does not come to its end is a fault. */
  async stop({ server }: TestServer): Promise<void> {
    const { patience } = this.settings
    try {
      await within(server.stop({ deadline: 0 }), patience + 5_000, 'the server does not come to its end')
    } catch (thrown) {
      this.fault(asError(thrown).message)
    }
    await turns(AFTERMATH)
  }

  async connect(served: TestServer): Promise<RawClient> {
    return await served.connect(this.settings.connection)
  }

  /** Asks over a connection of its own. */
  async ask(served: TestServer, request: InjectOptions): Promise<RawResponse> {
    await using client = await this.connect(served)
    return await this.answer(ask(client, request, this.settings), request)
  }

  /** Waits for an answer, but not for ever. */
  async answer<T>(answer: Promise<T>, request: InjectOptions): Promise<T> {
    return await within(answer, this.settings.patience, `${titleOf(request)} is not answered`)
  }

  /** The answers to all requests, one after the other. */
  async transcript(served: TestServer): Promise<RawResponse[]> {
    const answers: RawResponse[] = []
    for (const request of this.requests) answers.push(await this.ask(served, request))
    await turns(AFTERMATH)
    return answers
  }

  /** Two transcripts have to be the same. */
  compare(first: readonly RawResponse[], second: readonly RawResponse[], when: string): void {
    for (const [at, request] of this.requests.entries()) {
      for (const difference of differences(first[at]!, second[at]!, this.settings))
        this.fault(`${when}, ${titleOf(request)} is answered differently: ${difference}`)
    }
  }

  /** Nothing may be open that the plugin or its server has opened, once what is closing is closed. */
  async nothingOpen(when: string): Promise<void> {
    if (await comesTrue(() => this.resources.open().length === 0, this.settings.patience)) return
    for (const each of this.resources.open()) this.fault(`${when}: ${each}`)
  }

  async #judge(reports: TestServer['reports']): Promise<void> {
    const { definition } = await this.entry()
    const own = reports.filter(({ plugin }) => plugin === definition.name)
    for (const { message, severity } of own) if (severity === 'error') this.fault(message)
  }
}
