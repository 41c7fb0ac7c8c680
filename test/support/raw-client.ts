import { RawClient } from 'rawhttp/testing'

export { RawClient, type RawResponse } from 'rawhttp/testing'

/** Opens a connection, sends bytes, and gives everything that came until the server closed. */
export async function exchangeBytes(port: number, bytes: string | Uint8Array): Promise<string> {
  await using client = await RawClient.connect(port)
  client.send(bytes)
  return await client.rest()
}
