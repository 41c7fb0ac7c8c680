import type { HttpResponse, RequestTest, ScopeOptions } from 'rawhttp'
import { namesOf } from './fields.ts'

/** A status, all of a hundred, or all errors (400 and up). */
export type StatusName = number | '1xx' | '2xx' | '3xx' | '4xx' | '5xx' | 'error'

/** Fields by name. */
export type Fields = Readonly<Record<string, string>>

/** What is done to the header fields of which answers. Parts that are left out do not narrow. */
export interface HeadersRule extends ScopeOptions {
  /** The answers that are meant. Default: all, errors and 304 too. */
  readonly status?: StatusName | readonly StatusName[] | undefined
  /** Fields that are taken away. This comes first. */
  readonly remove?: readonly string[] | undefined
  /** Fields that are set, in the place of all lines of that name. */
  readonly set?: Fields | undefined
  /** Fields that are set where the answer has none of that name. */
  readonly default?: Fields | undefined
  /** Lines that are put beside others of that name. */
  readonly append?: Readonly<Record<string, string | readonly string[]>> | undefined
}

/** A rule that was read. */
export interface Rule {
  /** Null for every request. */
  readonly fits: RequestTest | null
  /** Null for every status. */
  readonly isMeant: ((status: number) => boolean) | null
  readonly changes: readonly Change[]
}

type Change = (response: HttpResponse) => void

/** A rule with its changes in their order: away with fields first, so that one that is removed may be put anew. */
export function compileRule(
  { status, remove = [], set = {}, append = {}, ...rest }: Omit<HeadersRule, 'path' | 'methods' | 'hosts'>,
  fits: RequestTest | null,
): Rule {
  const changes = [
    ...remove.map<Change>(name => response => response.delete(name)),
    ...Object.entries(set).map<Change>(
      ([name, value]) =>
        response =>
          response.set(name, value),
    ),
    ...Object.entries(rest.default ?? {}).map(setDefault),
    ...Object.entries(append).flatMap(([name, lines]) => [lines].flat().map(line => appendLine(name, line))),
  ]
  return { fits, isMeant: status === undefined ? null : statusTest([status].flat()), changes }
}

function setDefault([name, value]: readonly [string, string]): Change {
  const field = name.toLowerCase()
  return response => {
    if (response.headers.get(field) === undefined) response.set(field, value)
  }
}

function appendLine(name: string, line: string): Change {
  if (name.toLowerCase() !== 'vary') return response => response.append(name, line)
  const names = namesOf(line)
  return response => response.vary(...names)
}

function statusTest(names: readonly StatusName[]): (status: number) => boolean {
  const known = new Set<StatusName>(names)
  const isAnyError = known.has('error')
  return status =>
    known.has(status) ||
    known.has(`${Math.floor(status / 100)}xx` as StatusName) ||
    (isAnyError && status >= 400)
}
