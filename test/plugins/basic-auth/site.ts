import { type HttpRequest, HttpResponse, type InjectedResponse, Slots } from 'rawhttp'
import { type BasicAuthOptions, basicAuth } from 'rawhttp/plugins/basic-auth'
import { scryptHash } from '../../../plugins/basic-auth/hash.ts'
import { type InMemory, serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'

/** A hash that costs tests nothing. */
export const cheapHash = (password: string): Promise<string> => scryptHash(password, { ln: 4, r: 8, p: 1 })

/** What a client sends. */
export const basic = (user: string, password: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

/** A guarded site whose answer is the name of the user. */
export async function guarded(
  options: BasicAuthOptions,
): Promise<InMemory & { as(user: string, password: string): Promise<InjectedResponse> }> {
  const site = await serve([
    basicAuth(options),
    answering((request: HttpRequest) => HttpResponse.text(`for ${request.get(Slots.user)}`)),
  ])
  return { ...site, as: (user, password) => site.ask({ headers: basic(user, password) }) }
}
