import { readFile, unlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { Watched } from '../../../plugins/tls/watched.ts'
import { tempFile } from '../../support/temp-file.ts'

/** A file whose content must be a number. */
async function numberIn(file: string): Promise<number> {
  const text = await readFile(file, 'utf8')
  if (/^\d+$/.test(text)) return Number(text)
  throw new Error(`not a number: ${text}`)
}

async function watched(): Promise<{ file: string; loads: () => number; value: Watched<number> }> {
  const file = await tempFile('number', '1')
  let loads = 0
  const load = () => {
    loads++
    return numberIn(file)
  }
  return { file, loads: () => loads, value: await Watched.open([file], load) }
}

describe('a watched value', () => {
  test('is made once while its files stay as they are', async () => {
    const { value, loads } = await watched()
    expect([await value.look(), await value.look()]).toEqual(['same', 'same'])
    expect([value.value, loads()]).toEqual([1, 1])
  })

  test('is new when a file has changed', async () => {
    const { value, file } = await watched()
    await writeFile(file, '22')
    expect([await value.look(), await value.look()]).toEqual(['new', 'same'])
    expect(value.value).toBe(22)
  })

  test('stays when the new one is broken, which is told once for each fault', async () => {
    const { value, file } = await watched()
    await writeFile(file, 'x')
    expect(await value.look()).toEqual(new Error('not a number: x'))
    expect(await value.look()).toBe('same')
    await unlink(file)
    expect(await value.look()).toMatchObject({ code: 'ENOENT' })
    expect(value.value).toBe(1)
  })

  test('is tried again at every look until it can be made, although no file changes', async () => {
    const file = await tempFile('number', '1')
    let isReady = true
    const value = await Watched.open([file], async () => {
      if (!isReady) throw new Error('not ready')
      return await numberIn(file)
    })
    isReady = false
    await writeFile(file, '2')
    expect(await value.look()).toEqual(new Error('not ready'))
    isReady = true
    expect(await value.look()).toBe('new')
    expect(value.value).toBe(2)
  })

  test('cannot be opened when the first load fails', async () => {
    await expect(
      Watched.open(['/nowhere/to/be/found'], () => numberIn('/nowhere/to/be/found')),
    ).rejects.toThrow('ENOENT')
  })
})
