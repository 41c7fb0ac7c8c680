import { LRUCache } from 'lru-cache'
import { HttpHeaders, type HttpRequest, type HttpResponse } from 'rawhttp'

/** URLs that are remembered, at most: some rules compare two answers of one URL. */
const MOST_URLS = 500

/** What is kept of requests: by these an answer is chosen. */
const CHOOSING = ['accept', 'accept-encoding', 'accept-language', 'origin']

/** An answer with status 200, and the fields of the request that it may have been chosen by. */
export interface Earlier {
  readonly fields: HttpHeaders
  readonly asked: HttpHeaders
}

/** The last answer with status 200 of each URL, of the last ones that were asked for. */
export class EarlierAnswers {
  readonly #answers = new LRUCache<string, Earlier>({ max: MOST_URLS })

  of(request: HttpRequest): Earlier | null {
    return this.#answers.get(keyOf(request)) ?? null
  }

  /** Remembers an answer, if it is one that others are compared with. */
  keep(request: HttpRequest, { status, headers: fields }: HttpResponse): void {
    if (status !== 200 || !isRead(request)) return
    const lines = CHOOSING.flatMap(name => {
      const value = request.headers.get(name)
      return value === undefined ? [] : [name, value]
    })
    this.#answers.set(keyOf(request), { fields, asked: new HttpHeaders(lines) })
  }
}

// HEAD has the fields of GET.
const isRead = ({ method }: HttpRequest): boolean => method === 'GET' || method === 'HEAD'

const keyOf = ({ scheme, host, target }: HttpRequest): string => `${scheme}://${host} ${target}`
