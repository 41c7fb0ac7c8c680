import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { repository, workspace } from '../config/workspace.ts'

const bin = join(repository, 'bin/rawhttp.cjs')

describe('bin/rawhttp.cjs', () => {
  it('says on an old Node in one line what to run', async () => {
    const text = "Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } })"
    const preload = join(workspace({ 'old.cjs': text }), 'old.cjs')
    const started = promisify(execFile)(process.execPath, ['--require', preload, bin, 'start'])
    const stderr =
      'rawhttp needs Node 24 or later, this is 20.20.2: run npx --package=node@24 --package=rawhttp rawhttp\n'
    await expect(started).rejects.toMatchObject({ code: 1, stdout: '', stderr })
  })

  it('says where nothing is built yet in one line how to build or to do without', async () => {
    const copy = join(workspace({ 'bin/rawhttp.cjs': readFileSync(bin, 'utf8') }), 'bin/rawhttp.cjs')
    const started = promisify(execFile)(process.execPath, [copy, 'start'])
    const stderr =
      'rawhttp is not built: run npm run build, or npm run rawhttp -- COMMAND, which runs the sources\n'
    await expect(started).rejects.toMatchObject({ code: 1, stdout: '', stderr })
  })

  it('has no syntax that an old Node cannot parse, but for import()', () => {
    const code = readFileSync(bin, 'utf8').replace(/^(?:#!|\/\/).*$/gm, '')
    expect(code).not.toMatch(/=>|`|\b(?:const|let|async|await|class)\b|\?\.|\?\?/)
  })
})
