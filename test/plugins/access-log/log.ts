import { readdirSync, statSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Diagnostic, definePlugin, type Plugins, type Server } from 'rawhttp'
import { type AccessLogOptions, accessLog } from 'rawhttp/plugins/access-log'
import { onTestFinished } from 'vitest'

/** A line of the combined format, as an independent reader takes it apart. Text is unescaped. */
export interface Line {
  readonly address: string
  readonly user: string
  readonly time: string
  readonly request: string
  readonly status: number
  readonly bytes: number
  readonly referer: string
  readonly agent: string
}

const time = '\\d{2}/[A-Z][a-z]{2}/\\d{4}:\\d{2}:\\d{2}:\\d{2} [+-]\\d{4}'
const text = '((?:[ !#-[\\]-~]|\\\\x[0-9A-F]{2})*)'
const shape = new RegExp(`^(\\S+) - (\\S+) \\[(${time})\\] "${text}" (\\d{3}) (\\d+) "${text}" "${text}"$`)

/** Text without its escapes. */
export const plain = (escaped: string) =>
  escaped.replace(/\\x([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Takes a combined line apart, or fails. */
export function parse(line: string): Line {
  const parts = shape.exec(line)
  if (parts === null) throw new Error(`not a combined line: ${JSON.stringify(line)}`)
  const [, address, user, time, request, status, bytes, referer, agent] = parts as unknown as string[]
  return {
    address: plain(address!),
    user: plain(user!),
    time: time!,
    request: plain(request!),
    status: Number(status),
    bytes: Number(bytes),
    referer: plain(referer!),
    agent: plain(agent!),
  }
}

/** A line's time in a form that `Date.parse` reads. */
export const readable = (time: string) => time.replace(/^(\d+)\/(\w+)\/(\d+):/, '$1 $2 $3 ')

/** The lines of a log, each ended by one newline. */
export function linesOf(log: string): string[] {
  if (log !== '' && !log.endsWith('\n'))
    throw new Error(`the log breaks off: ${JSON.stringify(log.slice(-80))}`)
  return log.split('\n').slice(0, -1)
}

/** A folder that is gone when the test is over. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rawhttp-log-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface Logged {
  readonly server: Server
  readonly file: string
  readonly reports: Diagnostic[]
  /** Stops the server and reads what it logged. */
  lines(): Promise<string[]>
}

/** A plugin that collects what the server reports. */
export const collect = (reports: Diagnostic[]) =>
  definePlugin({
    name: 'collect',
    server: server => server.hooks.report.tap('collect', diagnostic => void reports.push(diagnostic)),
  })()

/** A server with one site that logs to a file. */
export async function logged(options: AccessLogOptions, ...plugins: Plugins): Promise<Logged> {
  const file = join(await tempFolder(), 'access.log')
  const reports: Diagnostic[] = []
  const server = await createServer({
    listen: [{ port: 0 }],
    plugins: [collect(reports), accessLog({ file, ...options })],
    sites: [{ name: 'test', plugins }],
  })
  onTestFinished(() => server.stop({ deadline: 0 }))
  const lines = async () => {
    await server.stop()
    return linesOf(await readFile(file, 'latin1'))
  }
  return { server, file, reports, lines }
}

/** How many descriptors of this process are on a file. */
export function timesOpen(file: string): number {
  const { dev, ino } = statSync(file)
  const found = readdirSync('/proc/self/fd').map(fd =>
    statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false }),
  )
  return found.filter(each => each?.dev === dev && each.ino === ino).length
}
