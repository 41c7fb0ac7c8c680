import { join } from 'node:path'
import { type ServerProcess, startProcess } from '../process.ts'
import type { Contestant, Stage } from './contestant.ts'

/** A server of servers/ that answers what it is told to. */
function constant(name: string, file: string, args: (stage: Stage) => readonly string[]): Contestant {
  return {
    name,
    isConstant: true,
    isNode: true,
    missing: () => null,
    start: stage => serve(file, args(stage), stage.nodeOptions),
  }
}

function serve(
  file: string,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): Promise<ServerProcess> {
  const path = join(import.meta.dirname, '../servers', file)
  return startProcess({ command: [process.execPath, ...nodeOptions, path, ...args] })
}

const total = ({ answer }: Stage): string[] => ['--bytes', String(answer.total)]
const body = ({ answer }: Stage): string[] => ['--bytes', String(answer.body)]
const pair = ({ cert, key }: Stage): string[] => ['--cert', cert, '--key', key]

/** The least that a server on Node can do: bytes as many as rawhttp's, on a bare node:net server. */
export const floor = constant('floor (node:net)', 'floor.ts', total)

/** What Node brings, with a constant body as long as rawhttp's. */
export const nodeHttp = constant('node:http, constant', 'node-http.ts', body)

/** The least over TLS. */
export const nodeTls = constant('floor (node:tls)', 'floor.ts', stage => [...total(stage), ...pair(stage)])

export const nodeHttps = constant('node:https, constant', 'node-http.ts', stage => [
  ...body(stage),
  ...pair(stage),
])
