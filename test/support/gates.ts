import { type HttpRequest, HttpResponse } from 'rawhttp'

/** Handlers that answer with their path when the test says so. */
export class Gates {
  /** Paths in the order in which they reached their handler. */
  readonly arrived: string[] = []
  readonly #gates = new Map<string, PromiseWithResolvers<void>>()
  #waiting: (() => void)[] = []

  readonly answer = async (request: HttpRequest): Promise<HttpResponse> => {
    this.arrived.push(request.path)
    for (const look of this.#waiting) look()
    await this.#gate(request.path).promise
    return HttpResponse.text(request.path)
  }

  open(path: string): void {
    this.#gate(path).resolve()
  }

  /** When so many requests have reached their handler. */
  until(count: number): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (this.arrived.length >= count) resolve()
      }
      this.#waiting.push(look)
      look()
    })
  }

  #gate(path: string): PromiseWithResolvers<void> {
    const gate = this.#gates.get(path) ?? Promise.withResolvers<void>()
    this.#gates.set(path, gate)
    return gate
  }
}
