import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeCertificate } from '../../support/certificate.ts'
import { needTool } from '../../support/tools.ts'
import { repository, workspace } from '../config/workspace.ts'
import { configOf, reloadServer, runtimeFolder } from './reload-server.ts'
import { launch, ready } from './run-cli.ts'

const config = 'rawhttp.config.ts'
const answering = (text: string, more = '') => ({ [config]: configOf({ answer: `'${text}'`, more }) })

/** The fingerprint of the certificate that a server shows. */
async function shownAt(url: string): Promise<string> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

/** How often each config was started, by what its start says. */
const starts = (word: string) => `server({ hooks }) {
  hooks.start.tapPromise('s', async () => {
    process.stderr.write('starts ${word}\\n')
    await new Promise(resolve => setTimeout(resolve, 300))
  })
},`

describe('SIGHUP', () => {
  it('reloads the config', async () => {
    const { running, write, text } = await reloadServer(answering('one'))
    await text()
    write(answering('two'))
    running.child.kill('SIGHUP')
    await running.line(/^rawhttp: reloaded rawhttp\.config\.ts$/)
    expect(await text()).toBe('two')
  })

  it('with a broken config leaves the server as it is, and says why', async () => {
    const { running, write, text } = await reloadServer(answering('one'))
    write({ [config]: 'throw new Error("boom")' })
    running.child.kill('SIGHUP')
    await running.line(/^rawhttp: rawhttp\.config\.ts: line 1: boom$/)
    expect(await text()).toBe('one')
  })

  it('that comes while a reload is under way is one more, however often it comes', async () => {
    const { running, write, reload } = await reloadServer(answering('one'))
    write(answering('two', starts('two')))
    running.child.kill('SIGHUP')
    await running.line(/^starts two$/)
    write(answering('three', starts('three')))
    for (let i = 0; i < 5; i++) running.child.kill('SIGHUP')
    expect(await reload()).toMatchObject({ code: 0 })
    running.child.kill('SIGTERM')
    const { stderr } = await running.finished
    expect(stderr.match(/^starts three$/gm)).toHaveLength(1)
    expect(stderr.match(/^rawhttp: reloaded/gm)).toHaveLength(2)
  })

  it('that comes while the server starts is made up for', async () => {
    const cwd = workspace({
      [config]:
        "process.stderr.write('loads\\n')\nawait new Promise(go => setTimeout(go, 300))\nexport default { listen: [{ port: 0 }] }",
    })
    const running = launch(['start'], { cwd })
    await running.line(/^loads$/)
    running.child.kill('SIGHUP')
    await ready(running)
    await running.line(/^rawhttp: reloaded rawhttp\.config\.ts, whose modules have not changed$/)
  })

  it('that comes while the server stops changes nothing', async () => {
    const stops = `server({ hooks }) {
      hooks.stop.tapPromise('s', async () => {
        process.stderr.write('stops\\n')
        await new Promise(resolve => setTimeout(resolve, 300))
      })
    },`
    const { running } = await reloadServer(answering('one', stops))
    running.child.kill('SIGTERM')
    await running.line(/^stops$/)
    running.child.kill('SIGHUP')
    const { code, stderr } = await running.finished
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining('rawhttp: not reloaded: the server is stopping\n'),
    ])
  })

  it('takes certificates that have changed, though the config has not', async () => {
    const [one, two] = [await makeCertificate(), await makeCertificate()]
    const tls = { cert: './cert.pem', key: './key.pem' }
    const json = JSON.stringify({ listen: [{ port: 0, tls: true }], plugins: [['tls', tls]] })
    const pem = ({ cert, key }: typeof one) => ({ 'cert.pem': cert, 'key.pem': key })
    const { running, url, write } = await reloadServer({ 'rawhttp.config.json': json, ...pem(one) })
    expect(await shownAt(url)).toBe(new X509Certificate(one.cert).fingerprint256)
    write(pem(two))
    running.child.kill('SIGHUP')
    await running.line(/^rawhttp: reloaded/)
    expect(await shownAt(url)).toBe(new X509Certificate(two.cert).fingerprint256)
  })

  it('because the terminal is gone ends the server, as it does any program', async () => {
    const terminal = needTool('script', 'bsdutils')
    const runtime = runtimeFolder()
    const cwd = workspace({ 'rawhttp.config.json': '{"listen":[{"port":0}]}' })
    const command = `exec ${process.execPath} --conditions=rawhttp-source ${join(repository, 'core/cli.ts')} start`
    const child = spawn(terminal, ['-qfec', command, '/dev/null'], {
      cwd,
      env: { ...process.env, XDG_RUNTIME_DIR: runtime },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    await vi.waitFor(() => expect(readdirSync(runtime)).toHaveLength(1), 10_000)
    child.kill('SIGKILL')
    // A server that ends takes its socket away; one that goes on would keep it.
    await vi.waitFor(() => expect(readdirSync(runtime)).toEqual([]), 10_000)
  })

  it('opens logs anew, though the config is broken', async () => {
    const json = JSON.stringify({ listen: [{ port: 0 }], plugins: [['access-log', { file: 'access.log' }]] })
    const { cwd, running, write, text } = await reloadServer({ 'rawhttp.config.json': json })
    const [log, old] = [join(cwd, 'access.log'), join(cwd, 'access.log.1')]
    await text('/one')
    renameSync(log, old)
    write({ 'rawhttp.config.json': '{' })
    running.child.kill('SIGHUP')
    await running.line(/syntax error/)
    await text('/two')
    running.child.kill('SIGTERM')
    await running.finished
    expect([readFileSync(old, 'utf8'), readFileSync(log, 'utf8')]).toEqual([
      expect.stringMatching(/^.*\/one.*\n$/),
      expect.stringMatching(/^.*\/two.*\n$/),
    ])
  })
})
