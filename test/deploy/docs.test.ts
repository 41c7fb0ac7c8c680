import { access, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const project = join(import.meta.dirname, '../..')
const page = join(project, 'docs/deploy.md')
const text = await readFile(page, 'utf8')
const quotes = [...text.matchAll(/^```\w+ (\S+)\n(.*?)\n```$/gms)]

test('what docs/deploy.md quotes is what the files say', async () => {
  expect(quotes.length).toBeGreaterThan(4)
  for (const [, file, quote] of quotes)
    expect(await readFile(join(project, file!), 'utf8'), file).toContain(quote)
})

test('what docs/deploy.md and SECURITY.md point to is there', async () => {
  for (const file of [page, join(project, 'SECURITY.md')]) {
    const links = [...(await readFile(file, 'utf8')).matchAll(/\]\(([\w./-]+)\)/g)].map(([, link]) => link!)
    expect(links).not.toEqual([])
    for (const link of links) await expect(access(join(dirname(file), link)), link).resolves.toBeUndefined()
  }
})
