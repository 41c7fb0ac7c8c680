import { describe, expect, it } from 'vitest'
import { inCommon } from '../../../support/when-over.ts'
import { configOf, reloadServer } from '../reload-server.ts'
import { ask, askAll, until } from './ask.ts'

const config = configOf({
  imports: "import { setTimeout } from 'node:timers/promises'",
  top: `
async function answerOf({ path, target }) {
  if (path === '/hang') { process.stderr.write('hanging\\n'); for (;;); }
  if (path !== '/slow') return process.pid
  process.stderr.write(target + '\\n')
  await setTimeout(600)
  return process.pid
}`,
  answer: 'await answerOf(request)',
})
const files = { 'rawhttp.config.mjs': config }

const isAlive = (pid: string): boolean => {
  try {
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}

describe('a worker that is killed', () => {
  const server = inCommon(() => reloadServer(files, ['--workers', '2']))

  it('takes only its own requests with it, and another one comes', async () => {
    const { url, running } = server()
    const before = await askAll(url, 2)
    const held = ask(url, '/slow').catch(() => 'lost')
    await running.line(/^\/slow$/)
    const answers: string[] = []
    const load = until(async () => {
      answers.push(await ask(url).catch(() => 'lost'))
      return answers.length === 200
    })
    process.kill(Number(before[0]), 'SIGKILL')
    await running.line(/another one starts/)
    await load
    const after = await askAll(url, 2)
    expect(after).toContain(before[1])
    expect(after).not.toContain(before[0])
    // One connection at a time: it is the only one that the killed worker may have had, in its hand or its queue.
    expect(answers.filter(answer => answer === 'lost').length).toBeLessThanOrEqual(1)
    expect([before[1], 'lost']).toContain(await held)
    expect(await running.line(/worker/)).toMatch(
      /^rawhttp: worker [12] \(\d+\) was ended by SIGKILL; another one starts in 0\.1 s$/,
    )
  })

  it('has no other one in its place while what is on disk is broken and others serve', async () => {
    const { url, running, write, reload } = server()
    const [first, second] = await askAll(url, 2)
    write({ 'rawhttp.config.mjs': "throw new Error('broken')" })
    process.kill(Number(first), 'SIGKILL')
    await running.line(/did not come to serve/)
    expect(await running.line(/did not come to serve/)).toMatch(
      /^rawhttp: worker [12] \(\d+\) did not come to serve; another one starts with the next reload$/,
    )
    expect(await ask(url)).toBe(second)
    expect((await reload()).code).toBe(78)
    write({ 'rawhttp.config.mjs': `${config}\n` })
    expect((await reload()).code).toBe(0)
    expect(await askAll(url, 2)).toContain(second)
  })
})

describe('the last worker', () => {
  it('starts again ever later while what is on disk is broken, and in the end no more', async () => {
    const works = { 'rawhttp.config.mjs': configOf({ answer: 'process.pid' }) }
    const { running, url, write } = await reloadServer(works, ['--workers', '1'])
    write({ 'rawhttp.config.mjs': "throw new Error('broken')" })
    process.kill(Number(await ask(url)), 'SIGKILL')
    const { code, stderr } = await running.finished
    expect(code).toBe(1)
    const pauses = [...stderr.matchAll(/starts in (\S+) s$/gm)].map(([, pause]) => Number(pause))
    expect(pauses).toEqual([0.1, 0.2, 0.4, 0.8, 1.6])
    expect(stderr).toMatch(/did not come to serve, 6 failures in a row, and no other serves: giving up\n$/)
  })
})

describe('a signal', () => {
  it('lets all workers finish what is in flight', async () => {
    const { url, running } = await reloadServer(files, ['--workers', '2'])
    const pids = await askAll(url, 2)
    const paths = ['/slow?1', '/slow?2', '/slow?3', '/slow?4']
    const held = Promise.all(paths.map(path => ask(url, path)))
    for (const path of paths) await running.line(new RegExp(`^${path.replace('?', '.')}$`))
    running.child.kill('SIGTERM')
    for (const pid of await held) expect(pids).toContain(pid)
    expect((await running.finished).code).toBe(0)
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('ends a reload that is under way, which says so', async () => {
    const { running, write, reload } = await reloadServer(files, ['--workers', '2'])
    const hangs = `server({ hooks }) {
      hooks.start.tapPromise('hang', () => {
        process.stderr.write('starting\\n')
        return new Promise(() => undefined)
      })
    },`
    write({ 'rawhttp.config.mjs': configOf({ more: hangs }) })
    const reloaded = reload()
    await running.line(/^starting$/)
    running.child.kill('SIGTERM')
    const why = 'rawhttp: not reloaded: the server is stopping\n'
    expect(await reloaded).toEqual({ code: 1, text: why })
    const { code, stderr } = await running.finished
    expect([code, stderr]).toEqual([0, expect.stringContaining(why)])
  })

  it('that is the second forces, also where a worker hangs', async () => {
    const { url, running } = await reloadServer(files, ['--workers', '2'])
    const pids = await askAll(url, 2)
    ask(url, '/hang').catch(() => undefined)
    await running.line(/^hanging$/)
    running.child.kill('SIGTERM')
    running.child.kill('SIGINT')
    expect([143, 130]).toContain((await running.finished).code)
    await until(() => !pids.some(isAlive))
  })
})

describe('a primary that is killed', () => {
  it('leaves workers that finish what is in flight, and end', async () => {
    const { url, running } = await reloadServer(files, ['--workers', '2'])
    const pids = await askAll(url, 2)
    const held = ask(url, '/slow')
    await running.line(/^\/slow$/)
    running.child.kill('SIGKILL')
    expect(pids).toContain(await held)
    await until(() => !pids.some(isAlive))
  })
  it('leaves nobody waiting for an answer that would come through it', async () => {
    const asking = configOf({
      top: 'let peers',
      more: `server(server) {
        peers = server.peers
        peers.hear('never', () => {
          process.stderr.write('asked\\n')
          return new Promise(() => undefined)
        })
      },`,
      answer: "request.path === '/ask' ? JSON.stringify(await peers.ask('never')) : process.pid",
    })
    const { url, running } = await reloadServer({ 'rawhttp.config.mjs': asking }, ['--workers', '2'])
    await askAll(url, 2)
    const answer = ask(url, '/ask')
    await running.line(/^asked$/)
    running.child.kill('SIGKILL')
    expect(await answer).toBe('[]')
  })
})
