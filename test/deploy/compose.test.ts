import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const project = join(import.meta.dirname, '../..')

test('compose runs the image without rights, its root read-only, and gives it time to drain', async () => {
  const { services } = parse(await readFile(join(project, 'compose.yaml'), 'utf8'))
  expect(Object.keys(services)).toEqual(['rawhttp'])
  expect(services.rawhttp).toMatchObject({
    build: '.',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    ports: ['8080:8080'],
  })
  expect(Number.parseInt(services.rawhttp.stop_grace_period, 10)).toBeGreaterThan(10)
})
