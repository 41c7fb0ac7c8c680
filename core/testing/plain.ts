// Options are plain objects and lists with anything in them. What is not plain (functions, objects of classes) is taken
// as it is: it belongs to whoever made it.

/** A copy of the plain parts of a value. */
export function plainCopy<T>(value: T): T {
  return copied(value, copy => copy)
}

/** The same, frozen all through. */
export function frozenCopy<T>(value: T): T {
  return copied(value, Object.freeze)
}

/** Whether the plain parts of two values are the same, and all else is one. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a) !== Array.isArray(b) || !isPlain(a) || !isPlain(b)) return false
  const keys = Reflect.ownKeys(a)
  if (keys.length !== Reflect.ownKeys(b).length) return false
  return keys.every(key => Object.hasOwn(b, key) && sameValue(Reflect.get(a, key), Reflect.get(b, key)))
}

function copied<T>(value: T, finish: (copy: object) => object): T {
  if (!isPlain(value)) return value
  const copy: object = Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value))
  for (const key of Reflect.ownKeys(value)) {
    if (!Object.getOwnPropertyDescriptor(value, key)!.enumerable) continue
    // Defined, not set: a key may be `__proto__`.
    const part = { value: copied(Reflect.get(value, key), finish), enumerable: true }
    Object.defineProperty(copy, key, { ...part, configurable: true, writable: true })
  }
  return finish(copy) as T
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null
}
