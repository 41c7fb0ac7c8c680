import { test } from 'vitest'
import { needTool } from '../support/tools.ts'
import { expectWell } from './expect-well.ts'
import { smallFlood, tlsFlood } from './tls.ts'

const options = { timeout: 120_000 }

test(
  '2,000 clients that stop in the middle of a TLS hello cost a socket each, and nobody waits',
  options,
  async () => {
    needTool('openssl', 'openssl')
    await expectWell(() => tlsFlood('stalled', smallFlood))
  },
)

test(
  'an honest client is served within 2 s behind 2,000 that say hello and fall silent',
  options,
  async () => {
    needTool('openssl', 'openssl')
    await expectWell(() => tlsFlood('silent', smallFlood))
  },
)

test('an honest client is served within 2 s while 2,000 others shake hands', options, async () => {
  needTool('openssl', 'openssl')
  await expectWell(() => tlsFlood('whole', smallFlood))
})
