import { describe, expect, it } from 'vitest'
import { configOf, reloadServer } from '../reload-server.ts'
import { ask, askAll, until } from './ask.ts'

const version = (number: number, more: Partial<Parameters<typeof configOf>[0]> = {}) => ({
  'rawhttp.config.mjs': configOf({ answer: `'${number} ' + process.pid`, ...more }),
})

/** Fails in the second worker only: whoever asks for a file first makes it. */
const failsInOne = {
  imports: "import { mkdirSync } from 'node:fs'",
  more: "server(server) { server.hooks.start.tap('once', () => mkdirSync('started')) },",
}

describe('a reload in place', () => {
  it('changes all workers, which stay the processes that they were', async () => {
    const { url, write, reload, running } = await reloadServer(version(1), ['--workers', '2'])
    const before = await askAll(url, 2)
    write(version(2))
    expect(await reload()).toEqual({ code: 0, text: 'rawhttp: reloaded rawhttp.config.mjs\n' })
    expect(await askAll(url, 2)).toEqual(before.map(answer => answer.replace('1 ', '2 ')))
    await running.line(/reloaded/)
  })

  it('changes none when one cannot, and says why', async () => {
    const { url, write, reload } = await reloadServer(version(1), ['--workers', '2'])
    const before = await askAll(url, 2)
    write(version(2, failsInOne))
    const { code, text } = await reload()
    expect([code, text]).toEqual([
      1,
      expect.stringContaining('not reloaded, the config before goes on serving'),
    ])
    expect(text).toContain('EEXIST')
    expect(await askAll(url, 2)).toEqual(before)
    write(version(3))
    expect((await reload()).code).toBe(0)
    expect(await askAll(url, 2)).toEqual(before.map(answer => answer.replace('1 ', '3 ')))
  })

  it('of a config with a mistake has exit code 78', async () => {
    const { url, write, reload } = await reloadServer(version(1), ['--workers', '2'])
    write({ 'rawhttp.config.mjs': 'export default { lissten: [] }' })
    const { code, text } = await reload()
    expect(code).toBe(78)
    expect(text.match(/lissten/g)).toHaveLength(1)
    expect(await ask(url)).toMatch(/^1 /)
  })

  it('loses nobody, and comes with SIGHUP too', async () => {
    const { url, write, running } = await reloadServer(version(1), ['--workers', '2'])
    write(version(2))
    let count = 0
    running.child.kill('SIGHUP')
    await until(async () => {
      count++
      return (await ask(url)).startsWith('2 ')
    })
    for (; count < 200; count++) await ask(url)
    expect(await askAll(url, 2)).toHaveLength(2)
  })

  it('opens a free port that all have', async () => {
    const { url, write, reload } = await reloadServer(version(1), ['--workers', '2'])
    const second = configOf({ answer: "'2 ' + process.pid" }).replace(
      '{ port: 0 }',
      "{ port: 0 }, { host: '127.0.0.2', port: 0 }",
    )
    write({ 'rawhttp.config.mjs': second })
    const { text } = await reload()
    const [, port] = /listening on http:\/\/127\.0\.0\.2:(\d+)/.exec(text)!
    const pids = new Set<string>()
    for (let i = 0; pids.size < 2 && i < 500; i++) {
      const answer = await fetch(`http://127.0.0.2:${port}/`, { headers: { connection: 'close' } })
      pids.add(await answer.text())
    }
    expect([...pids].sort()).toEqual(await askAll(url, 2))
  })

  it('waits for a worker that starts, which has the new config', async () => {
    const { url, write, reload, running } = await reloadServer(version(1), ['--workers', '2'])
    const [first] = await askAll(url, 2)
    write(version(2))
    process.kill(Number(first!.slice(2)), 'SIGKILL')
    await running.line(/another one starts/)
    expect((await reload()).code).toBe(0)
    // It may come before or after the reload.
    await until(async () => (await askAll(url, 2)).every(answer => answer.startsWith('2 ')))
  })
})

describe('a reload by fresh workers', () => {
  it('loses no request of thousands', async () => {
    const { url, write, reload } = await reloadServer(version(0), ['--workers', '2', '--rolling'])
    const answers: string[] = []
    const failures: unknown[] = []
    for (const round of [1, 2, 3]) {
      write(version(round))
      let isReloaded = false
      const client = async () => {
        while (!isReloaded || answers.length < round * 1_000)
          await ask(url).then(
            answer => answers.push(answer[0]!),
            error => failures.push(error),
          )
      }
      const clients = Array.from({ length: 8 }, client)
      expect(await reload()).toEqual({ code: 0, text: 'rawhttp: reloaded by fresh workers\n' })
      isReloaded = true
      await Promise.all(clients)
    }
    expect(failures).toEqual([])
    expect([...new Set(answers)].sort()).toEqual(['0', '1', '2', '3'])
  })

  it('leaves the old ones when the new ones do not come to serve', async () => {
    const { url, write, reload } = await reloadServer(version(1), ['--workers', '2', '--rolling'])
    const before = await askAll(url, 2)
    write(version(2, failsInOne))
    const { code, text } = await reload()
    expect([code, text]).toEqual([1, expect.stringContaining('not reloaded')])
    expect(text).toContain('EEXIST')
    expect(await askAll(url, 2)).toEqual(before)
  })
})
