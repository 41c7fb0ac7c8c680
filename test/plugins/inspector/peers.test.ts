import { inspector } from 'rawhttp/plugins/inspector'
import { expect, onTestFinished, test } from 'vitest'
import { resolveConfig } from '../../../core/config/resolve.ts'
import { alone } from '../../../core/seat.ts'
import { buildServer } from '../../../core/server.ts'
import { exchangeBytes } from '../../support/raw-client.ts'

test.each([
  ['one of several workers shows itself alone', false],
  ['the only process shows all there is', true],
])('the page says whether %s', async (_, isAlone) => {
  const plugins = [inspector()]
  const config = await resolveConfig({ listen: [{ port: 0 }], plugins }, { file: null, dir: '/' })
  const server = await buildServer(config, { seat: { ...alone, link: { ...alone.link, isAlone } } })
  onTestFinished(() => server.stop({ deadline: 0 }))
  const [address] = await server.listen()
  const { port } = new URL(address!.url)
  const request = 'GET /.rawhttp/inspector HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'
  const page = await exchangeBytes(Number(port), request)
  expect(page).toMatch(/^HTTP\/1\.1 200 /)
  expect(page.includes('one of several workers')).toBe(!isAlone)
})
