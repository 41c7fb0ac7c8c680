import { type HttpRequest, isFromThisMachine, namesThisMachine } from 'rawhttp'

/**
 * Whether a request without a guard may see the inspector: a client on this machine that names this machine. Hosts of
 * the config are not enough, since what forwards bytes from outside, such as a tunnel, is a client on this machine too.
 */
export const isNear = (request: HttpRequest): boolean =>
  isFromThisMachine(request) && namesThisMachine(request)
