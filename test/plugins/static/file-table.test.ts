import { realpath } from 'node:fs/promises'
import type { FileSlice, HttpResponse } from 'rawhttp'
import * as v from 'valibot'
import { expect, onTestFinished, test, vi } from 'vitest'
import { placeOf, rulesOf } from '../../../plugins/static/compile.ts'
import { type Answer, FileTable } from '../../../plugins/static/file-table.ts'
import { staticOptions } from '../../../plugins/static/schema.ts'
import { tempSite } from './temp-site.ts'

// Keeps every function as it is, but where a test says otherwise.
vi.mock('node:fs/promises', { spy: true })

async function table(limit: number, names: readonly string[], options: object = { index: [] }) {
  const site = await tempSite(Object.fromEntries(names.map(name => [name, name])))
  onTestFinished(() => site[Symbol.asyncDispose]())
  const settings = v.parse(staticOptions, { root: site.root, ...options })
  const files = new FileTable(placeOf(settings, site.root), rulesOf(settings), limit)
  const find = (path: string) =>
    new Promise<Answer>((resolve, reject) => {
      files.find(path, (error, answer) => (error === null ? resolve(answer) : reject(error)))
    })
  const response = async (path: string): Promise<HttpResponse | null> => {
    const answer = await find(path)
    return answer?.kind === 'file' ? answer.plain : null
  }
  return { site, files, find, response, fresh: (path: string) => files.fresh(path)?.plain ?? null }
}

/** As the kernel tells it when the file proves to be another one. */
const doubt = (response: HttpResponse | null): void => (response!.body as FileSlice).identity.onChange!()

test('remembers a file, never what is not there', async () => {
  const { find, response, fresh } = await table(2, ['a'])
  expect(fresh('/a')).toBeNull()
  const found = await response('/a')
  expect(found).not.toBeNull()
  expect(fresh('/a')).toBe(found)
  expect(await find('/nothing')).toBeNull()
  expect(fresh('/nothing')).toBeNull()
})

test('past its limit the path that was checked longest ago goes, and its response is current no more', async () => {
  const { response, fresh } = await table(2, ['a', 'b', 'c'])
  const a = await response('/a')
  await response('/b')
  await response('/a')
  await response('/c')
  expect(fresh('/b')).toBeNull()
  expect(fresh('/a')).toBe(a)
  expect(fresh('/c')).not.toBeNull()
  await response('/b')
  expect(fresh('/a')).toBeNull()
  expect(a!.isCurrent?.()).toBe(false)
})

test('ten thousand paths that are not there leave nothing behind', async () => {
  const { find, response, fresh } = await table(2, ['a'])
  const found = await response('/a')
  for (let i = 0; i < 100; i++) {
    await Promise.all(Array.from({ length: 100 }, (_, at) => find(`/missing-${i}-${at}`)))
  }
  expect(fresh('/a') ?? (await response('/a'))).toBe(found)
})

test('what is in doubt is asked again, and kept when it still holds', async () => {
  const { response, fresh } = await table(2, ['a'])
  const found = await response('/a')
  doubt(found)
  expect(fresh('/a')).toBeNull()
  expect(await response('/a')).toBe(found)
  expect(fresh('/a')).toBe(found)
})

test('the response of a file that stays is the same, whatever else was looked for beside it', async () => {
  const names = ['main.htm', 'page.html', 'page/x.txt', 'a.js', 'a.js.br', 'a.js.zst/x']
  const options = { index: ['index.html', 'main.htm'], cleanUrls: true, precompressed: true }
  const { site, find, response } = await table(8, names, options)
  for (const [at, path] of ['/', '/page', '/a.js'].entries()) {
    const before = await find(path)
    doubt(await response(path))
    // A folder that was in the way, and what is in it, has no part in the answer.
    await site.write({ [`public/page/${at}.txt`]: 'y', [`public/a.js.zst/${at}`]: 'y' })
    expect(await find(path), path).toBe(before)
    expect(before, path).not.toBeNull()
  }
})

test('all forms of a file have one function that says whether they are current', async () => {
  const { find } = await table(8, ['a.js', 'a.js.br', 'a.js.gz'], { precompressed: true })
  const answer = await find('/a.js')
  if (answer?.kind !== 'file') throw new Error('expected a file')
  const { isCurrent } = answer.plain
  expect(isCurrent?.()).toBe(true)
  expect([...answer.coded.values()].map(response => response.isCurrent)).toEqual([isCurrent, isCurrent])
})

test('a sibling that the disk could not tell of is looked for again', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  onTestFinished(() => void vi.useRealTimers())
  const { find } = await table(8, ['a.js', 'a.js.br'], { precompressed: true })
  const codings = async () => {
    const answer = await find('/a.js')
    return answer?.kind === 'file' ? [...answer.coded.keys()] : null
  }
  const { realpath: real } = await vi.importActual<{ realpath: (path: Buffer, encoding: string) => unknown }>(
    'node:fs/promises',
  )
  const broken = async (path: Buffer, encoding: string) => {
    if (String(path).endsWith('.br')) throw Object.assign(new Error('EIO: the disk'), { code: 'EIO' })
    return real(path, encoding)
  }
  vi.mocked(realpath).mockImplementation(broken as never)
  expect(await codings()).toEqual([])
  vi.mocked(realpath).mockImplementation(real as never)
  vi.setSystemTime(Date.now() + 1_000)
  expect(await codings()).toEqual(['br'])
})
