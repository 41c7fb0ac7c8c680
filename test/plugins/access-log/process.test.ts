import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { linesOf, parse, readable, tempFolder } from './log.ts'

const root = join(import.meta.dirname, '../../..')

const prelude = `
  import { createServer, definePlugin, Handle, HttpResponse } from 'rawhttp'
  import { accessLog } from 'rawhttp/plugins/access-log'
  const hello = definePlugin({ name: 'hello', site: site => site.hooks.handle.tap(
    { name: 'hello', stage: Handle.Route }, () => HttpResponse.text('hello')) })
  const make = options => createServer({ plugins: [accessLog(options), hello] })
`

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program that has `make` (a server with a log) to its end. */
async function run(
  program: string,
  more: { readonly env?: NodeJS.ProcessEnv; readonly deaf?: boolean } = {},
): Promise<Ended> {
  const flags = ['--conditions=rawhttp-source', '--input-type=module', '-e', prelude + program]
  const child = spawn(process.execPath, flags, { cwd: root, env: { ...process.env, ...more.env } })
  let stdout = ''
  let stderr = ''
  if (more.deaf) child.stdout.destroy()
  else child.stdout.setEncoding('latin1').on('data', data => (stdout += data))
  child.stderr.setEncoding('utf8').on('data', data => (stderr += data))
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  return { code, stdout, stderr }
}

const requests = (count: number, from = 0) =>
  `for (let i = ${from}; i < ${from + count}; i++) await server.inject('/' + i)\n`
const targets = (log: string) => linesOf(log).map(line => parse(line).request.split(' ')[1])
const upTo = (count: number) => Array.from({ length: count }, (_, i) => `/${i}`)

describe('standard output', () => {
  test('has every line when the server has stopped, and the process may exit at once', async () => {
    const ended = await run(
      `const server = await make({})\n${requests(3_000)}await server.stop()\nprocess.exit(0)`,
    )
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(targets(ended.stdout)).toEqual(upTo(3_000))
  })

  test('has every line when the process exits without stopping the server', async () => {
    const ended = await run(`const server = await make({})\n${requests(2_000)}process.exit(3)`)
    expect(ended).toMatchObject({ code: 3, stderr: '' })
    expect(targets(ended.stdout).sort()).toEqual(upTo(2_000).sort())
  })

  test('has every line when the process just ends, or dies of an exception', async () => {
    const quiet = await run(`const server = await make({})\n${requests(7)}`)
    expect(targets(quiet.stdout)).toEqual(upTo(7))
    const loud = await run(`const server = await make({})\n${requests(7)}throw new Error('boom')`)
    expect(loud.code).toBe(1)
    expect(targets(loud.stdout)).toEqual(upTo(7))
  })

  test('gets a line within a second while the server goes on', async () => {
    const ended = await run(`
      const server = await make({})
      await server.inject('/only')
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 900)
    `)
    expect(targets(ended.stdout)).toEqual(['/only'])
  })

  test('that nobody reads any more is reported once and does not end the server', async () => {
    const ended = await run(
      `
      const server = await make({})
      await server.inject('/first')
      const wait = () => new Promise(resolve => setTimeout(resolve, 250))
      await wait()
      ${requests(5)}
      await wait()
      const answer = await server.inject('/last')
      console.error('answered', answer.status)
      await server.stop()
      process.exit(0)
    `,
      { deaf: true },
    )
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain('answered 200')
    expect(ended.stderr.match(/cannot be written: .*EPIPE/g)).toHaveLength(1)
    expect(ended.stderr).toMatch(/the access log on standard output ended with \d+ bytes unwritten/)
  })

  test('has local time with its offset', async () => {
    const program = `const server = await make({})\n${requests(1)}await server.stop()`
    for (const [zone, offset] of [
      ['Asia/Kolkata', '+0530'],
      ['America/St_Johns', /^-0[23]30$/],
      ['UTC', '+0000'],
    ] as const) {
      const { stdout } = await run(program, { env: { TZ: zone } })
      const { time } = parse(linesOf(stdout)[0]!)
      expect(time.slice(-5)).toEqual(typeof offset === 'string' ? offset : expect.stringMatching(offset))
      const at = Date.parse(readable(time))
      expect(Math.abs(Date.now() - at)).toBeLessThan(30_000)
    }
  })
})

describe('a file', () => {
  test('is appended to, and has every line when the process exits in the middle of a batch', async () => {
    const file = join(await tempFolder(), 'access.log')
    const program = (from: number) =>
      `const server = await make({ file: ${JSON.stringify(file)} })\n${requests(1_500, from)}process.exit(0)`
    expect(await run(program(0))).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await run(program(1_500))).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(targets(await readFile(file, 'latin1')).sort()).toEqual(upTo(3_000).sort())
  })
})
