import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import { Duplex, Readable, Transform, Writable } from 'node:stream'

type Names = ReadonlyMap<PropertyKey, unknown>
/** What the parts of a process that belong to everybody have in them. */
export type Snapshot = ReadonlyMap<string, Names>

/** Classes that everybody uses, whose prototypes a plugin could change. */
const classes = [
  ...[Object, Function, Array, String, Number, Boolean, Symbol, Date, RegExp, Error, Promise],
  ...[Map, Set, WeakMap, Uint8Array, Buffer, URL, URLSearchParams, AbortSignal],
  ...[EventEmitter, Readable, Writable, Duplex, Transform, Socket],
]

function places(): [string, object][] {
  const named: [string, object][] = [
    ['globalThis', globalThis],
    ['console', console],
    ['JSON', JSON],
    ['Math', Math],
    ['Reflect', Reflect],
    ['process', process],
    ['process.env', process.env],
    [
      'Error settings',
      { stackTraceLimit: Error.stackTraceLimit, prepareStackTrace: Error.prepareStackTrace },
    ],
    ['the working directory', { path: process.cwd(), umask: process.umask() }],
  ]
  for (const each of classes) named.push([each.name, each], [`${each.name}.prototype`, each.prototype])
  return named
}

/** What there is now. */
export function snapshot(): Snapshot {
  return new Map(places().map(([place, object]) => [place, namesIn(object)]))
}

function namesIn(object: object): Names {
  const names = new Map<PropertyKey, unknown>()
  for (const key of Reflect.ownKeys(object)) {
    // Node's own, which come with the first use of fetch.
    if (typeof key === 'symbol' && key.description?.startsWith('undici.')) continue
    const { value, get } = Object.getOwnPropertyDescriptor(object, key)!
    // A getter may become a value when it is first used: Node loads parts of itself so.
    names.set(key, get === undefined ? value : lazy)
  }
  return names
}

const lazy = Symbol('a getter')

/** A sentence for each thing that has come, gone, or become another. */
export function changes(before: Snapshot, after: Snapshot): string[] {
  const found: string[] = []
  for (const [place, names] of after) {
    const known = before.get(place)!
    for (const [key, value] of names) {
      if (!known.has(key)) found.push(`${place} has got "${String(key)}"`)
      else if (known.get(key) !== lazy && !Object.is(known.get(key), value))
        found.push(`"${String(key)}" of ${place} has become another`)
    }
    for (const key of known.keys()) if (!names.has(key)) found.push(`${place} has lost "${String(key)}"`)
  }
  return found
}
