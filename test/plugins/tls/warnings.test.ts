import { expect, test } from 'vitest'
import { readPair } from '../../../plugins/tls/pair.ts'
import { pemSource } from '../../../plugins/tls/pem.ts'
import { Warnings } from '../../../plugins/tls/warnings.ts'
import { type Issued, issue } from './issue.ts'

const pairOf = ({ cert, key }: Issued) =>
  readPair({
    cert: pemSource('cert', cert, String),
    key: pemSource('key', key, String),
    passphrase: undefined,
    hosts: undefined,
  })

test('a warning is given once, however often the certificate is looked at', async () => {
  const told: string[] = []
  const warnings = new Warnings(({ message }) => void told.push(message))
  const soon = await pairOf(await issue({ days: 3 }))
  for (let look = 0; look < 3; look++) warnings.about(soon)
  expect(told).toEqual([expect.stringContaining('expires on')])
  warnings.about(await pairOf(await issue({ days: 2 })))
  expect(told).toHaveLength(2)
})
