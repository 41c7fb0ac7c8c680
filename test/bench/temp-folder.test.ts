import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { tempFolder } from './temp-folder.ts'

test('a folder is gone with its block', () => {
  const path = (() => {
    using folder = tempFolder('a')
    expect(existsSync(folder.path)).toBe(true)
    return folder.path
  })()
  expect(existsSync(path)).toBe(false)
})

test('a process that ends in the middle leaves no folder behind', async () => {
  const module = JSON.stringify(join(import.meta.dirname, 'temp-folder.ts'))
  const code = `import { tempFolder } from ${module}; console.log(tempFolder('a').path); process.exit(130)`
  const ended = promisify(execFile)(process.execPath, ['--input-type=module', '-e', code])
  const { stdout } = await ended.catch(error => error)
  expect(stdout).toContain('rawhttp-a-')
  expect(existsSync(stdout.trim())).toBe(false)
})
