import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { TestRunner } from 'vitest'

/**
 * The path of a system tool, for the body of a test (or of its `beforeEach`) that cannot do without it.
 * Where it is missing the test is skipped, with a sentence that names the Debian package; in CI it fails.
 *
 * @example
 * test('curl gets the page', () => {
 *   const curl = needTool('curl', 'curl')
 *   …
 * })
 */
export function needTool(name: string, debianPackage: string): string {
  return findTool(name) ?? cannotRun(missingTool(name, debianPackage))
}

/** Skips the test that runs, with the reason; in CI, where nothing may be missing, it fails. */
export function cannotRun(reason: string): never {
  const test = TestRunner.getCurrentTest()
  const { CI } = process.env
  if (test === undefined || CI === 'true') throw new Error(reason)
  return test.context.skip(reason)
}

/** The first executable of that name on the PATH. */
export const findTool = (name: string): string | undefined => findTools(name)[0]

/** Every executable of that name, in the order of the PATH. */
export function findTools(name: string): string[] {
  const { PATH = '' } = process.env
  const folders = PATH.split(delimiter).filter(folder => folder !== '')
  return folders.map(folder => join(folder, name)).filter(isExecutable)
}

/** What a person reads who has to install the tool first. */
export function missingTool(name: string, debianPackage: string): string {
  return `This needs ${name}, which is not on the PATH: install it with "apt-get install ${debianPackage}".`
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
