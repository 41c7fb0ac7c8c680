import type { Family } from './family.ts'

type Client = typeof import('@prometheus-io/client')
type Registry = InstanceType<Client['Registry']>

/** The formats that there are. */
export type Format = 'text' | 'openmetrics'

/** What the client makes of a histogram of delays that has no value yet: the largest 64-bit number, as seconds. */
const NO_DELAY = 2 ** 63 / 1e9

/** Figures of the process are watched once, however many servers there are in it: they cannot be stopped. */
let processRegistry: Registry | null = null

/** `@prometheus-io/client`, which writes what others count, and watches the process. */
export class MetricsClient {
  readonly #client: Client

  private constructor(client: Client) {
    this.#client = client
  }

  /** @throws Error that names the package when it is not installed. */
  static async load(): Promise<MetricsClient> {
    try {
      return new MetricsClient((await import('@prometheus-io/client')).default)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
      throw new Error('it needs a package: npm install @prometheus-io/client', { cause })
    }
  }

  /** Begins to watch the process: memory, CPU time, garbage collection, delays of the event loop. */
  watchProcess(): void {
    if (processRegistry !== null) return
    processRegistry = new this.#client.Registry()
    this.#client.collectDefaultMetrics({ register: processRegistry })
  }

  /** What is known of the process. */
  async processFamilies(): Promise<readonly Family[]> {
    const families = (await processRegistry?.getMetricsAsJSON()) as readonly Family[] | undefined
    return (families ?? []).map(family => ({ ...family, values: family.values.filter(isKnown) }))
  }

  /** Makes one of the families of several processes, each by its own rule. */
  async merge(processes: readonly (readonly Family[])[]): Promise<readonly Family[]> {
    const registry = this.#client.Registry.aggregate(processes as never)
    return (await registry.getMetricsAsJSON()) as never
  }

  /** Writes families as one text. */
  async write(families: readonly Family[], format: Format): Promise<string> {
    const registry = new this.#client.Registry(this.typeOf(format))
    for (const family of families) {
      const named = format === 'openmetrics' ? inOpenMetrics(family) : family
      // What the client's own registries hold when they merge those of several processes: facts, and how to get them.
      registry.registerMetric({ ...named, get: () => named } as never)
    }
    return await registry.metrics()
  }

  /** The media type of a format. */
  typeOf(format: Format) {
    const { Registry } = this.#client
    return format === 'text' ? Registry.PROMETHEUS_CONTENT_TYPE : Registry.OPENMETRICS_CONTENT_TYPE
  }
}

/** Where nothing was measured yet the client gives no number, or one that is none. */
const isKnown = ({ value }: { readonly value: number }): boolean => Number.isFinite(value) && value < NO_DELAY

// In OpenMetrics a counter is called without its suffix, which the client adds to each line whatever the name.
function inOpenMetrics(family: Family): Family {
  return family.type === 'counter' ? { ...family, name: family.name.replace(/_total$/, '') } : family
}
