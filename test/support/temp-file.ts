import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** The path of a file in a folder of its own, for the body of a test. */
export async function tempFile(name: string, content: string | Uint8Array): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'rawhttp-file-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const path = join(dir, name)
  await writeFile(path, content)
  return path
}
