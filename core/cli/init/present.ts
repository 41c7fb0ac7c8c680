import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isConfigError } from '../../config/errors.ts'
import { parseJson } from '../../config/json.ts'
import { show } from '../../config/show.ts'

/** The part of a package.json that decides what is written beside it. */
interface Present {
  readonly type?: unknown
  readonly rawhttp?: unknown
}

/**
 * The package.json of a folder; null where there is none, or something that is no file.
 *
 * @throws Error when it cannot be read or is no JSON object.
 */
export function presentManifest(folder: string): Present | null {
  const file = join(folder, 'package.json')
  if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) return null
  const value = parsed(file)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new Error(`${file}: expected a JSON object, got ${show(value)}`)
}

function parsed(file: string): unknown {
  try {
    return parseJson(file, readFileSync(file, 'utf8'))
  } catch (error) {
    // Not as a mistake of a config, which it is none.
    throw isConfigError(error) ? new Error(`${file}: ${error.detail}`, { cause: error }) : error
  }
}
