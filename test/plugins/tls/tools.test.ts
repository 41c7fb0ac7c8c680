import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'
import { HttpResponse } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answering, startServer, type TestServer } from '../../support/server.ts'
import { needTool } from '../../support/tools.ts'
import { type Chain, makeChain } from './chain.ts'

// TLS as others see it, with a chain of three certificates.

const run = promisify(execFile)

let folder: string
let chain: Chain
let served: TestServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rawhttp-tls-'))
  chain = await makeChain(folder)
  const { cert, key } = chain
  const page = answering(() => HttpResponse.html('<!doctype html><title>secured</title><p>hello'))
  served = await startServer({
    listen: [{ port: 0, tls: true }],
    plugins: [tls({ cert, key, hsts: true }), page],
  })
})
afterAll(async () => {
  await served[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const url = () => `https://localhost:${served.port}/`

describe('curl', () => {
  test('trusts the chain, and gets the page', async () => {
    const curl = needTool('curl', 'curl')
    const { stdout, stderr } = await run(curl, ['-sSv', '--max-time', '20', '--cacert', chain.root, url()])
    expect(stdout).toContain('<p>hello')
    expect(stderr).toContain('SSL certificate verify ok')
    expect(stderr).toContain('ALPN: server accepted http/1.1')
    expect(stderr.toLowerCase()).toContain('< strict-transport-security: max-age=31536000')
  })

  test('shows the sentence for plain HTTP', async () => {
    const curl = needTool('curl', 'curl')
    const { stdout } = await run(curl, ['-sS', '--max-time', '20', '-i', `http://localhost:${served.port}/`])
    expect(stdout).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(stdout).toContain('use https://')
  })
})

describe('openssl s_client', () => {
  const talk = async (args: readonly string[], input: string): Promise<string> => {
    const openssl = needTool('openssl', 'openssl')
    const to = ['-connect', `127.0.0.1:${served.port}`, '-servername', 'localhost', '-CAfile', chain.root]
    const child = spawn(openssl, ['s_client', ...to, ...args], { timeout: 20_000 })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text))
    child.stdin.on('error', () => undefined).write(input)
    await once(child, 'close')
    return said
  }
  const closing = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'

  test.each(['-tls1_2', '-tls1_3'])('%s verifies the chain and gets the page', async version => {
    const said = await talk([version, '-verify_return_error', '-alpn', 'http/1.1', '-ign_eof'], closing)
    expect(said).toContain('Verify return code: 0 (ok)')
    expect(said).toContain('ALPN protocol: http/1.1')
    expect(said).toContain('<p>hello')
  })

  test('cannot renegotiate', async () => {
    // A line with a single R is its command for that.
    const said = await talk(['-tls1_2'], 'R\n')
    expect(said).toMatch(/no renegotiation/i)
  })
})

describe('Chromium', () => {
  test('opens the page by TLS 1.3', async () => {
    const executablePath = needTool('chromium', 'chromium')
    // It has a list of authorities of its own; that it takes the chain is checked by the others.
    const browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
      ],
    })
    try {
      const page = await browser.newPage({ ignoreHTTPSErrors: true })
      const response = await page.goto(url())
      expect(await page.title()).toBe('secured')
      expect(await response!.securityDetails()).toMatchObject({
        protocol: 'TLS 1.3',
        subjectName: 'localhost',
      })
    } finally {
      await browser.close()
    }
  })
})

describe('testssl.sh', () => {
  /** Severities of its report that are more than low. */
  const SERIOUS = new Set(['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL', 'WARN'])
  /** It is not about the server: Debian's openssl has no GOST engine. */
  const ABOUT_ITSELF = new Set(['engine_problem'])

  interface Finding {
    readonly id: string
    readonly severity: string
    readonly finding: string
  }

  async function findings(name: string, sections: readonly string[]): Promise<Finding[]> {
    const testssl = needTool('testssl', 'testssl.sh')
    const report = join(folder, `${name}.json`)
    const how = ['--quiet', '--color', '0', '--warnings', 'off', '--ip', 'one', '--add-ca', chain.root]
    // It waits for answers that never come, as they should: not so long on this machine.
    const env = { ...process.env, HEARTBLEED_MAX_WAITSOCK: '2', CCS_MAX_WAITSOCK: '2', MAX_WAITSOCK: '2' }
    await run(testssl, [...how, '--jsonfile', report, ...sections, `localhost:${served.port}`], {
      env,
      timeout: 170_000,
      maxBuffer: 2 ** 24,
    })
    return JSON.parse(await readFile(report, 'utf8')) as Finding[]
  }

  test('finds nothing above low in protocols, ciphers, their order, forward secrecy and vulnerabilities', {
    timeout: 180_000,
  }, async () => {
    const [agreed, attacks] = await Promise.all([
      findings('agreed', ['-p', '-s', '-P', '-f']),
      findings('attacks', ['-U']),
    ])
    const found = [...agreed, ...attacks]
    const serious = found.filter(({ id, severity }) => SERIOUS.has(severity) && !ABOUT_ITSELF.has(id))
    expect(serious).toEqual([])
    // It has really looked.
    const ids = new Map(found.map(({ id, finding }) => [id, finding]))
    expect(ids.get('TLS1_3')).toContain('offered')
    expect(ids.get('TLS1_1')).toBe('not offered')
    for (const id of ['cipherlist_STRONG', 'PFS', 'heartbleed', 'ROBOT', 'secure_client_renego', 'LUCKY13']) {
      expect([...ids.keys()]).toContain(id)
    }
  })
})
