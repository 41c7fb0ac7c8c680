import { once } from 'node:events'
import { rename } from 'node:fs/promises'
import { createServer } from 'node:net'

/** A socket's file as a killed process leaves it: closing takes the name away that was listened on, and no other. */
export async function leaveSocket(path: string): Promise<void> {
  const gone = createServer().listen(`${path}.first`)
  await once(gone, 'listening')
  await rename(`${path}.first`, path)
  gone.close()
  await once(gone, 'close')
}
