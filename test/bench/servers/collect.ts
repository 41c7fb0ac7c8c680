import { writeFileSync } from 'node:fs'
import { setTimeout as later } from 'node:timers/promises'

// Loaded into a server on Node before its own code: on SIGWINCH it has V8 give back all that is dead, and then makes the
// file that its own URL names (?done=). V8 otherwise keeps room for garbage, some 30 MB, that says nothing about what a connection holds.
const done = new URL(import.meta.url).searchParams.get('done')!

process.on('SIGWINCH', async () => {
  // What a first collection sets free may be held by a second one's finalizers.
  for (let round = 0; round < 3; round++) {
    globalThis.gc!({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    await later(0)
  }
  writeFileSync(done, '')
})
