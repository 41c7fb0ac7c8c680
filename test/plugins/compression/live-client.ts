import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib'
import { RawClient } from '../../support/raw-client.ts'

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** A client on a real socket that decodes what it has, as it comes. */
export class LiveClient implements AsyncDisposable {
  readonly raw: RawClient
  readonly #decoder: Transform
  #text = ''
  readonly #waiting = new Set<() => void>()

  private constructor(raw: RawClient, coding: string) {
    this.raw = raw
    this.#decoder = decoders[coding]!()
    this.#decoder.on('data', (bytes: Buffer) => {
      this.#text += bytes.toString()
      for (const look of this.#waiting) look()
    })
  }

  /** Sends a GET and waits for the head. */
  static async get(
    port: number,
    path: string,
    coding: string,
  ): Promise<{ client: LiveClient; head: string }> {
    const raw = await RawClient.connect(port)
    raw.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: ${coding}\r\n\r\n`)
    const head = await raw.until('\r\n\r\n')
    const client = new LiveClient(raw, coding)
    void client.#read()
    return { client, head }
  }

  /** When the decoded text holds this. */
  untilText(text: string): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (!this.#text.includes(text)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.raw[Symbol.asyncDispose]()
    this.#decoder.destroy()
  }

  // The chunks, one after the other, until the connection ends.
  async #read(): Promise<void> {
    try {
      for (;;) {
        const size = Number.parseInt(await this.raw.until('\r\n'), 16)
        if (size === 0) break
        const chunk = await this.raw.bytes(size + 2)
        this.#decoder.write(chunk.subarray(0, size))
      }
    } catch {
      // The test has ended it.
    }
  }
}
