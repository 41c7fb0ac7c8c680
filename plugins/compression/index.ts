import { definePlugin, HttpError, type HttpRequest, type HttpResponse, Transform } from 'rawhttp'
import { type Candidate, candidateOf, wantsPart } from './candidate.ts'
import type { Coding } from './codecs.ts'
import { openStreams } from './load.ts'
import { EVENT_STREAM } from './media-types.ts'
import { negotiation } from './negotiate.ts'
import { isWhole, produce } from './produce.ts'
import { type CompressionSettings, compressionOptions } from './schema.ts'

export type { Coding } from './codecs.ts'
export type { CompressionOptions, SomeLevels } from './schema.ts'

/**
 * Compresses bodies with zstd, br or gzip, as each client's Accept-Encoding allows. Streams are compressed as they
 * flow; server-sent events leave one by one. What is encoded already, a part of something, an error, marked
 * `no-transform`, small or not worth while by its media type is left alone.
 *
 * @example
 * plugins: [compression({ minSize: '2kb', types: { 'application/x-log': true } })]
 */
export const compression = definePlugin({
  name: 'compression',
  options: compressionOptions,
  site(site, settings) {
    site.hooks.transform.tap({ name: 'compression', stage: Transform.Encode }, compressorOf(settings))
  },
})

type Compressor = (response: HttpResponse, request: HttpRequest) => void

/** One function for all sites of a plugin instance. */
const compressors = new WeakMap<CompressionSettings, Compressor>()

function compressorOf(settings: CompressionSettings): Compressor {
  const known = compressors.get(settings) ?? compressorFor(settings)
  compressors.set(settings, known)
  return known
}

function compressorFor(settings: CompressionSettings): Compressor {
  const choiceFor = negotiation(settings.codings)
  return (response, request) => {
    const candidate = candidateOf(response, settings)
    if (candidate === null) return
    // What is not worth while gets a coding too where a client takes nothing else.
    if (!candidate.isFixed) response.vary('Accept-Encoding')
    const { coding, refusesIdentity } = choiceFor(request.headers.get('accept-encoding'))
    const isWanted = refusesIdentity || (coding !== null && candidate.isWorthwhile && !wantsPart(request))
    if (!isWanted) return
    const hasPlace = hasRoom(candidate, settings)
    if (coding !== null && !candidate.isFixed && hasPlace)
      return encode(response, coding, candidate, request, settings)
    if (refusesIdentity) throw unacceptable(settings)
    // Not for want of a coding: the next one who asks may get it, so that no cache may keep this form.
    if (!hasPlace) response.set('vary', '*')
  }
}

function encode(
  response: HttpResponse,
  coding: Coding,
  { body, mediaType }: Candidate,
  request: HttpRequest,
  settings: CompressionSettings,
): void {
  const job = { body, coding, isLive: mediaType === EVENT_STREAM, request, settings }
  // Of a stream each run makes other bytes: they depend on when its pieces come.
  response.encode(coding, purpose => produce(job, purpose), { weak: !isWhole(body) })
}

function hasRoom({ body, mediaType }: Candidate, { maxStreams }: CompressionSettings): boolean {
  return isWhole(body) || openStreams.hasRoom(maxStreams, mediaType === EVENT_STREAM)
}

// Another client would have got a body, and a cache must know why this one did not.
function unacceptable({ codings }: CompressionSettings): HttpError {
  const message = `The body can be sent in none of the codings that Accept-Encoding allows; known are ${codings.join(', ')}`
  return new HttpError(406, message, {
    code: 'CODING_UNACCEPTABLE',
    headers: { vary: 'Accept-Encoding' },
  })
}
