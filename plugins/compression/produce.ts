import { buffer } from 'node:stream/consumers'
import { FileSlice, type HttpRequest, type HttpResponse, type Produced, type Purpose, pieces } from 'rawhttp'
import { type Coding, codecs } from './codecs.ts'
import { openStreams, wholeBodies } from './load.ts'
import type { CompressionSettings } from './schema.ts'
import { encoded } from './stream.ts'

/** Bytes up to which a body is compressed in one go: it takes a thread for milliseconds, and then nothing is held. */
const WHOLE = 262_144

/** Bytes up to which what is kept gets its higher level: brotli 11 takes some 0.1 s for them. */
const KEPT = 131_072

type Body = Exclude<HttpResponse['body'], null>

/** What is to be compressed, for whom. */
export interface Job {
  readonly body: Body
  readonly coding: Coding
  /** Whether each piece must leave at once. */
  readonly isLive: boolean
  readonly request: HttpRequest
  readonly settings: CompressionSettings
}

/** Whether a body is in memory, or small enough to be read whole. */
export function isWhole(body: Body): body is string | Uint8Array | FileSlice {
  if (typeof body === 'string') return Buffer.byteLength(body) <= WHOLE
  return (body instanceof Uint8Array || body instanceof FileSlice) && body.length <= WHOLE
}

/** The compressed body: bytes later on, or a stream. */
export function produce(job: Job, purpose: Purpose): Produced {
  return isWhole(job.body) ? whole(job, job.body, purpose) : streamed(job, purpose)
}

function whole(job: Job, body: string | Uint8Array | FileSlice, purpose: Purpose): Promise<Uint8Array> {
  const { coding, settings } = job
  const { signal } = job.request
  // The answer to a time-out has a signal that was aborted before.
  const mayLeave = purpose === 'send' && !signal.aborted
  return wholeBodies[purpose].take(async () => {
    // It may have waited for its turn longer than its client did.
    if (mayLeave) signal.throwIfAborted()
    const bytes = await read(body)
    const levels = purpose === 'keep' && bytes.length <= KEPT ? settings.keptLevels : settings.levels
    return codecs[coding].whole(bytes, levels[coding])
  })
}

async function read(body: string | Uint8Array | FileSlice): Promise<Uint8Array> {
  if (typeof body === 'string') return Buffer.from(body)
  return body instanceof FileSlice ? buffer(body) : body
}

// What is kept may outlive its request; what is sent must not. A source that waits would hold the memory otherwise.
async function* streamed(job: Job, purpose: Purpose): AsyncGenerator<Uint8Array, void, undefined> {
  const { body, coding, isLive, settings } = job
  const signal = purpose === 'send' ? job.request.signal : null
  const engine = codecs[coding].stream(settings.levels[coding], isLive)
  const leave = openStreams.enter(isLive)
  const close = () => {
    engine.close()
    leave()
  }
  signal?.addEventListener('abort', close, { once: true })
  try {
    yield* encoded(pieces(body, purpose), engine, isLive)
  } finally {
    signal?.removeEventListener('abort', close)
    close()
  }
}
