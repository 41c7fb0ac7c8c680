import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { HttpResponse } from 'rawhttp'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'

/** A request as a handler saw it, whole. */
export interface Seen {
  readonly method: string
  readonly target: string
  /** Name in lower case, value, name, value … */
  readonly headers: readonly string[]
  readonly body: string
}

/** What a server made of a connection's bytes: requests, then maybe a refusal with its code. */
export interface Outcome {
  readonly requests: readonly Seen[]
  readonly refusal: string | null
}

/** A server that is sent bytes, one connection after the other. */
export interface Judge extends AsyncDisposable {
  judge(bytes: string): Promise<Outcome>
}

/** Requests in the order in which they began; one that broke off within its body is none. */
class Witness {
  #places: (Seen | null)[] = []

  get requests(): Seen[] {
    return this.#places.filter(place => place !== null)
  }

  reset(): void {
    this.#places = []
  }

  /** A request has begun. Gives what is to be called when it was read whole. */
  begin(): (seen: Seen) => void {
    const places = this.#places
    const index = places.push(null) - 1
    return seen => {
      places[index] = seen
    }
  }
}

/** rawhttp, with a handler that takes everything. */
export async function startOurs(): Promise<Judge> {
  const witness = new Witness()
  const handler = answering(async request => {
    const whole = witness.begin()
    const body = await request.body.bytes()
    const { method, target, headers } = request
    whole({ method, target, headers: [...headers].flat(), body: body.toString('latin1') })
    return HttpResponse.text('seen')
  })
  const server = await startServer({ sites: [{ name: 'ours', plugins: [handler] }] })
  return {
    async judge(bytes) {
      witness.reset()
      const before = server.reports.length
      await exchange(server.port, bytes)
      // Of all that is reported, only refusals have such codes.
      const report = server.reports.slice(before).find(({ code }) => /^(?:H1|PATH)-/.test(code))
      return { requests: witness.requests, refusal: report?.code ?? null }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** node:http, strict as it is by default, with a handler that takes everything. */
export async function startTheirs(): Promise<Judge> {
  const witness = new Witness()
  let code: string | null = null
  const server = createServer((request, response) => collect(request, response, witness.begin()))
  // A client that ends its side at once is answered, as it is by ours.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code !== 'HPE_INVALID_EOF_STATE' && error.code !== 'ECONNRESET') code = error.code ?? 'unknown'
    socket.destroy()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    async judge(bytes) {
      witness.reset()
      code = null
      const received = await exchange(port, bytes)
      // Without Host, and for an expectation, node:http answers by itself.
      const status = /HTTP\/1\.1 (4\d\d) /.exec(received)?.[1]
      return { requests: witness.requests, refusal: code ?? status ?? null }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function collect(request: IncomingMessage, response: ServerResponse, whole: (seen: Seen) => void): void {
  const pieces: Buffer[] = []
  request.on('data', piece => pieces.push(piece))
  request.on('error', () => {})
  request.on('end', () => {
    const headers = request.rawHeaders.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text))
    const body = Buffer.concat(pieces).toString('latin1')
    whole({ method: request.method!, target: request.url!, headers, body })
    response.end('seen')
  })
}

/** Sends bytes, ends the client's side, and gives what came until the server ended its own. */
async function exchange(port: number, bytes: string): Promise<string> {
  await using client = await RawClient.connect(port)
  client.send(bytes)
  client.end()
  return await client.rest()
}
