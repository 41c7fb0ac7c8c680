import type { Case } from '../case.ts'
import { lifecycle } from './lifecycle.ts'

/** The contract, in the order in which it is tried. */
export const cases: readonly Case[] = [...lifecycle]
