import { fileLabel } from '../config/errors.ts'
import type { FreshModules, ModuleLoad } from '../config/fresh-modules.ts'
import { awaited } from '../pending.ts'
import type { NextGeneration, Server, Swapped } from '../server.ts'
import { writeError } from '../stderr.ts'
import type { Args } from './args.ts'
import { explain } from './failure.ts'
import { asConfigMistake, prepare } from './prepare.ts'
import { ReloadQueue } from './reload-queue.ts'
import type { Settings } from './settings.ts'

/** How a command has ended: what is printed, and the exit code. */
export interface Outcome {
  /** 0 fine, 1 runtime failure, 2 usage, 78 config error. */
  readonly code: number
  /** Whole lines. */
  readonly text: string
}

/** Milliseconds that a load and the start of its plugins may take: one that never settles must not block the next. */
const RELOAD_LIMIT = 60_000

/** Node never frees a module: every so many loads that is worth a word. */
const MANY_LOADS = 100

/** What a reload needs of the command line that started the server. */
export interface ReloadContext {
  readonly server: Server
  readonly modules: FreshModules
  readonly settings: Settings
  readonly args: Args
  readonly cwd: string
}

/** A config that is loaded and started, and not in charge yet. */
export interface PreparedReload {
  /** Tells what was loaded from what others have: equal for equal files. */
  readonly fingerprint: string
  /** It never rejects. */
  commit(why?: string): Promise<Outcome>
  abandon(): Promise<void>
}

/** Loads the config again, one load at a time. What is asked for meanwhile is one more, for all who asked. */
export class Reloader {
  readonly #context: ReloadContext
  readonly #limit: number
  readonly #queue = new ReloadQueue(why => this.#run(why))

  /** @param limit Milliseconds that a reload may take. Default: 60 s. */
  constructor(context: ReloadContext, limit = RELOAD_LIMIT) {
    this.#context = context
    this.#limit = limit
  }

  /**
   * Reloads, and says on stderr what came of it. It never rejects.
   *
   * @param why What is said of the reason: `routes.ts changed`.
   */
  reload(why?: string): Promise<Outcome> {
    return this.#queue.reload(why)
  }

  /**
   * The first half of a reload, for one of several processes that change together. It never rejects, and says nothing.
   *
   * @returns What is to be put in charge or ended, one of the two; or why there is nothing.
   */
  async prepare(): Promise<PreparedReload | Outcome> {
    const { server, args, modules } = this.#context
    if (server.isStopping) return { code: 1, text: say(['not reloaded: the server is stopping']) }
    const load = modules.begin()
    try {
      const next = await this.#inTime(load)
      return {
        fingerprint: modules.fingerprint,
        commit: why => this.#commit(next, load, why),
        abandon: () => next.abandon(),
      }
    } catch (error) {
      return notReloaded(error, args)
    } finally {
      load.end(false)
    }
  }

  async #run(why: string | undefined): Promise<Outcome> {
    const outcome = await this.#attempt(why)
    writeError(outcome.text)
    return outcome
  }

  async #attempt(why: string | undefined): Promise<Outcome> {
    const prepared = await this.prepare()
    return 'code' in prepared ? prepared : await prepared.commit(why)
  }

  async #commit(next: NextGeneration, load: ModuleLoad, why: string | undefined): Promise<Outcome> {
    try {
      return { code: 0, text: say(this.#told(next.commit(), load, why)) }
    } catch (error) {
      await next.abandon()
      return notReloaded(error, this.#context.args)
    }
  }

  async #inTime(load: ModuleLoad): Promise<NextGeneration> {
    const before = awaited()
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      const what = awaited().findLast(each => !before.includes(each)) ?? 'the reload'
      late.reject(new Error(`${what} did not end within ${this.#limit / 1000} s`))
    }, this.#limit)
    const next = this.#prepare(load)
    try {
      return await Promise.race([next, late.promise])
    } catch (error) {
      next.then(each => each.abandon(), ignore)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async #prepare(load: ModuleLoad): Promise<NextGeneration> {
    const { server, settings, cwd } = this.#context
    const before = server.generation.config.file
    const { config } = await prepare(settings, cwd, { importer: load, before })
    load.end(true)
    const generation = await server.build(config).catch(asConfigMistake)
    return await server.prepare(generation)
  }

  #told({ opened, closed }: Swapped, { isFresh, stuck }: ModuleLoad, why: string | undefined): string[] {
    const { server, modules } = this.#context
    const { file } = server.generation.config
    const { reloads } = modules
    const known = isFresh || file === null ? '' : ', whose modules have not changed'
    const what = file === null ? 'without a config' : fileLabel(file)
    const lines = [`reloaded ${what}${why === undefined ? known : `: ${why}`}`]
    for (const { url } of opened) lines.push(`listening on ${url}`)
    for (const { url } of closed) lines.push(`no longer listening on ${url}`)
    for (const path of stuck)
      lines.push(`${path} is an ES module that CommonJS requires: it stays what it was until a restart`)
    if (isFresh && reloads > 0 && reloads % MANY_LOADS === 0)
      lines.push(
        `warning: ${reloads} reloads have imported modules, and Node never frees one: restart some time`,
      )
    return lines
  }
}

/** What a reload that fails comes to. */
function notReloaded(error: unknown, args: Args): Outcome {
  const { text, code } = explain(error, args)
  return { code, text: `${say(['not reloaded, the config before goes on serving'])}${text}` }
}

const say = (lines: readonly string[]): string => lines.map(line => `rawhttp: ${line}\n`).join('')

const ignore = (): void => undefined
