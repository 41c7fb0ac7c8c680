/**
 * Where taps stand in the line. The numbers have room between them: `Handle.Guard - 10` is just before the guards.
 * Two taps on one number run in config order, root plugins before the site's.
 */

/** Stages of `connection`. */
export const Connect = Object.freeze({
  /** Who the client really is: PROXY protocol. */
  Address: -200,
  /** Who may connect at all. */
  Filter: -100,
  /** TLS. */
  Secure: 0,
  /** Other protocols than HTTP/1.1: h2c. */
  Protocol: 100,
})

/** Stages of `handle`. */
export const Handle = Object.freeze({
  /** Ids, slots, rewriting. Never answers. */
  Prepare: -500,
  /** Answers that must not need credentials: CORS preflight, ACME, health, redirect to https. */
  Early: -400,
  /** ip-filter -330, maintenance -320, rate-limit -310, auth -300. */
  Guard: -300,
  /** Finds the route and runs its guards, before any cache. */
  Match: -280,
  /** Takes connections over. */
  Upgrade: -250,
  Cache: -200,
  /** Runs the route's handler. */
  Route: 0,
  /** Files. */
  Static: 100,
  /** What answers when nothing else did: the page of a single-page application. */
  Fallback: 200,
})

/** Stages of `transform`. */
export const Transform = Object.freeze({
  /** What the representation says: error pages, injected markup. */
  Shape: 0,
  /** How it is coded: compression. */
  Encode: 100,
  /** What is kept: the cache. */
  Store: 200,
})

/** Stages of `deliver`. */
export const Deliver = Object.freeze({
  Headers: 0,
  /** What must see the other fields. */
  Last: 100,
})

const named: Readonly<Record<string, readonly [table: string, stages: Readonly<Record<string, number>>]>> = {
  connection: ['Connect', Connect],
  handle: ['Handle', Handle],
  transform: ['Transform', Transform],
  deliver: ['Deliver', Deliver],
}

/** A stage by the name that is nearest: `Handle.Guard - 20`. Hooks whose stages have no names show the number. */
export function stageText(hook: string, stage: number): string {
  const [table, stages] = named[hook] ?? ['', {}]
  let text = String(stage)
  let least = Number.POSITIVE_INFINITY
  for (const [name, number] of Object.entries(stages)) {
    const distance = Math.abs(stage - number)
    if (distance >= least) continue
    least = distance
    // Of a fraction only what was written: 0.1 + 0.2 is no stage.
    const off = `${stage < number ? '-' : '+'} ${Number(distance.toFixed(6))}`
    text = distance === 0 ? `${table}.${name}` : `${table}.${name} ${off}`
  }
  return text
}
