import { isBodyless } from './head-bytes.ts'
import { flatFields, type HeadersInit, HttpHeaders } from './headers.ts'
import { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'
import { bytesOf } from './response-body.ts'
import type { Sink } from './sink.ts'
import type { TrustedProxies } from './trusted-proxies.ts'

/** A request for {@link Server.inject}. */
export interface InjectOptions {
  /** Default: `GET`. */
  readonly method?: string | undefined
  /** A path with query, or an absolute URL. Default: `/`. */
  readonly url?: string | undefined
  readonly headers?: HeadersInit | undefined
  readonly body?: string | Uint8Array | undefined
  /** The peer. If it is one of `trustedProxies`, it is believed as on a connection. Default: nobody. */
  readonly client?: { readonly address: string; readonly port: number } | undefined
}

/** What {@link Server.inject} answers. */
export interface InjectedResponse {
  readonly status: number
  /** As an HTTP/1.1 client would see them, without those of the connection. */
  readonly headers: HttpHeaders
  readonly body: Buffer
  text(): string
  json(): unknown
}

/** A request that came without a socket. Host is `localhost` unless the URL or the headers say otherwise. */
export function injectedRequest(options: InjectOptions, proxies: TrustedProxies | null = null): HttpRequest {
  const { method = 'GET', url = '/', headers, body = null, client } = options
  const authority = /^https?:\/\/([^/?#]+)/i.exec(url)?.[1]
  const fields = flatFields(headers)
  if (!new HttpHeaders(fields).has('host')) fields.push('host', authority ?? 'localhost')
  const contentLength = body === null ? null : bytesOf(body).length
  if (contentLength !== null) fields.push('content-length', String(contentLength))
  const scheme = url.toLowerCase().startsWith('https:') ? 'https' : 'http'
  const message = { method, target: url, authority, scheme, fields, body, contentLength }
  return new HttpRequest({ ...message, client, proxies })
}

/** A sink that keeps what it is given. */
export class MemorySink implements Sink {
  onDrain: (() => void) | null = null
  onClose: ((reason: Error | null) => void) | null = null
  bytes = 0
  readonly response: Promise<InjectedResponse>
  readonly #chunks: Buffer[] = []
  #head: HttpResponse | null = null
  #length: number | null = null
  #resolve!: (response: InjectedResponse) => void
  #reject!: (reason: Error) => void

  constructor() {
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  inform(): void {
    // An interim answer has no place in what inject gives back.
  }

  head(head: HttpResponse, length: number | null): void {
    this.#head = head
    this.#length = length
  }

  derived(head: HttpResponse, length: number | null): readonly string[] {
    const fields: string[] = []
    if (head.field('date') === undefined) fields.push('date', new Date().toUTCString())
    if (length !== null && !isBodyless(head.status)) fields.push('content-length', String(length))
    return fields
  }

  write(piece: Uint8Array | string, taken?: () => void): boolean {
    const bytes = Buffer.from(bytesOf(piece))
    this.bytes += bytes.length
    this.#chunks.push(bytes)
    taken?.()
    return true
  }

  end(): void {
    const { onClose } = this
    this.#resolve(this.#result())
    onClose?.(null)
  }

  reset(reason: Error): void {
    const { onClose } = this
    this.#reject(reason)
    onClose?.(reason)
  }

  #result(): InjectedResponse {
    const head = this.#head!
    const fields = [...head.fields(), ...this.derived(head, this.#length)]
    const body = Buffer.concat(this.#chunks)
    const text = () => body.toString()
    return {
      status: head.status,
      headers: new HttpHeaders(fields),
      body,
      text,
      json: () => JSON.parse(text()),
    }
  }
}
