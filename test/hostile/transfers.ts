import { once } from 'node:events'
import { RawClient } from '../support/raw-client.ts'
import { forgetPeak, MB, peakOf, rssOf, steady } from './memory.ts'
import { Findings, type Report, rounded } from './report.ts'
import { startTarget } from './server.ts'

const BYTES = 1_024 * MB
const PIECE = Buffer.alloc(MB, 'x')
/** After so many bytes the slow client rests. */
const REST_BYTES = 64 * MB
const limits = { bodyBytes: 0, bodyTimeout: '10m', handlerTimeout: '10m', writeTimeout: '10m' } as const

/** V8 lets some tens of MB of dead buffers gather, however they are used: a fast transfer has that behind it. */
const WARM_BYTES = 256 * MB

/** 1 GB that a handler reads slowly. */
export async function slowUpload(growth: number): Promise<Report> {
  const findings = new Findings('1 GB of upload, read slowly by the handler')
  await using server = await startTarget({ limits })
  const port = await server.call.port()
  const cold = rssOf(server.pid)
  await upload(port, '/fast-reader', WARM_BYTES)
  const before = forgetPeak(server.pid)
  const { bytes, rests } = await upload(port, '/slow-reader', BYTES)
  findings.note(`read: ${bytes / MB} MB, with ${rests} rests`)
  findings.must(bytes === BYTES, `the handler has read ${bytes} bytes`)
  judge(findings, peakOf(server.pid), { cold, before, growth })
  return findings
}

/** 1 GB that a client reads slowly. */
export async function slowDownload(growth: number): Promise<Report> {
  const findings = new Findings('1 GB of download, read slowly by the client')
  await using server = await startTarget({ limits })
  const port = await server.call.port()
  const cold = rssOf(server.pid)
  await download(port, WARM_BYTES, async () => undefined)
  const before = forgetPeak(server.pid)
  let rests = 0
  const bytes = await download(port, BYTES, async () => {
    rests++
    await steady(server.pid)
  })
  findings.note(`read: ${Math.floor(bytes / MB)} MB, with ${rests} rests`)
  findings.must(bytes > BYTES, `only ${bytes} bytes came`)
  judge(findings, peakOf(server.pid), { cold, before, growth })
  return findings
}

function judge(
  findings: Findings,
  peak: number,
  { cold, before, growth }: { readonly cold: number; readonly before: number; readonly growth: number },
): void {
  findings.note(`peak of RSS above that of a server which was never asked: ${rounded((peak - cold) / MB)} MB`)
  findings.atMost('growth of RSS over a fast transfer', (peak - before) / MB, growth, 'MB')
}

async function upload(port: number, path: string, bytes: number): Promise<{ bytes: number; rests: number }> {
  await using client = await RawClient.connect(port)
  client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`)
  for (let sent = 0; sent < bytes; sent += PIECE.length) {
    if (!client.socket.write(PIECE)) await Promise.race([once(client.socket, 'drain'), broken(client)])
  }
  return JSON.parse((await client.response()).body.toString())
}

/** Gives the number of bytes that came, the head's and the chunks' own among them. */
async function download(port: number, bytes: number, rest: () => Promise<void>): Promise<number> {
  await using client = await RawClient.connect(port)
  const { socket } = client
  socket.removeAllListeners('data')
  client.send(`GET /stream?bytes=${bytes} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  let read = 0
  let next = REST_BYTES
  for await (const piece of socket) {
    read += piece.length
    if (read < next) continue
    next += REST_BYTES
    await rest()
  }
  return read
}

async function broken(client: RawClient): Promise<never> {
  throw new Error(
    `the server ended the connection (${await client.closed}): ${client.received.slice(0, 200)}`,
  )
}
