/**
 * The test kit, `rawhttp/testing`: what tells whether a plugin can be trusted. It needs no test runner and works with any.
 *
 * @example
 * import { contract } from 'rawhttp/testing'
 *
 * for (const { name, run } of contract(hello, { requests: ['/hello'] })) test(name, run)
 */
export type { CaseId } from './testing/case.ts'
export { type ContractCase, ContractError, contract, testPlugin } from './testing/contract.ts'
export type { MemoryConnection } from './testing/memory-connection.ts'
export type { ContractOptions } from './testing/options.ts'
export { RawClient, type RawResponse } from './testing/raw-client.ts'
export { randomSizes, type Split } from './testing/splits.ts'
export type { Subject } from './testing/subject.ts'
export { type Ended, type TestServer, type TestServerOptions, testServer } from './testing/test-server.ts'
export { type VirtualClock, virtualClock } from './testing/virtual-clock.ts'
