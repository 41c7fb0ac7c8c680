import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { needTool } from '../support/tools.ts'

const project = join(import.meta.dirname, '../..')
const units = join(project, 'deploy/systemd')
const executeFile = promisify(execFile)

/** The lines of a unit, by option; one that is written several times has several values. */
async function optionsOf(unit: string): Promise<(name: string) => string[]> {
  const lines = (await readFile(join(units, unit), 'utf8')).split('\n')
  const pairs = lines.filter(line => /^\w+=/.test(line)).map(line => /^(\w+)=(.*)$/.exec(line)!)
  return name => pairs.filter(pair => pair[1] === name).map(pair => pair[2]!)
}

describe('systemd', () => {
  let analyze: string
  let folder: string
  beforeEach(async () => {
    analyze = needTool('systemd-analyze', 'systemd')
    folder = await mkdtemp(join(tmpdir(), 'rawhttp-units-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await cp(units, folder, { recursive: true })
    // Node is where it is on this machine: the check wants to see the program.
    const service = join(folder, 'rawhttp.service')
    const text = await readFile(service, 'utf8')
    await writeFile(service, text.replace('ExecStart=/usr/bin/node', `ExecStart=${process.execPath}`))
  })

  test('has nothing to say against the units', async () => {
    const files = (await readdir(folder)).map(name => join(folder, name))
    expect(files).toHaveLength(3)
    expect(await executeFile(analyze, ['verify', ...files])).toEqual({ stdout: '', stderr: '' })
  })

  test('finds the service shut off from the machine: an exposure of 1.4 of 10', async () => {
    const args = [
      'security',
      '--no-pager',
      '--offline=true',
      '--threshold=14',
      join(folder, 'rawhttp.service'),
    ]
    const { stdout } = await executeFile(analyze, args)
    expect(stdout).toContain('Overall exposure level')
  })
})

describe('the service', () => {
  test('starts what the package has for a program', async () => {
    const option = await optionsOf('rawhttp.service')
    const { bin } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
    expect(option('ExecStart')).toEqual([`/usr/bin/node ${join('node_modules/rawhttp', bin.rawhttp)} start`])
  })

  test('has longer to stop than the server takes at most', async () => {
    const [time] = (await optionsOf('rawhttp.service'))('TimeoutStopSec')
    expect(Number.parseInt(time!, 10)).toBeGreaterThan(10 + 1)
  })

  test('lets systemd-notify speak, and Node make machine code', async () => {
    const option = await optionsOf('rawhttp.service')
    expect([option('Type'), option('NotifyAccess')]).toEqual([['notify'], ['all']])
    expect(option('MemoryDenyWriteExecute')).toEqual(['no'])
  })

  test.each(['rawhttp.socket', 'rawhttp-tls.socket'])(
    'is what %s starts, with a name for its socket',
    async unit => {
      const option = await optionsOf(unit)
      expect(option('Service')).toEqual(['rawhttp.service'])
      expect(option('FileDescriptorName')).toEqual([unit === 'rawhttp.socket' ? 'http' : 'https'])
    },
  )
})
