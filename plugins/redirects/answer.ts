import { HttpError, type HttpRequest, HttpResponse } from 'rawhttp'
import type { RedirectsSettings } from './schema.ts'
import type { RightPath } from './slash.ts'
import type { OtherHost } from './www.ts'

/** What answers are made with. */
export interface Ways extends Pick<RedirectsSettings, 'table' | 'status' | 'cacheControl'> {
  readonly rightPath: RightPath
  readonly otherHost: OtherHost
}

/** Where a request is to go. */
interface Aim {
  readonly origin: string | null
  readonly path: string
  readonly search: string
  readonly fragment: string
  readonly status: number
}

/** A redirect, or the 410 of what is gone. */
export type Answer = HttpResponse | HttpError

/** The redirect of a request: one for rule, host and slash together. Null when all is right as it is. */
export function redirectOf(request: HttpRequest, ways: Ways): Answer | null {
  const aim = aimOfRule(request, ways)
  if (aim instanceof HttpError) return aim
  const location = locationOf(request, aim, ways)
  if (location !== null) return location
  return request.method === 'OPTIONS' ? null : locationOf(request, plainAim(request, ways), ways)
}

function aimOfRule(request: HttpRequest, { table, status, rightPath }: Ways): Aim | HttpError | null {
  if (table === null) return null
  const { path, search } = request
  const right = rightPath(path)
  const found = table.find(path, request) ?? (right === path ? null : table.find(right, request))
  if (found === null) return null
  const { destination, keepsQuery, status: own } = found.value
  if (destination === null) return new HttpError(410)
  const { origin, fragment } = destination
  return {
    ...destination.reach(found.params, keepsQuery ? search : ''),
    origin,
    fragment,
    status: own ?? status,
  }
}

function plainAim({ path, search }: HttpRequest, { status, rightPath }: Ways): Aim {
  return { origin: null, path: rightPath(path), search, fragment: '', status }
}

// A request that is where it should be is not sent anywhere: a client would go round in a circle.
function locationOf(request: HttpRequest, aim: Aim | null, ways: Ways): HttpResponse | null {
  if (aim === null) return null
  const path = aim.origin === null ? ways.rightPath(aim.path) : aim.path
  const origin = aim.origin ?? ownOrigin(request, ways.otherHost)
  const isElsewhere = path !== request.path || aim.search !== request.search
  if (!isElsewhere && (origin === '' || origin === originOf(request))) return null
  return made(`${origin}${path}${aim.search}${aim.fragment}`, aim.status, ways)
}

/** The origin that the request should have had; empty when it has it. */
function ownOrigin({ scheme, host, hostname }: HttpRequest, otherHost: OtherHost): string {
  const other = otherHost(hostname)
  return other === null ? '' : `${scheme}://${other}${/:\d+$/.exec(host)?.[0] ?? ''}`
}

function originOf({ scheme, host }: HttpRequest): string | null {
  const text = `${scheme}://${host}`
  return URL.canParse(text) ? new URL(text).origin : null
}

function made(location: string, status: number, { cacheControl }: Ways): HttpResponse {
  const isPermanent = status === 301 || status === 308
  const response = HttpResponse.redirect(location, status)
  // There is nothing to transform, and no other request is answered by it.
  response.transformed()
  return isPermanent && cacheControl !== false ? response.set('cache-control', cacheControl) : response
}
