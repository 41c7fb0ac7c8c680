import { describe } from './errors.ts'
import type { ConnectionOwner } from './hooks.ts'

/**
 * What a plugin gives as the owner of a stream; undefined for nothing.
 *
 * @throws TypeError for anything else.
 */
export function ownerIn(answer: unknown): ConnectionOwner | undefined {
  if (answer === undefined || answer === null) return undefined
  const { name, drain, destroy } = answer as Partial<ConnectionOwner>
  const isOwner = typeof name === 'string' && typeof drain === 'function' && typeof destroy === 'function'
  if (isOwner) return answer as ConnectionOwner
  throw new TypeError(`expected an owner { name, drain, destroy } or nothing, got ${describe(answer)}`)
}
