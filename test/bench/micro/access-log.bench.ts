import { test } from 'vitest'
import { formatsOf, JSON_FIELDS } from '../../../plugins/access-log/formats.ts'
import { masksOf } from '../../../plugins/access-log/mask.ts'
import { answered } from './support.ts'

const masks = masksOf({ addresses: false, query: 'secrets', credentials: true })
const json = Object.fromEntries(JSON_FIELDS.map(name => [name, name]))

test('a line of the access log', async ({ bench }) => {
  const [plain, secret, long] = await Promise.all(
    ['/articles/of-today', '/a?token=abc&page=2', `/${'a'.repeat(2_000)}`].map(answered),
  )
  const line = (format: string, seen = plain!) => {
    const [write] = formatsOf(format, json, masks)
    return () => void write({ ...seen, sample: 1 })
  }
  await bench.compare(
    bench('common', line('common')),
    bench('combined', line('combined')),
    bench('json', line('json')),
    bench('a template', line('{client} {method} {path} {status}')),
    bench('combined, a query with a secret', line('combined', secret)),
    bench('combined, a target of 2 kB', line('combined', long)),
  )
})
