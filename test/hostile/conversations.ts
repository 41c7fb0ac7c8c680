import { RawClient } from '../support/raw-client.ts'
import { mustLive } from './floods.ts'
import { Findings, type Report } from './report.ts'
import { startTarget } from './server.ts'

const head = (line: string, ...fields: readonly string[]): string =>
  `${[`${line} HTTP/1.1`, 'Host: a', ...fields].join('\r\n')}\r\n\r\n`

/** All that a client can say on one connection, with the bodies of the answers. */
const conversation: readonly (readonly [string, string])[] = [
  [head('GET /'), 'ok\n'],
  [`${head('POST /read', 'Content-Length: 5')}hello`, '5\n'],
  [
    `${head('POST /trailers', 'Transfer-Encoding: chunked')}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 42\r\n\r\n`,
    'abcde 42\n',
  ],
  [head('GET /', 'Connection: close'), 'ok\n'],
]

/** A whole conversation, one byte a write. */
export async function byteByByte(): Promise<Report> {
  const findings = new Findings('a conversation with one byte a write')
  await using server = await startTarget()
  await using client = await RawClient.connect(await server.call.port())
  let writes = 0
  for (const [request, wanted] of conversation) {
    await client.sendSplit(request)
    writes += request.length
    const { status, body } = await client.response()
    findings.must(status === 200, `${firstLine(request)} is answered with ${status}`)
    findings.must(
      body.toString() === wanted,
      `${firstLine(request)} is answered with ${JSON.stringify(body.toString())}`,
    )
  }
  findings.note(`writes: ${writes}`)
  findings.must((await client.closed) === 'end', 'the connection was reset')
  return findings
}

/** Clients that end their side behind the request, and wait for the answer. */
export async function halfCloses(): Promise<Report> {
  const findings = new Findings('half-close behind the request')
  await using server = await startTarget()
  for (const [request, wanted] of conversation) {
    await using client = await RawClient.connect(await server.call.port())
    client.send(request)
    client.end()
    const answer = await client.rest()
    findings.must(
      answer.endsWith(wanted),
      `${firstLine(request)} with a FIN got ${JSON.stringify(answer.slice(-40))}`,
    )
    findings.must((await client.closed) === 'end', `${firstLine(request)}: the connection was reset`)
  }
  const { ends, results } = await server.call.untilEmpty()
  findings.note(`ends: ${JSON.stringify(results)}`)
  findings.must(ends === conversation.length, `${conversation.length} requests had ${ends} ends`)
  await mustLive(server, findings)
  return findings
}

const DRAIN_BYTES = 65_536
/** Beyond the limit the server may have read what was under way: a chunk, and as much again while it lingers. */
const TAKEN_BYTES = 4 * DRAIN_BYTES

/** Bodies that no handler reads. */
export async function unreadBodies(): Promise<Report> {
  const findings = new Findings('request bodies that nobody reads')
  await using server = await startTarget({ limits: { drainBytes: DRAIN_BYTES } })
  const port = await server.call.port()
  await using small = await RawClient.connect(port)
  small.send(
    `${head('POST /unread', `Content-Length: ${DRAIN_BYTES / 2}`)}${'x'.repeat(DRAIN_BYTES / 2)}${head('GET /')}`,
  )
  const statuses = [(await small.response()).status, (await small.response()).status]
  findings.must(statuses.join() === '200,200', `behind a body under drainBytes: ${statuses.join()}`)
  small.end()
  for (const framing of ['Content-Length: 1000000000', 'Transfer-Encoding: chunked']) {
    await endless(port, framing, findings)
  }
  const { bytesRead } = await server.call.untilEmpty()
  findings.atMost(
    'bytes that the server took of an endless body',
    Math.max(...bytesRead),
    TAKEN_BYTES,
    'bytes',
  )
  await mustLive(server, findings)
  return findings
}

/** A body that goes on until the server ends the connection. */
async function endless(port: number, framing: string, findings: Findings): Promise<void> {
  await using client = await RawClient.connect(port)
  client.send(head('POST /unread', framing))
  const piece = framing.startsWith('T') ? `2710\r\n${'x'.repeat(10_000)}\r\n` : 'x'.repeat(10_000)
  const { status } = await client.response()
  findings.must(status === 200, `${framing}: answered with ${status}`)
  // Its end has come with the answer; only when the connection is gone does a client like this one stop.
  const { socket } = client
  const gone = new Promise(resolve => socket.once('close', resolve))
  while (!socket.destroyed && socket.bytesWritten < ENDLESS) {
    if (!socket.write(piece))
      await Promise.race([new Promise(resolve => socket.once('drain', resolve)), gone])
    await new Promise(setImmediate)
  }
  findings.must(socket.bytesWritten < ENDLESS, `${framing}: ${ENDLESS} bytes were sent, and nobody minded`)
}

/** Far more than kernels keep for a connection. */
const ENDLESS = 200_000_000

const firstLine = (request: string): string => request.slice(0, request.indexOf(' HTTP'))
