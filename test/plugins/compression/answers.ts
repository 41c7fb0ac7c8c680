import { type Config, HttpResponse, type InjectedResponse, type InjectOptions } from 'rawhttp'
import { type CompressionOptions, compression } from 'rawhttp/plugins/compression'
import { serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'
import { decoded } from './decode.ts'

/** Text that every coding makes smaller. */
export const text = 'All happy families are alike; each unhappy family is unhappy in its own way.\n'.repeat(
  60,
)

/** Asks a server that answers everything with one response, and knows what it should decode to. */
export async function serving(
  answer: () => HttpResponse,
  options?: CompressionOptions,
  config: Config = {},
): Promise<(headers?: Record<string, string>, more?: InjectOptions) => Promise<InjectedResponse>> {
  const { ask } = await serve({
    ...config,
    plugins: [answering(answer), compression(options), ...(config.plugins ?? [])],
  })
  return (headers = {}, more = {}) => ask({ headers, ...more })
}

/** A page of text. */
export const page = (): HttpResponse => HttpResponse.text(text)

/** The body as the client reads it. */
export function read(answer: InjectedResponse): string {
  return decoded(answer.headers.get('content-encoding'), answer.body).toString()
}
