import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { duplexPair } from 'node:stream'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { launch, ready, run } from '../../core/cli/run-cli.ts'
import { shakeHands } from '../../plugins/tls/client.ts'
import { type Issued, issue } from '../../plugins/tls/issue.ts'
import { get } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { tempFile } from '../../support/temp-file.ts'
import { needTool } from '../../support/tools.ts'

// Certificates and handshakes that are wrong or odd, against the command that a user runs.

/** A folder with a certificate, its key, a page and a config. */
async function project({ cert, key }: Issued): Promise<string> {
  const config = {
    listen: [{ port: 0, tls: true }],
    plugins: [
      ['tls', { cert: './cert.pem', key: './key.pem' }],
      ['static', { root: '.' }],
    ],
  }
  const dir = dirname(await tempFile('rawhttp.config.json', JSON.stringify(config)))
  await Promise.all([
    writeFile(join(dir, 'cert.pem'), cert),
    writeFile(join(dir, 'key.pem'), key),
    writeFile(join(dir, 'index.html'), 'the page'),
  ])
  return dir
}

async function serve(pair: Issued) {
  const running = launch(['start'], { cwd: await project(pair) })
  return { running, port: Number(new URL(await ready(running)).port) }
}

async function pageOf(http: RawClient): Promise<string> {
  http.send(get())
  return (await http.response()).body.toString()
}

describe('rawhttp start', () => {
  test('names file and reason of a certificate that is none, and of a key that is another’s', async () => {
    const [pair, other] = [await issue(), await issue()]
    const cases: readonly (readonly [Issued, string])[] = [
      [{ ...pair, cert: 'nonsense' }, 'options.cert: expected a certificate'],
      [{ ...pair, key: 'nonsense' }, 'options.key: expected a private key'],
      [{ ...pair, key: other.key }, 'options.key: expected the private key of'],
    ]
    for (const [broken, reason] of cases) {
      const cwd = await project(broken)
      const { code, stderr } = await run(['start'], { cwd })
      expect([code, stderr.trimEnd().split('\n').length]).toEqual([78, 1])
      expect(stderr).toContain(`rawhttp.config.json: plugins[0] (tls): ${reason}`)
      expect(stderr).toContain(join(cwd, reason.includes('cert') ? 'cert.pem' : 'key.pem'))
    }
  })

  test.each([
    ['has expired', { days: -1 }, /cert\.pem: the certificate expired on [\d-]+; clients will refuse it/],
    ['is not yet valid', { from: 2 }, /cert\.pem: the certificate is not valid before [\d-]+/],
  ])('warns of a certificate that %s, and serves', async (_what, wish, warning) => {
    const { running, port } = await serve(await issue(wish))
    expect(await running.line(/warning/)).toMatch(warning)
    await using client = await shakeHands(port, { rejectUnauthorized: false })
    expect(await pageOf(client.http)).toBe('the page')
  })
})

describe('a client', () => {
  test('may send its hello in two hundred pieces', async () => {
    const pair = await issue()
    const { port } = await serve(pair)
    const [inner, outer] = duplexPair()
    const tls = connect({ socket: inner, ca: pair.cert, servername: 'localhost' })
    const [hello] = (await once(outer, 'data')) as [Buffer]
    await using raw = await RawClient.connect(port)
    await raw.sendSplit(hello, Math.ceil(hello.length / 200))
    outer.pipe(raw.socket).pipe(outer)
    await once(tls, 'secureConnect')
    expect(await pageOf(RawClient.over(tls))).toBe('the page')
  })

  test('that renegotiates is told no, and nobody else notices', async () => {
    const openssl = needTool('openssl', 'openssl')
    const pair = await issue()
    const { running, port } = await serve(pair)
    const args = ['s_client', '-tls1_2', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost']
    const client = spawn(openssl, args, { timeout: 20_000 })
    let said = ''
    for (const stream of [client.stdout, client.stderr])
      stream.setEncoding('utf8').on('data', text => {
        said += text
      })
    // Behind the handshake it shows what was agreed on; a line that is an R then begins another one.
    while (!said.includes('Verify return code')) await once(client.stdout, 'data')
    client.stdin.write('R\n')
    await once(client, 'close')
    expect(said).toMatch(/RENEGOTIATING.*no renegotiation/is)
    await using other = await shakeHands(port, { ca: pair.cert })
    expect(await pageOf(other.http)).toBe('the page')
    running.child.kill('SIGTERM')
    const { code, stderr } = await running.finished
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/error/i)])
  })
})
