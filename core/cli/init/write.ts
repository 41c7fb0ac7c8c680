import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '../../config/errors.ts'
import type { Step } from './plan.ts'

/**
 * Writes what is planned: all texts into a folder aside first, where a full disk shows, then each by a rename into its
 * place. So no file is ever half written, and what was interrupted is completed by running it again.
 *
 * @throws Error when the system refuses; a folder that was made for it is gone again then.
 */
export function write(folder: string, steps: readonly Step[]): void {
  const changed = steps.filter(({ change }) => change !== 'same')
  if (changed.length === 0) return
  let made: string | undefined
  let aside: string | undefined
  try {
    made = mkdirSync(folder, { recursive: true })
    aside = mkdtempSync(join(folder, '.rawhttp-init-'))
    for (const [index, step] of changed.entries()) writeAside(join(aside, String(index)), step)
    for (const [index, { path }] of changed.entries()) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      renameSync(join(aside, String(index)), join(folder, path))
    }
  } catch (error) {
    if (made !== undefined) rmSync(made, { recursive: true, force: true })
    throw new Error(`${folder} cannot be written: ${messageOf(error)}`, { cause: error })
  } finally {
    if (aside !== undefined) rmSync(aside, { recursive: true, force: true })
  }
}

function writeAside(file: string, { text, mode }: Step): void {
  writeFileSync(file, text)
  if (mode !== undefined) chmodSync(file, mode)
}
