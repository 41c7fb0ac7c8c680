import { vi } from 'vitest'

/** What a parser did with bytes: the measure of its work that no clock can make uncertain. */
export interface Work {
  /** Bytes looked at, copied, allocated or made text. */
  bytes: number
}

const originals = new WeakMap<object, Buffer>()

/** A buffer that counts what is done with its bytes. */
export function counting(buffer: Buffer, work: Work): Buffer {
  const proxy = new Proxy(buffer, {
    get(target, property) {
      if (typeof property === 'string' && /^\d+$/.test(property)) {
        work.bytes++
        return target[Number(property)]
      }
      if (property === 'length') return target.length
      if (property === 'subarray') return target.subarray.bind(target)
      if (property === 'copy') {
        return (to: Buffer, at: number, start: number, end: number) => {
          work.bytes += end - start
          return target.copy(originals.get(to) ?? to, at, start, end)
        }
      }
      if (property === 'toString') {
        return (encoding: BufferEncoding, start: number, end: number) => {
          work.bytes += end - start
          return target.toString(encoding, start, end)
        }
      }
      throw new Error(`the count knows nothing of ${String(property)}`)
    },
  })
  originals.set(proxy, buffer)
  return proxy
}

/** Runs something with buffers of our own behind `Buffer.allocUnsafeSlow`, which is what a parser gathers in. */
export function countingAllocations<T>(work: Work, run: () => T): T {
  const original = Buffer.allocUnsafeSlow
  const spy = vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(size => {
    work.bytes += size
    return counting(original(size), work) as ReturnType<typeof original>
  })
  try {
    return run()
  } finally {
    spy.mockRestore()
  }
}
