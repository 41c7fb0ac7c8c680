import type { ServerProcess } from '../process.ts'

/** Where a server finds what it serves. */
export interface Stage {
  /** The static files, the same for all. */
  readonly files: string
  /** A folder of this server alone: logs, generated configs. */
  readonly folder: string
  /** PEM files of the certificate and its key. */
  readonly cert: string
  readonly key: string
  /** Bytes that rawhttp has answered, as a whole and as body: what a constant is made like. */
  readonly answer: { readonly total: number; readonly body: number }
  /** For servers on Node: flags of its own command line. */
  readonly nodeOptions?: readonly string[] | undefined
}

/** One server in a row of the table. */
export interface Contestant {
  readonly name: string
  /** Why it cannot take part, in a sentence; null when it can. */
  missing(): string | null
  start(stage: Stage): Promise<ServerProcess>
  /** Answers a constant, whatever is asked: only the status of its answers is checked. */
  readonly isConstant?: true | undefined
  /** Runs on Node, and takes the stage's flags for it. */
  readonly isNode?: true | undefined
  /** The access log in the stage's folder, which must have a line for each request afterwards. */
  readonly log?: string | undefined
  /** The part of the row's requests that it gets, where one takes so long that all of them would take hours. */
  readonly share?: number | undefined
  /** Where it has the thing under another name than the row says. */
  readonly path?: string | undefined
  /** Field lines instead of the row's. */
  readonly headers?: readonly string[] | undefined
}
