import { HttpResponse } from 'rawhttp'
import { expect, onTestFinished, test } from 'vitest'
import { type Answer, FileTable } from '../../../plugins/static/file-table.ts'
import { tempSite } from './temp-site.ts'

async function table(limit: number, names: readonly string[]) {
  const site = await tempSite(Object.fromEntries(names.map(name => [name, name])))
  onTestFinished(() => site[Symbol.asyncDispose]())
  const files = new FileTable({ root: site.root, index: [], dotfiles: false }, limit)
  const find = (path: string) =>
    new Promise<Answer>((resolve, reject) => {
      files.find(path, (error, answer) => (error === null ? resolve(answer) : reject(error)))
    })
  return { files, find }
}

test('remembers a file, never what is not there', async () => {
  const { files, find } = await table(2, ['a'])
  expect(files.fresh('/a')).toBeNull()
  const response = await find('/a')
  expect(files.fresh('/a')).toBe(response)
  expect(await find('/nothing')).toBeNull()
  expect(files.fresh('/nothing')).toBeNull()
})

test('past its limit the path that was checked longest ago goes, and its response is current no more', async () => {
  const { files, find } = await table(2, ['a', 'b', 'c'])
  const a = await find('/a')
  await find('/b')
  await find('/a')
  await find('/c')
  expect(files.fresh('/b')).toBeNull()
  expect(files.fresh('/a')).toBe(a)
  expect(files.fresh('/c')).not.toBeNull()
  await find('/b')
  expect(files.fresh('/a')).toBeNull()
  expect(a).toBeInstanceOf(HttpResponse)
  expect((a as HttpResponse).isCurrent?.()).toBe(false)
})

test('ten thousand paths that are not there leave nothing behind', async () => {
  const { files, find } = await table(2, ['a'])
  const response = await find('/a')
  for (let i = 0; i < 100; i++) {
    await Promise.all(Array.from({ length: 100 }, (_, at) => find(`/missing-${i}-${at}`)))
  }
  expect(files.fresh('/a') ?? (await find('/a'))).toBe(response)
})

test('what is in doubt is asked again, and kept when it still holds', async () => {
  const { files, find } = await table(2, ['a'])
  const response = await find('/a')
  files.doubt('/a')
  expect(files.fresh('/a')).toBeNull()
  expect(await find('/a')).toBe(response)
  expect(files.fresh('/a')).toBe(response)
  files.doubt('/nothing')
})
