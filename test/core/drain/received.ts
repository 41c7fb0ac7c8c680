import type { TestServer } from '../../support/server.ts'
import { turns } from '../../support/turns.ts'

/** When as many bytes have come from clients as these are. */
export async function received(served: TestServer, bytes: string): Promise<void> {
  while (served.server.stats.received < bytes.length) await turns(1)
}
