import type { Config } from 'rawhttp'
import { onTestFinished } from 'vitest'
import { RawClient } from './raw-client.ts'
import { startServer, type TestServer } from './server.ts'

/** A server of {@link startServer} that ends with the test. */
export async function startForTest(config: Config): Promise<TestServer> {
  const served = await startServer(config)
  onTestFinished(() => served[Symbol.asyncDispose]())
  return served
}

/** A connection to a server that ends with the test. */
export async function connectForTest({ port }: TestServer): Promise<RawClient> {
  const client = await RawClient.connect(port)
  onTestFinished(() => client[Symbol.asyncDispose]())
  return client
}
