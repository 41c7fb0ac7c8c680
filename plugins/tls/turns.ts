import { Chain, type Chained } from 'rawhttp'

/** How long a handshake may take while others wait for its place, in milliseconds: several round trips of a bad line. */
const PATIENCE = 1_000
/** What handshakes may take of one turn of the event loop, in milliseconds: answers go on in between. */
const SHARE = 5

/** One who wants to shake hands. */
export interface Applicant extends Chained<Applicant> {
  /** Since when it is under way; for {@link Turns} alone. */
  since: number
  /** Where it comes from: see {@link networkOf}. */
  readonly network: string
  /** Its turn has come. The work it makes is done when this turn's microtasks are. */
  begin(): void
  /** Others wait for its place, and it took too long. */
  giveWay(): void
}

/** The applicants of one network that wait or are under way. */
interface Network {
  size: number
  /** Who goes, or went, before all others. Null when none of them waited as the last one was done. */
  first: Applicant | null
}

/**
 * Who may shake hands when. So many do at one time; who comes later waits.
 *
 * The newest goes first. When more come than can be served, first come first served makes everybody wait until
 * nobody's patience lasts; so those who can be served at all are served at once, and a flood of clients that say
 * hello and fall silent does not stand before an honest one.
 *
 * Before them goes one of each network at a time: as long as more arrive than can be served, there is always somebody
 * newer, and what many from one place send must not count for more than what one does. The next of a network follows
 * when that one is done, behind the others that stand in front.
 */
export class Turns {
  readonly #places: number
  /** Those under way, the oldest first. */
  readonly #under = new Chain<Applicant>()
  /** Those who wait, the next one last: one of each network at most, and the others. */
  readonly #front: Applicant[] = []
  readonly #further: Applicant[] = []
  readonly #networks = new Map<string, Network>()
  #isStarting = false
  #timer: NodeJS.Timeout | null = null

  constructor(places: number) {
    this.#places = places
  }

  /** Asks for a place. {@link leave} has to follow, whatever comes of it. */
  enter(applicant: Applicant): void {
    const network = this.#networks.get(applicant.network) ?? { size: 0, first: null }
    this.#networks.set(applicant.network, network)
    network.size++
    if (network.first !== null) this.#further.push(applicant)
    else {
      network.first = applicant
      this.#front.push(applicant)
    }
    this.#start()
  }

  /** Gives the place back, or the wish for one up. */
  leave(applicant: Applicant): void {
    const was =
      this.#under.delete(applicant) || remove(this.#front, applicant) || remove(this.#further, applicant)
    if (was) this.#forget(applicant)
    this.#start()
  }

  #forget(applicant: Applicant): void {
    const network = this.#networks.get(applicant.network)!
    network.size--
    if (network.size === 0) this.#networks.delete(applicant.network)
    else if (network.first === applicant) network.first = this.#moveUp(applicant.network)
  }

  /** Takes the newest of a network to the front, behind those who stand there. */
  #moveUp(network: string): Applicant | null {
    const at = this.#further.findLastIndex(other => other.network === network)
    if (at === -1) return null
    const [next] = this.#further.splice(at, 1)
    this.#front.unshift(next!)
    return next!
  }

  get #isAwaited(): boolean {
    return this.#front.length + this.#further.length > 0
  }

  #start(): void {
    if (this.#isStarting || !this.#mayBegin()) return this.#watch()
    this.#isStarting = true
    this.#startSome(performance.now())
  }

  #mayBegin(): boolean {
    return this.#isAwaited && this.#under.size < this.#places
  }

  // Node does what a new TLSSocket has to do in the next tick, so a tick later its cost is known.
  #startSome(since: number): void {
    if (!this.#mayBegin()) {
      this.#isStarting = false
      return this.#watch()
    }
    const now = performance.now()
    if (now - since > SHARE) return void setImmediate(() => this.#startSome(performance.now()))
    const next = this.#front.pop() ?? this.#further.pop()!
    next.since = now
    this.#under.add(next)
    next.begin()
    process.nextTick(() => this.#startSome(since))
  }

  /** While some wait and all places are taken, the oldest may not take for ever. */
  #watch(): void {
    if (this.#timer !== null || !this.#isAwaited) return
    const oldest = this.#under.first
    if (oldest === null) return
    const wait = Math.max(0, oldest.since + PATIENCE - performance.now())
    this.#timer = setTimeout(() => this.#clear(), wait).unref()
  }

  #clear(): void {
    this.#timer = null
    const now = performance.now()
    const late = this.#under.all().filter(({ since }) => now - since >= PATIENCE)
    if (this.#isAwaited) for (const applicant of late) applicant.giveWay()
    this.#watch()
  }
}

/** Takes one out of a list, in which the newest leave most often. */
function remove(list: Applicant[], applicant: Applicant): boolean {
  const at = list.lastIndexOf(applicant)
  if (at !== -1) list.splice(at, 1)
  return at !== -1
}

/** What one client has to itself: an address, and of IPv6 the 64 bits that a site gets (RFC 4291 section 2.5.1). */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail = ''] = address.split('::')
  const [before, behind] = [groupsOf(head), groupsOf(tail)]
  const zeros = Array<string>(Math.max(0, 8 - before.length - behind.length)).fill('0')
  return [...before, ...zeros, ...behind].slice(0, 4).join(':')
}

/** The groups of a part of an IPv6 address; an IPv4 address at its end stands for two. */
function groupsOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\d+(?:\.\d+){3}/, '0:0').split(':')
}
