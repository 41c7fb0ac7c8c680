import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { FileWatch } from '../../../core/cli/file-watch.ts'
import { workspace } from '../config/workspace.ts'

/** Watches one file of a folder; `change` makes something happen, and waits until it is told. */
function watching(dir: string, name: string) {
  const troubles: Error[] = []
  let told = Promise.withResolvers<void>()
  let count = 0
  const files = new FileWatch(
    () => {
      count++
      told.resolve()
    },
    error => void troubles.push(error),
  )
  onTestFinished(() => files.close())
  const file = join(dir, name)
  files.watch([file])
  return {
    troubles,
    counted: () => count,
    async change(act: () => void) {
      told = Promise.withResolvers()
      act()
      await told.promise
      files.watch([file])
    },
  }
}

it('tells of a file that is written, replaced, taken away and back', async () => {
  const dir = workspace({ a: '1', b: '2' })
  const { change, troubles } = watching(dir, 'a')
  await change(() => writeFileSync(join(dir, 'a'), '3'))
  await change(() => renameSync(join(dir, 'b'), join(dir, 'a')))
  await change(() => rmSync(join(dir, 'a')))
  await change(() => writeFileSync(join(dir, 'a'), '4'))
  expect(troubles).toEqual([])
})

it('tells of a file whose folders come one by one', async () => {
  const dir = workspace()
  const { change, troubles } = watching(dir, 'a/b/c')
  await change(() => mkdirSync(join(dir, 'a')))
  await change(() => mkdirSync(join(dir, 'a/b')))
  await change(() => writeFileSync(join(dir, 'a/b/c'), '1'))
  expect(troubles).toEqual([])
})

it('tells of a folder that was replaced, and of what happens in the new one', async () => {
  const dir = workspace({ 'a/c': '1', 'b/c': '2' })
  const { change } = watching(dir, 'a/c')
  await change(() => {
    renameSync(join(dir, 'a'), join(dir, 'old'))
    renameSync(join(dir, 'b'), join(dir, 'a'))
  })
  await change(() => writeFileSync(join(dir, 'a/c'), '3'))
})

it('tells once of many events, and of no other file', async () => {
  const dir = workspace({ a: '1' })
  const { change, counted } = watching(dir, 'a')
  const other = watching(dir, 'other')
  const write = (name: string) => {
    for (let i = 0; i < 20; i++) writeFileSync(join(dir, name), String(i))
  }
  await other.change(() => write('other'))
  expect(counted()).toBe(0)
  await change(() => write('a'))
  await other.change(() => write('other'))
  expect([counted(), other.counted()]).toEqual([1, 2])
})
