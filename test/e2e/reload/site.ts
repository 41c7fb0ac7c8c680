import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PARTS = 20
const FUNCTIONS = 60

/** Writes a config of many modules, which answers with the number of its load. */
export function writeSite(dir: string, kernel: string): void {
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  writeNumber(dir, 0)
  for (let part = 0; part < PARTS; part++) writeFileSync(join(dir, `part${part}.ts`), partText(part))
  writeFileSync(join(dir, 'rawhttp.config.ts'), configText(kernel))
}

/** Makes another config of it. */
export function writeNumber(dir: string, number: number): void {
  writeFileSync(join(dir, 'number.ts'), `export const number: number = ${number}\n`)
}

/** A module of the size that modules have. */
function partText(part: number): string {
  const functions = Array.from(
    { length: FUNCTIONS },
    (_, index) => `
/** Adds ${index} to the number of this load, in words of part ${part}. */
export function step${index}(text: string): string {
  const words = text.split(' ').map(word => word.trim()).filter(word => word !== '')
  return [...words, 'part ${part}, step ${index}', String(number)].join(' ')
}
`,
  )
  return `import { number } from './number.ts'\n${functions.join('')}`
}

function configText(kernel: string): string {
  const parts = Array.from({ length: PARTS }, (_, part) => part)
  return `
import { queryObjects } from 'node:v8'
import { setImmediate, setTimeout as after } from 'node:timers/promises'
import { defineConfig, definePlugin, Handle, HttpResponse } from 'rawhttp'
import { Generation } from ${JSON.stringify(kernel)}
import { number } from './number.ts'
${parts.map(part => `import * as part${part} from './part${part}.ts'`).join('\n')}

const Timer = setTimeout(() => undefined).constructor
const steps = [${parts.map(part => `part${part}.step1`).join(', ')}]
const lives = (globalThis.lives ??= { started: 0, stopped: 0, made: 0, disposed: 0 })

async function* page() {
  for (const step of steps) {
    await setImmediate()
    yield \`\${number} \${step('').split(' ').at(-1)}\\n\`
  }
}

async function* download() {
  const piece = \`\${number}\\n\`.repeat(Math.ceil(16_384 / (String(number).length + 1)))
  for (let i = 0; i < 64; i++) yield piece
}

async function* events(signal: AbortSignal) {
  while (!signal.aborted) {
    yield String(number)
    await after(100, undefined, { signal }).catch(() => undefined)
  }
}

function stats() {
  globalThis.gc()
  globalThis.gc()
  const handles: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1
  return HttpResponse.json({
    number,
    ...lives,
    handles,
    generations: queryObjects(Generation, { format: 'count' }),
    timers: queryObjects(Timer, { format: 'count' }),
    heap: process.memoryUsage().heapUsed,
  })
}

const site = definePlugin({
  name: 'site',
  server(server) {
    const kept = server.keep('made', { create: () => lives.made++, dispose: () => void lives.disposed++ })
    server.hooks.start.tapPromise('start', async () => void (lives.started++, kept()))
    server.hooks.stop.tapPromise('stop', async () => void lives.stopped++)
  },
  site(site) {
    site.hooks.handle.tap({ name: 'answer', stage: Handle.Route }, request => {
      if (request.path === '/stats') return stats()
      if (request.path === '/download') return HttpResponse.stream(download())
      if (request.path === '/events') return HttpResponse.events(events(request.signal))
      return HttpResponse.stream(page())
    })
    site.hooks.deliver.tap('number', response => void response.set('x-number', String(number)))
  },
})

export default defineConfig({ listen: [{ port: 0 }], plugins: [site] })
`
}
