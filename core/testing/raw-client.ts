import { connect, type IpcNetConnectOpts, type Socket, type TcpNetConnectOpts } from 'node:net'

/** A response as it stood on the wire. */
export interface RawResponse {
  readonly statusLine: string
  readonly status: number
  /** Lines in order: lower-cased name and value. */
  readonly fields: readonly (readonly [string, string])[]
  field(name: string): string | undefined
  /** The body, chunks joined. */
  readonly body: Buffer
  readonly trailers: readonly string[]
}

/** What can end with a reset. */
interface Resettable {
  resetAndDestroy(): unknown
}

/**
 * A client that sends exactly the bytes that a test gives it, and reads answers by a reading of RFC 9112 that shares no
 * code with the server's.
 */
export class RawClient implements AsyncDisposable {
  /** Of a connection in memory, what stands for one. */
  readonly socket: Socket
  readonly #below: Resettable
  /** How the server ended: `end` for a FIN, `reset` for a RST. */
  readonly closed: Promise<'end' | 'reset'>
  #received: Buffer = Buffer.alloc(0)
  #isOver = false
  readonly #waiting = new Set<() => void>()

  private constructor(socket: Socket, below: Resettable) {
    this.socket = socket
    this.#below = below
    this.closed = new Promise(resolve => {
      socket.on('end', () => this.#over(() => resolve('end')))
      socket.on('error', () => this.#over(() => resolve('reset')))
      socket.on('close', () => this.#over(() => resolve('end')))
    })
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#look()
    })
  }

  /** To a port. */
  static connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return RawClient.open({ port, host })
  }

  /** To any address, or from one: `{ path }`, `{ port, localAddress }`. */
  static async open(to: TcpNetConnectOpts | IpcNetConnectOpts): Promise<RawClient> {
    const socket = connect({ ...to, allowHalfOpen: true, noDelay: true } as TcpNetConnectOpts)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket, socket)
  }

  /**
   * On a socket that is open already: one that speaks TLS.
   *
   * @param below What is reset where the socket is a layer over another one.
   */
  static over(socket: Socket, below: Resettable = socket): RawClient {
    return new RawClient(socket, below)
  }

  /** Everything received and not yet read. */
  get received(): string {
    return this.#received.toString('latin1')
  }

  /** A string is sent as latin1. */
  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Sends in pieces of `size` bytes, each in a write of its own. */
  async sendSplit(bytes: string | Uint8Array, size = 1): Promise<void> {
    const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes)
    for (let at = 0; at < all.length; at += size) {
      const piece = all.subarray(at, at + size)
      await new Promise<void>(resolve => this.socket.write(piece, () => resolve()))
    }
  }

  /** Sends the end of its side; answers still come. */
  end(): void {
    this.socket.end()
  }

  /** Leaves with a reset. */
  reset(): void {
    this.#below.resetAndDestroy()
  }

  /**
   * The next final response; 1xx answers before it are skipped unless `interim` is true.
   *
   * @param toHead Whether the request was HEAD: then no body follows.
   */
  async response({ toHead = false, interim = false } = {}): Promise<RawResponse> {
    for (;;) {
      const head = await this.#take(bytes => {
        const end = bytes.indexOf('\r\n\r\n')
        return end === -1 ? null : end + 4
      })
      const parsed = parseHead(head.toString('latin1'))
      if (parsed.status < 200) {
        if (interim || parsed.status === 101) return { ...parsed, body: Buffer.alloc(0), trailers: [] }
        continue
      }
      if (toHead || parsed.status === 204 || parsed.status === 304) {
        return { ...parsed, body: Buffer.alloc(0), trailers: [] }
      }
      return { ...parsed, ...(await this.#body(parsed)) }
    }
  }

  /** Waits until the received bytes contain a text, and gives everything up to its end. */
  async until(text: string): Promise<string> {
    const bytes = await this.#take(all => {
      const at = all.indexOf(text, 0, 'latin1')
      return at === -1 ? null : at + text.length
    })
    return bytes.toString('latin1')
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<string> {
    await this.closed
    return this.received
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
  }

  async #body(head: ParsedHead): Promise<{ body: Buffer; trailers: string[] }> {
    if (head.field('transfer-encoding') === 'chunked') return this.#chunks()
    const length = head.field('content-length')
    if (length !== undefined) return { body: await this.bytes(Number(length)), trailers: [] }
    await this.closed
    const body = this.#received
    this.#received = Buffer.alloc(0)
    return { body, trailers: [] }
  }

  async #chunks(): Promise<{ body: Buffer; trailers: string[] }> {
    const chunks: Buffer[] = []
    for (;;) {
      const line = await this.#line()
      if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`)
      const size = Number.parseInt(line, 16)
      if (size === 0) break
      chunks.push(await this.bytes(size))
      if ((await this.#line()) !== '') throw new Error('a chunk does not end in CRLF')
    }
    const trailers: string[] = []
    for (let line = await this.#line(); line !== ''; line = await this.#line()) trailers.push(line)
    return { body: Buffer.concat(chunks), trailers }
  }

  async #line(): Promise<string> {
    const line = await this.#take(bytes => {
      const end = bytes.indexOf('\r\n')
      return end === -1 ? null : end + 2
    })
    return line.toString('latin1').slice(0, -2)
  }

  /** So many bytes. */
  bytes(count: number): Promise<Buffer> {
    return this.#take(bytes => (bytes.length >= count ? count : null))
  }

  #take(find: (bytes: Buffer) => number | null): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const end = find(this.#received)
        if (end === null && !this.#isOver) return
        this.#waiting.delete(look)
        if (end === null) {
          return reject(
            new Error(`the connection ended; still unread: ${JSON.stringify(this.received.slice(0, 500))}`),
          )
        }
        const taken = this.#received.subarray(0, end)
        this.#received = this.#received.subarray(end)
        resolve(taken)
      }
      this.#waiting.add(look)
      look()
    })
  }

  #over(tell: () => void): void {
    this.#isOver = true
    tell()
    this.#look()
  }

  #look(): void {
    for (const look of [...this.#waiting]) look()
  }
}

type ParsedHead = Omit<RawResponse, 'body' | 'trailers'>

function parseHead(text: string): ParsedHead {
  const [statusLine = '', ...lines] = text.slice(0, -4).split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]
  if (status === undefined) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`)
  const fields = lines.map(line => {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): (.*)$/.exec(line)
    if (match === null) throw new Error(`not a field line: ${JSON.stringify(line)}`)
    return [match[1]!.toLowerCase(), match[2]!] as const
  })
  const field = (name: string) => {
    const values = fields.filter(([each]) => each === name).map(([, value]) => value)
    return values.length === 0 ? undefined : values.join(', ')
  }
  return { statusLine, status: Number(status), fields, field }
}
