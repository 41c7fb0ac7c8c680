import { type Args, UsageError } from '../args.ts'

/** A request that is to be explained, as the command line has it. */
export interface Question {
  /** Null for a path alone: as the first listener has it. */
  readonly isSecure: boolean | null
  /** Of a URL: its authority; undefined for a path alone. */
  readonly authority: string | undefined
  /** Names and values as they were written: the server judges them. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string | null
  readonly method: string
  /** As it stands in the request line. */
  readonly target: string
  /** How often it is sent. */
  readonly times: number
}

/**
 * Reads what is to be explained.
 *
 * @throws UsageError for what is no URL, no field, or no number.
 */
export function questionOf({ words: [method = '', url = ''], flags, every }: Args): Question {
  const absolute = /^(https?):\/\/([^/?#]+)(.*)$/is.exec(url)
  if (absolute === null && !/^[/*]/.test(url))
    throw new UsageError(`expected a path such as /about or a URL of http or https, got '${url}'`)
  const [, scheme, authority, rest = url] = absolute ?? []
  return {
    method,
    isSecure: scheme === undefined ? null : scheme.toLowerCase() === 'https',
    authority,
    target: /^[/*]/.test(rest) ? rest : `/${rest}`,
    fields: (every.get('header') ?? []).map(fieldOf),
    body: flags.get('data') ?? null,
    times: timesOf(flags.get('times')),
  }
}

function fieldOf(written: string): readonly [string, string] {
  const colon = written.indexOf(':')
  if (colon < 1) throw new UsageError(`--header: expected 'name: value', got '${written}'`)
  return [written.slice(0, colon), written.slice(colon + 1).trim()]
}

function timesOf(written: string | undefined): number {
  if (written === undefined) return 1
  if (/^[1-9]\d{0,3}$/.test(written)) return Number(written)
  throw new UsageError(`--times: expected a number from 1 to 9999, got '${written}'`)
}

/** The bytes of the request. Host is `localhost` unless the URL or a field says otherwise. */
export function bytesOf({ method, target, authority, fields, body }: Question): Buffer {
  const has = (name: string) => fields.some(([written]) => written.toLowerCase() === name)
  const bytes = Buffer.from(body ?? '')
  const lines = [`${method} ${target} HTTP/1.1`]
  if (!has('host')) lines.push(`host: ${authority ?? 'localhost'}`)
  lines.push(...fields.map(([name, value]) => `${name}: ${value}`))
  if (body !== null && !has('content-length') && !has('transfer-encoding'))
    lines.push(`content-length: ${bytes.length}`)
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes])
}
