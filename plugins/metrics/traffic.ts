import { type HttpRequest, type HttpResponse, type Outcome, Slots } from 'rawhttp'
import { counter, type Family, type Sample } from './family.ts'
import { Series } from './series.ts'

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'QUERY',
  'CONNECT',
  'TRACE',
  'other',
]
const OTHER_METHOD = METHODS.length - 1
const methodIndex = new Map(METHODS.map((method, at) => [method, at]))

/** By the first digit of the status; `none` when the client got no answer. */
const CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']

/** More routes than that are one, `other`: whatever a plugin puts into `Slots.route`, memory has an end. */
const MAX_ROUTES = 1_000

/** What went over the sites of a server, since it was started and over all reloads. */
export class Traffic {
  readonly #bounds: readonly number[]
  readonly #sites = new Map<string, SiteTraffic>()
  #routes = 0

  /** @param bounds Of durations: seconds, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
  }

  /** The counts of a site. */
  site(name: string): SiteTraffic {
    const known = this.#sites.get(name)
    if (known !== undefined) return known
    const site = new SiteTraffic(name, this.#bounds, () => this.#routes++ < MAX_ROUTES)
    this.#sites.set(name, site)
    return site
  }

  /** Everything, by site, method, route and class of status. */
  families(): Family[] {
    const sites = [...this.#sites.values()]
    const series = sites.flatMap(site => site.series())
    const of = (value: (each: Series) => number) =>
      series.map(each => ({ labels: each.labels, value: value(each) }))
    const duration = 'http_request_duration_seconds'
    return [
      counter(
        'http_requests_total',
        'Requests that have ended, refused messages among them.',
        of(({ requests }) => requests),
      ),
      {
        name: duration,
        help: 'From the end of the head of a request to the last byte of its answer, upgrades left out.',
        type: 'histogram',
        aggregator: 'sum',
        values: series.flatMap(each => each.durations(duration)),
      },
      counter(
        'http_response_bytes_total',
        'Bytes of answers, heads included.',
        of(({ sent }) => sent),
      ),
      counter(
        'http_request_body_bytes_total',
        'Bytes of request bodies that were read.',
        of(({ received }) => received),
      ),
      counter(
        'http_request_results_total',
        'How requests ended: sent, aborted, failed, timeout, upgraded or refused.',
        sites.flatMap(site => site.results()),
      ),
    ]
  }
}

/** What went over one site. */
class SiteTraffic {
  readonly #name: string
  readonly #bounds: readonly number[]
  readonly #mayAddRoute: () => boolean
  readonly #results: Record<Outcome['result'], number> = {
    sent: 0,
    aborted: 0,
    failed: 0,
    timeout: 0,
    upgraded: 0,
    refused: 0,
  }
  readonly #byRoute = new Map<string, RouteTraffic>()

  /** @param mayAddRoute Whether there is room for one route more. */
  constructor(name: string, bounds: readonly number[], mayAddRoute: () => boolean) {
    this.#name = name
    this.#bounds = bounds
    this.#mayAddRoute = mayAddRoute
  }

  /** Counts an exchange that has ended. */
  count(request: HttpRequest, response: HttpResponse | null, outcome: Outcome): void {
    const route = request.get(Slots.route) ?? 'none'
    const traffic = this.#byRoute.get(route) ?? this.#addRoute(route)
    this.#results[outcome.result]++
    traffic.of(request.method, response?.status ?? 0).add(outcome, request.bodyBytes)
  }

  series(): Series[] {
    return [...this.#byRoute.values()].flatMap(({ series }) => series.filter(each => each !== undefined))
  }

  results(): Sample[] {
    const labelled = (result: string) => ({ site: this.#name, result })
    return Object.entries(this.#results).map(([result, value]) => ({ labels: labelled(result), value }))
  }

  #addRoute(asked: string): RouteTraffic {
    const route = this.#mayAddRoute() ? asked : 'other'
    const known = this.#byRoute.get(route)
    if (known !== undefined) return known
    const traffic = new RouteTraffic(this.#name, route, this.#bounds)
    this.#byRoute.set(route, traffic)
    return traffic
  }
}

/** The series of one route, each at a place of its own by method and class of status. */
class RouteTraffic {
  readonly series: (Series | undefined)[] = new Array(METHODS.length * CLASSES.length)
  readonly #site: string
  readonly #route: string
  readonly #bounds: readonly number[]

  constructor(site: string, route: string, bounds: readonly number[]) {
    this.#site = site
    this.#route = route
    this.#bounds = bounds
  }

  of(method: string, status: number): Series {
    const row = methodIndex.get(method) ?? OTHER_METHOD
    const column = Math.floor(status / 100)
    const at = row * CLASSES.length + column
    return this.series[at] ?? this.#add(at, METHODS[row]!, CLASSES[column]!)
  }

  #add(at: number, method: string, status_class: string): Series {
    const labels = { site: this.#site, method, route: this.#route, status_class }
    const series = new Series(labels, this.#bounds)
    this.series[at] = series
    return series
  }
}
