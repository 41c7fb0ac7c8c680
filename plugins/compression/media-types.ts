import compressible from 'compressible'

/** Where this plugin knows better than `compressible`, which goes by the table of mime-db. */
const KNOWN: ReadonlyMap<string, boolean> = new Map([
  // Nobody said what it is: archives, pictures and encrypted files come as this.
  ['application/octet-stream', false],
  // Lines of JSON, and other text without an entry.
  ['application/ndjson', true],
  ['application/x-ndjson', true],
  ['application/jsonl', true],
  ['application/json-seq', true],
  ['application/yaml', true],
  ['application/x-yaml', true],
  ['application/vnd.apple.mpegurl', true],
])

/** gRPC compresses each message itself, `+json` or not. */
const GRPC = 'application/grpc'

export const EVENT_STREAM = 'text/event-stream'

/** The media type of a Content-Type, in lower case without parameters; empty without one. */
export function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined) return ''
  const end = contentType.indexOf(';')
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/**
 * Whether it is worth while to compress a media type.
 *
 * @param overrides By media type, `image/*` or `*` + `/*`: the narrowest one wins.
 */
export function isWorthwhile(mediaType: string, overrides: ReadonlyMap<string, boolean>): boolean {
  if (mediaType === '') return false
  return overridden(mediaType, overrides) ?? KNOWN.get(mediaType) ?? byTable(mediaType)
}

function overridden(mediaType: string, overrides: ReadonlyMap<string, boolean>): boolean | undefined {
  if (overrides.size === 0) return undefined
  const family = `${mediaType.split('/', 1)[0]}/*`
  return overrides.get(mediaType) ?? overrides.get(family) ?? overrides.get('*/*')
}

function byTable(mediaType: string): boolean {
  return !mediaType.startsWith(GRPC) && compressible(mediaType) === true
}
