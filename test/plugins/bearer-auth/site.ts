import { type HttpRequest, HttpResponse, type InjectedResponse, Slots } from 'rawhttp'
import { type BearerAuthOptions, BearerClaims, bearerAuth } from 'rawhttp/plugins/bearer-auth'
import { type InMemory, serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'

export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })

/** A guarded site that answers with what it knows of the client. */
export async function guarded(
  options: BearerAuthOptions,
): Promise<InMemory & { as(token: string): Promise<InjectedResponse> }> {
  const site = await serve([
    answering((request: HttpRequest) =>
      HttpResponse.json({ user: request.get(Slots.user), claims: request.get(BearerClaims) }),
    ),
    bearerAuth(options),
  ])
  return { ...site, as: token => site.ask({ headers: bearer(token) }) }
}

/** The challenge of an answer, with its status. */
export const challengeOf = ({ status, headers }: InjectedResponse): string =>
  `${status} ${headers.get('www-authenticate')}`
