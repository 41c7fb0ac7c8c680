import { test } from 'node:test'
import { definePlugin } from 'rawhttp'
import { contract } from 'rawhttp/testing'

// Run by Node's own runner, which tells its results on standard output.
const good = definePlugin({ name: 'good' })
const loud = definePlugin({ name: 'loud', server: () => console.log('here I am') })

for (const { id, name, run } of contract(good)) if (id !== 'abort') test(name, run)
for (const { id, run } of contract(loud)) if (id === 'quiet') test('loud', run)
