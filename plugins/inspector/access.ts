import { type HttpRequest, isFromThisMachine, namesThisMachine } from 'rawhttp'

/**
 * Whether a request without a guard may see the inspector: a client on this machine that names this machine. Hosts of
 * the config are not enough, since what forwards bytes from outside, such as a tunnel, is a client on this machine too.
 */
export const isNear = (request: HttpRequest): boolean =>
  isFromThisMachine(request) && namesThisMachine(request)

/**
 * Whether another page of the web asks, in the browser of somebody who may see the inspector. It could not read what it
 * gets, unless a plugin such as `cors` lets it; nor is it to have requests traced. To follow a link is nobody's harm.
 */
export function isOfAnotherPage({ headers, host }: HttpRequest): boolean {
  const site = headers.get('sec-fetch-site')
  if (site === 'cross-site' || site === 'same-site') return headers.get('sec-fetch-mode') !== 'navigate'
  const origin = headers.get('origin')
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== host
}
