import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { launch, ready, run } from '../../core/cli/run-cli.ts'
import { tempFile } from '../../support/temp-file.ts'
import { shakeHands } from './client.ts'
import { issue } from './issue.ts'

/** A folder with a config that only JSON can say, a certificate and a key. */
async function project(pair: { readonly cert: string; readonly key: string }): Promise<string> {
  const options = { cert: './cert.pem', key: './key.pem' }
  const config = { listen: [{ port: 0, tls: true }], plugins: [['tls', options]] }
  const dir = dirname(await tempFile('rawhttp.config.json', JSON.stringify(config)))
  await writeFile(join(dir, 'cert.pem'), pair.cert)
  await writeFile(join(dir, 'key.pem'), pair.key)
  return dir
}

describe.each(['start', 'check'])('rawhttp %s', command => {
  test('ends with 78 for a broken certificate, and names file and reason', async () => {
    const dir = await project({
      ...(await issue()),
      cert: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
    })
    const { code, stderr } = await run([command], { cwd: dir })
    expect(code).toBe(78)
    expect(stderr).toMatch(
      /^rawhttp: rawhttp\.config\.json: plugins\[0\] \(tls\): options\.cert: expected a certificate, got one that cannot be parsed, [^\n]+cert\.pem\n$/,
    )
  })

  test('ends with 78 for a key of another certificate', async () => {
    const [{ cert }, { key }] = [await issue(), await issue()]
    const dir = await project({ cert, key })
    const { code, stderr } = await run([command], { cwd: dir })
    expect(code).toBe(78)
    expect(stderr).toContain(`options.key: expected the private key of ${join(dir, 'cert.pem')}`)
  })
})

test('rawhttp check warns of a certificate that has expired', async () => {
  const dir = await project(await issue({ days: -1 }))
  const { code, stderr } = await run(['check'], { cwd: dir })
  expect(code).toBe(0)
  expect(stderr).toMatch(
    /^rawhttp: warning: .+cert\.pem: the certificate expired on .+ \(TLS_CERTIFICATE\)\n$/,
  )
})

test('rawhttp start says https in its ready line', async () => {
  const pair = await issue()
  const running = launch(['start'], { cwd: await project(pair) })
  const url = new URL(await ready(running))
  expect(url.protocol).toBe('https:')
  await using client = await shakeHands(Number(url.port), { ca: pair.cert })
  expect(client.tls.authorized).toBe(true)
})
