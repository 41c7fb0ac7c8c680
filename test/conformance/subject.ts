import type { Duplex } from 'node:stream'
import { HttpError, type HttpRequest, HttpResponse } from 'rawhttp'
import { answering, startServer, type TestServer } from '../support/server.ts'
import { BODY_BYTES, HEAD_BYTES, HEADERS, TARGET_BYTES } from './bytes.ts'
import type { Echo } from './row.ts'

type Answerer = (request: HttpRequest) => HttpResponse | undefined | Promise<HttpResponse | undefined>

/** A server under test. */
export interface Subject {
  readonly test: TestServer
  /** The target of every request that reached a handler. */
  readonly handled: string[]
}

/** Starts a server whose handler echoes what it sees, but for the paths below. */
export async function startSubject(hosts: readonly string[]): Promise<Subject> {
  const handled: string[] = []
  const answer: Answerer = request => {
    handled.push(request.target)
    return (answers[request.path] ?? echo)(request)
  }
  const test = await startServer({
    limits: { headBytes: HEAD_BYTES, headers: HEADERS, targetBytes: TARGET_BYTES, bodyBytes: BODY_BYTES },
    sites: [{ name: 'subject', hosts, plugins: [answering(answer)] }],
  })
  return { test, handled }
}

/** Body of `/validated`, and its validators. */
export const VALIDATED = 'the representation'
export const ETAG = '"v1"'
export const LAST_MODIFIED = 'Tue, 01 Jul 2025 10:00:00 GMT'

const answers: Readonly<Record<string, Answerer | undefined>> = {
  '*': () => undefined,
  '/probe': () => HttpResponse.text('probe'),
  '/text': () => HttpResponse.text('hello'),
  '/later': () => new Promise(resolve => setImmediate(resolve, HttpResponse.text('later'))),
  '/nobody': () => undefined,
  '/only-get': request => void request.allow('GET'),
  '/ignore': () => HttpResponse.text('ignored'),
  '/first-piece': request => firstPiece(request),
  '/close': () => HttpResponse.text('bye').close(),
  '/throw': () => {
    throw new Error('a secret of the server')
  },
  '/teapot': () => {
    throw new HttpError(418, 'short and stout')
  },
  '/stream': () => HttpResponse.stream(pieces('one', 'two')),
  '/sized-stream': () => HttpResponse.stream(pieces('one', 'two'), { length: 6 }),
  '/trailers': () =>
    HttpResponse.stream(pieces('one')).trailers(['x-sum', 'x-end'], () => ({ 'x-sum': '1', 'x-end': 'yes' })),
  '/204': () => HttpResponse.empty(204),
  '/204-with-body': () => HttpResponse.text('never sent', 204),
  '/205': () => HttpResponse.empty(205),
  '/205-with-body': () => HttpResponse.text('never sent', 205),
  '/304-with-body': () => HttpResponse.text('never sent', { status: 304, headers: { etag: ETAG } }),
  '/redirect': () => HttpResponse.redirect('/text'),
  '/validated': () =>
    HttpResponse.text(VALIDATED, { headers: { etag: ETAG, 'last-modified': LAST_MODIFIED, vary: 'Accept' } }),
  '/hints': request => {
    request.inform(103, { link: '</style.css>; rel=preload' })
    request.inform(103, { link: '</script.js>; rel=preload' })
    return HttpResponse.text('hinted')
  },
  '/upgrade': () => HttpResponse.upgrade({ protocol: 'echo' }, talk),
  '/raw-upgrade': () => HttpResponse.upgrade({ protocol: 'echo', raw: true }, talkRaw),
}

async function echo(request: HttpRequest): Promise<HttpResponse> {
  const body = await request.body.bytes()
  const { method, target, path, version, host, hostname, headers, trailers } = request
  const seen: Echo = {
    method,
    target,
    path,
    query: request.query.toString(),
    version,
    host,
    hostname,
    headers: [...headers],
    body: body.toString('latin1'),
    trailers: [...trailers],
  }
  return HttpResponse.json(seen)
}

/** Answers when the first piece of the body is there, and leaves the rest. */
async function firstPiece(request: HttpRequest): Promise<HttpResponse> {
  for await (const piece of request.body.stream()) return HttpResponse.bytes(piece)
  return HttpResponse.empty()
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<string> {
  yield* texts
}

/** Says back what it hears, until it hears a full stop. */
function talk(stream: Duplex, head: Buffer): void {
  const say = (bytes: Buffer) => {
    stream.write(bytes)
    if (bytes.includes('.')) stream.end()
  }
  stream.on('error', () => {})
  stream.on('data', say)
  if (head.length > 0) say(head)
}

function talkRaw(stream: Duplex, head: Buffer): void {
  stream.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
  talk(stream, head)
}
