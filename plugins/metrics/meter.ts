import { type PluginServer, type PluginSite, Slots } from 'rawhttp'
import { type Format, MetricsClient } from './client.ts'
import type { Family } from './family.ts'
import type { MetricsSettings } from './schema.ts'
import { cacheFamilies, checkMetrics, offeredFamily, serverFamilies } from './sources.ts'
import { Traffic } from './traffic.ts'

/** Everything that one generation has to show. */
export class Meter {
  /** What went over the sites: it outlives reloads. Callable from `start` on. */
  readonly traffic: () => Traffic
  readonly #sites: PluginSite[] = []
  readonly #server: PluginServer
  readonly #settings: MetricsSettings
  readonly #client: MetricsClient
  /** Metrics whose failure was reported. */
  readonly #failed = new Set<string>()

  private constructor(server: PluginServer, settings: MetricsSettings, client: MetricsClient) {
    this.#server = server
    this.#settings = settings
    this.#client = client
    server.peers.hear('families', () => this.families())
    const { buckets } = settings
    // Other buckets are other series: those of before do not fit them.
    this.traffic = server.keep(`traffic ${buckets.join(' ')}`, { create: () => new Traffic(buckets) })
  }

  /** @throws Error when `@prometheus-io/client` is not installed. */
  static async open(server: PluginServer, settings: MetricsSettings): Promise<Meter> {
    return new Meter(server, settings, await MetricsClient.load())
  }

  /** Adds a site whose cache is to be shown. */
  add(site: PluginSite): void {
    this.#sites.push(site)
  }

  /**
   * Begins to watch the process, and looks at what other plugins offer.
   *
   * @throws Error for a metric that Prometheus would not take.
   */
  async start(): Promise<void> {
    if (this.#settings.process) this.#client.watchProcess()
    const own = new Set((await this.#ownFamilies()).map(({ name }) => name))
    checkMetrics(this.#server.get(Slots.metrics), own)
  }

  /** All figures of this process, as plain data: who merges several processes asks each for this. */
  async families(): Promise<readonly Family[]> {
    // At once: who asks from another worker does not keep this generation, whose plugins may stop in the next turn.
    const offered = this.#offered()
    return [...(await this.#ownFamilies()), ...offered]
  }

  /** All figures as text, those of the other workers among them. */
  async text(format: Format): Promise<string> {
    const own = await this.families()
    const others = (await this.#server.peers.ask('families')) as (readonly Family[])[]
    const all = others.length === 0 ? own : await this.#client.merge([own, ...others])
    return await this.#client.write(all, format)
  }

  /** The media type of a format. */
  typeOf(format: Format): string {
    return this.#client.typeOf(format)
  }

  async #ownFamilies(): Promise<Family[]> {
    const traffic = this.traffic().families()
    const figures = [...traffic, ...serverFamilies(this.#server), ...cacheFamilies(this.#sites)]
    return this.#settings.process ? [...figures, ...(await this.#client.processFamilies())] : figures
  }

  #offered(): Family[] {
    return [...this.#server.get(Slots.metrics)].flatMap(metric => {
      try {
        return [offeredFamily(metric)]
      } catch (thrown) {
        this.#tell(metric.name, thrown)
        return []
      }
    })
  }

  /** One plugin's fault must not hide the figures of the others, nor be told at every look. */
  #tell(name: string, cause: unknown): void {
    if (this.#failed.has(name)) return
    this.#failed.add(name)
    const why = cause instanceof Error ? cause.message : String(cause)
    this.#server.report({
      code: 'METRIC_FAILED',
      message: `metric "${name}" is left out: ${why}`,
      severity: 'error',
      cause,
    })
  }
}
