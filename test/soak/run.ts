import { parseArgs } from 'node:util'
import { isWell, textOf } from '../hostile/report.ts'
import type { Way } from './server.ts'
import { soak } from './soak.ts'

const usage = `npm run soak -- [--seconds N] [--way in-place|rolling]

Mixed load, slow clients, reloads and killed workers for a server of this checkout, on loopback: no request may be lost
but with the worker that was killed, no answer be wrong, and memory has to stay flat.

  --seconds N     how long (default 600)
  --warm-up N     seconds before memory is looked at for the first time (default a tenth of it, at most 30)
  --way WAY       how the server reloads: in-place, or rolling (default both, half of the time each)`

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    'warm-up': { type: 'string' },
    way: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const known: Readonly<Record<string, Way>> = { 'in-place': 'in place', rolling: 'rolling' }
const ways = Object.keys(known).filter(name => name === (values.way ?? name))
const seconds = Number(values.seconds) / ways.length
const warmUp = Number(values['warm-up'] ?? Math.min(30, seconds / 10))

if (values.help || ways.length === 0 || !(seconds > 0 && warmUp > 0)) {
  process.stderr.write(`${usage}\n`)
  process.exitCode = values.help ? 0 : 2
} else if (process.platform !== 'linux') {
  process.stderr.write('This needs Linux: processes are looked at in /proc.\n')
  process.exitCode = 2
} else {
  for (const name of ways) {
    const report = await soak({ way: known[name]!, seconds, warmUp })
    process.stdout.write(`${report.table}\n\n${textOf(report)}\n\n`)
    if (!isWell(report)) process.exitCode = 1
  }
}
