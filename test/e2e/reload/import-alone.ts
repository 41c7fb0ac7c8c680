import { FreshModules } from '../../../core/config/fresh-modules.ts'
import { loadConfig } from '../../../core/config/load.ts'
import { writeNumber } from './site.ts'

// Says by how many bytes the heap grows when the modules of a config are imported so many times, and nothing else.
const [dir = '', count = '50'] = process.argv.slice(2)
const modules = new FreshModules()
const options = { cwd: dir, command: 'start', mode: 'production', env: {} }

async function load(number: number): Promise<void> {
  writeNumber(dir, number)
  const load = modules.begin()
  await loadConfig({ ...options, importer: load })
  load.end(true)
}

function heap(): number {
  globalThis.gc!()
  globalThis.gc!()
  return process.memoryUsage().heapUsed
}

await load(0)
const before = heap()
for (let number = 1; number <= Number(count); number++) await load(number)
process.stdout.write(String(heap() - before))
