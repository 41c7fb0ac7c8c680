// Loads configs in a process of its own, where Node and not vitest imports them: prints what is wrong with each as JSON.
import { loadConfig } from '../../core/config/load.ts'
import { resolveConfig } from '../../core/config/resolve.ts'

const wrong: Record<string, string> = {}
for (const file of process.argv.slice(2)) {
  try {
    const where = { cwd: process.cwd(), file, command: 'check', mode: 'production', env: process.env }
    const loaded = await loadConfig(where)
    await resolveConfig(loaded?.config, loaded!)
  } catch (error) {
    wrong[file] = (error as Error).message
  }
}
console.log(JSON.stringify(wrong))
