import type { Case } from '../case.ts'
import { clients } from './clients.ts'
import { faults } from './faults.ts'
import { identity } from './identity.ts'
import { lifecycle, secondStart } from './lifecycle.ts'
import { messages } from './messages.ts'
import { reloads } from './reload.ts'

/** The contract, in the order in which it is tried. */
export const cases: readonly Case[] = [
  secondStart,
  ...identity,
  ...lifecycle,
  ...reloads,
  ...messages,
  ...faults,
  ...clients,
]
