import { RawClient } from '../support/raw-client.ts'
import type { Child } from './child.ts'
import { mustLive } from './floods.ts'
import { Findings, type Report } from './report.ts'
import { type ServerCalls, startTarget } from './server.ts'

/** One client that leaves at its stage; `target` is one of a kind. */
type Leave = (client: RawClient, server: Child<ServerCalls>, target: string) => Promise<void>

interface Stage {
  readonly leave: Leave
  /** Requests that such a client has begun, each of which must end once. */
  readonly requests: number
}

const head = (line: string, ...fields: readonly string[]): string =>
  `${[`${line} HTTP/1.1`, 'Host: a', ...fields].join('\r\n')}\r\n\r\n`

const stages: Readonly<Record<string, Stage>> = {
  'before the head': { requests: 0, leave: async () => undefined },
  'in the head': {
    requests: 1,
    // The answer tells that what came with its request has been read too.
    async leave(client, _server, target) {
      client.send(`${head(`GET /${target}`)}GET /half HTTP/1.1\r\nHo`)
      await client.until('ok\n')
    },
  },
  'in the body': {
    requests: 1,
    async leave(client, server, target) {
      const before = await server.call.entered('/read')
      client.send(`${head(`POST /read${target}`, 'Content-Length: 1000')}abc`)
      await server.call.untilEntered('/read', before + 1)
    },
  },
  'while the handler works': {
    requests: 1,
    async leave(client, server, target) {
      const before = await server.call.entered('/hold')
      client.send(head(`GET /hold${target}`))
      await server.call.untilEntered('/hold', before + 1)
    },
  },
  'in the answer': {
    requests: 1,
    async leave(client, _server, target) {
      client.send(head(`GET /stream${target}&bytes=100000000`))
      await client.until('\r\n\r\n')
      client.socket.pause()
    },
  },
  'in the pipeline': {
    requests: 3,
    async leave(client, server, target) {
      const before = await server.call.entered('/hold')
      const [first, second, third] = ['', 'b', 'c'].map(each => head(`GET /hold${target}${each}`))
      client.send(`${first}${second}${third}`)
      await server.call.untilEntered('/hold', before + 3)
    },
  },
}

/** Clients that leave with a reset, `count` at each stage of an exchange. */
export async function resets(count: number): Promise<Report> {
  const findings = new Findings(`resets at every stage, ${count} each`)
  await using server = await startTarget()
  const port = await server.call.port()
  let connections = 0
  let requests = 0
  for (const [stage, { leave, requests: each }] of Object.entries(stages)) {
    for (let index = 0; index < count; index++) {
      await using client = await RawClient.connect(port)
      await leave(client, server, `?${connections++}`)
      client.reset()
      requests += each
    }
    const { ends } = await server.call.untilEmpty()
    findings.must(ends === requests, `${stage}: ${requests} requests had ${ends} ends`)
  }
  await mustLive(server, findings)
  const { results, doneTwice } = await server.call.untilEmpty()
  findings.must(doneTwice.length === 0, `done ran more than once for ${doneTwice.length} requests`)
  findings.note(`ends: ${JSON.stringify(results)}`)
  return findings
}
