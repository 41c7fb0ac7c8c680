import { type HttpRequest, type HttpResponse, slot } from 'rawhttp'
import { keepPrivate } from './privacy.ts'
import { type CookieOptions, checkName, cookieLine, fault, secondsOf } from './set-cookie.ts'
import type { Keyring, SignedCookie } from './signature.ts'

export type { SignedCookie } from './signature.ts'

/** One `cookies()` of a config. */
export interface Instance {
  readonly keyring: Keyring | null
  readonly defaults: CookieOptions
}

/** The cookies of one request, and those that its answer is to set. */
export interface Cookies {
  /** What the client sent; undefined without such a cookie. Anybody can have made it up. */
  get(name: string): string | undefined
  /**
   * What {@link setSigned} has once set; undefined for what is forged, out of date, of another name, or not there.
   * The answer then counts as one for this client alone: see {@link HttpRequest.restrict}.
   *
   * @throws Error without secrets.
   */
  getSigned(name: string): SignedCookie | undefined
  /**
   * Sets a cookie, in the place of one with the same name, domain and path that was set before. The answer then counts
   * as one for this client alone.
   *
   * @throws TypeError for what cannot be sent, and for what browsers would drop in silence; Error when the answer has
   * gone out.
   */
  set(name: string, value: string, options?: CookieOptions): this
  /**
   * The same, signed: clients can read the value, but neither change it nor use it as another cookie. `maxAge` is
   * signed, too, so that nobody can keep it longer; without one it is good as long as its secret.
   *
   * @throws Error without secrets.
   */
  setSigned(name: string, value: string, options?: CookieOptions): this
  /** Has the client drop a cookie. Path and domain have to be those that it was set with. */
  delete(name: string, options?: Omit<CookieOptions, 'maxAge'>): this
}

/** Whether the fields of the answer under way have been made. */
const Delivered = slot<boolean>('cookies.delivered')

export class Jar implements Cookies {
  readonly instance: Instance
  readonly #request: HttpRequest
  /** Lines by what browsers tell cookies by. */
  readonly #lines = new Map<string, string>()
  #wasVerified = false

  constructor(request: HttpRequest, instance: Instance) {
    this.#request = request
    this.instance = instance
  }

  get(name: string): string | undefined {
    return this.#request.cookies.get(name)
  }

  getSigned(name: string): SignedCookie | undefined {
    const keyring = this.#keyring(name)
    // Also without one: what others get to see then is not for those who have it.
    this.#request.restrict(`signed cookie "${name}"`)
    this.#wasVerified = true
    const text = this.get(name)
    return text === undefined ? undefined : keyring.verify(name, text, Date.now())
  }

  set(name: string, value: string, options: CookieOptions = {}): this {
    if (this.#request.get(Delivered) === true)
      throw new Error(
        `cookies: "${name}" comes too late, the answer has gone out: set cookies before it is returned`,
      )
    const { defaults } = this.instance
    const isHttps = this.#request.scheme === 'https'
    const { id, line } = cookieLine({ name, value, options, defaults, isHttps })
    this.#request.restrict(`sets cookie "${name}"`)
    this.#lines.delete(id)
    this.#lines.set(id, line)
    return this
  }

  setSigned(name: string, value: string, options: CookieOptions = {}): this {
    const keyring = this.#keyring(name)
    if (typeof value !== 'string') throw fault(name, `the value must be text, got ${typeof value}`)
    const maxAge = options.maxAge ?? this.instance.defaults.maxAge
    const until = maxAge === undefined ? null : Math.floor(Date.now() / 1_000) + secondsOf(maxAge)
    return this.set(name, keyring.sign(name, value, until), options)
  }

  delete(name: string, options: Omit<CookieOptions, 'maxAge'> = {}): this {
    return this.set(name, '', { ...options, maxAge: 0 })
  }

  /** Puts what was set into the answer. */
  deliver(response: HttpResponse): void {
    for (const line of this.#lines.values()) response.append('set-cookie', line)
    if (this.#lines.size > 0) keepPrivate(response, 'always')
    else if (this.#wasVerified) keepPrivate(response, 'unless-public')
  }

  #keyring(name: string): Keyring {
    checkName(name)
    if (this.instance.keyring !== null) return this.instance.keyring
    throw new Error(
      `cookies: "${name}" cannot be signed or verified: cookies() has neither secrets nor secretsFile`,
    )
  }
}

/** The answer that had been delivered did not go out: another one is made, for which cookies may be set. */
export function beginAnew(request: HttpRequest): void {
  if (request.get(Delivered) === true) request.set(Delivered, false)
}

/** Puts the cookies of a request into its answer; what is set from here on would be lost, and is an error. */
export function deliver(jar: Jar | undefined, request: HttpRequest, response: HttpResponse): void {
  request.set(Delivered, true)
  jar?.deliver(response)
}
