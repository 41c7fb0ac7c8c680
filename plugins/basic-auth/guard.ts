import { availableParallelism } from 'node:os'
import { HttpError, type HttpRequest, HttpResponse, Slots } from 'rawhttp'
import { type Credentials, credentialsOf } from './credentials.ts'
import { Remembered } from './remembered.ts'
import type { Verify } from './schema.ts'
import { type Full, LATE, Turns } from './turns.ts'

/** Lets a request through with nothing, or answers it. */
export type Guard = (request: HttpRequest) => HttpResponse | undefined | Promise<HttpResponse | undefined>

/** What a guard is made of. */
export interface GuardParts {
  readonly realm: string
  /** Milliseconds. */
  readonly remember: number
  readonly verify: Verify
  /** Where checks wait for their turn. */
  readonly turns: Turns
}

/** Behind this a client is told to come again, long before its request is given up by the kernel. */
const PATIENCE = 5_000

/**
 * The checks of stored hashes in the whole process, which has one thread pool: two of its four threads stay for files
 * and compression, and of two processors one for all other requests. A check takes 32 MB while it runs.
 */
export const hashTurns = new Turns({
  atOnce: availableParallelism() > 2 ? 2 : 1,
  waiting: 16,
  perClient: 8,
  patience: PATIENCE,
})

/** Those of one `verify` of the config, which mostly waits for somebody else. */
export const callTurns = (): Turns =>
  new Turns({ atOnce: 32, waiting: 256, perClient: 16, patience: PATIENCE })

/** Whether credentials are right, if there was time to find out. */
type Verdict = boolean | typeof LATE

const MINUTE = 60_000

/** Asks for a name and a password (RFC 7617), and lets in who has both right. */
export class BasicGuard {
  readonly #parts: GuardParts
  readonly #challenge: string
  readonly #remembered: Remembered
  /** Checks under way by the code of their credentials: a page's fifty requests are one check. */
  readonly #checks = new Map<string, Promise<Verdict>>()
  #toldAt = -MINUTE

  constructor(parts: GuardParts) {
    this.#parts = parts
    this.#challenge = `Basic realm="${parts.realm.replace(/["\\]/g, '\\$&')}", charset="UTF-8"`
    this.#remembered = new Remembered(parts.remember)
  }

  /** @throws HttpError 401, and 400 for credentials that cannot be read. */
  admit(request: HttpRequest): HttpResponse | undefined | Promise<HttpResponse | undefined> {
    // Before anything is answered, so that no cache takes the answer for everybody's.
    request.restrict('basic-auth')
    const credentials = credentialsOf(request.headers.get('authorization'))
    if (credentials === null) throw this.#refusal('Sign in with your name and password.', 'MISSING')
    const code = this.#remembered.codeOf(credentials)
    if (this.#remembered.has(code)) return this.#enter(request, credentials)
    const check = this.#checks.get(code)
    if (check !== undefined) return this.#decide(request, credentials, check)
    const full = this.#parts.turns.refuses(request.client.address)
    if (full !== null) return this.#busy(request, full)
    return this.#decide(request, credentials, this.#check(code, credentials, request.client.address))
  }

  async #decide(
    request: HttpRequest,
    credentials: Credentials,
    check: Promise<Verdict>,
  ): Promise<HttpResponse | undefined> {
    const verdict = await check
    if (verdict === LATE) return this.#busy(request, 'full')
    if (verdict) return this.#enter(request, credentials)
    throw this.#refusal('Name or password is wrong.', 'WRONG')
  }

  #enter(request: HttpRequest, { user }: Credentials): undefined {
    request.set(Slots.user, user)
  }

  #check(code: string, { user, password }: Credentials, client: string): Promise<Verdict> {
    const { turns, verify } = this.#parts
    const check = turns
      .run(client, async () => mustBeBoolean(await verify(user, password)))
      .then(verdict => {
        if (verdict === true) this.#remembered.add(code)
        return verdict
      })
      .finally(() => this.#checks.delete(code))
    this.#checks.set(code, check)
    return check
  }

  #refusal(message: string, code: string): HttpError {
    const headers = { 'www-authenticate': this.#challenge }
    return new HttpError(401, message, { code: `BASIC_AUTH_${code}`, headers })
  }

  // An answer and no throw: a flood is to fill no log.
  #busy(request: HttpRequest, full: Full): HttpResponse {
    const headers = { 'retry-after': '1' }
    if (full === 'greedy') return HttpResponse.error(429, 'Too many passwords at once.', { headers })
    const now = performance.now()
    if (now - this.#toldAt >= MINUTE) {
      this.#toldAt = now
      request.log.warn('more passwords come than can be checked; clients get 503 (told once a minute)')
    }
    return HttpResponse.error(503, null, { headers })
  }
}

// A promise, an object or nothing is a slip in the config's function; taken as true, it would let everybody in.
function mustBeBoolean(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw new TypeError(
    `basic-auth: verify must answer true or false, got ${answer === null ? 'null' : typeof answer}`,
  )
}
