import { basename, isAbsolute, relative } from 'node:path'

/** What is wrong with a config. Without `problem` the sentence is made of `expected` and `received`. */
export interface ConfigProblem {
  /** The config file; null or left out for a config given in code. */
  readonly file?: string | null | undefined
  /** The option: `sites[0].limits.bodyBytes`. */
  readonly path?: string | undefined
  /** What would have been right: `a size such as 65536 or '64kb'`. */
  readonly expected?: string | undefined
  /** What came instead: `'lots'`. */
  readonly received?: string | undefined
  /** The whole sentence, where "expected, got" does not fit. */
  readonly problem?: string | undefined
  /** What to do about it: `did you mean 'bodyBytes'?`. */
  readonly hint?: string | undefined
}

interface ConfigErrorOptions extends ErrorOptions {
  /** Further mistakes that were found in the same go. */
  readonly also?: readonly ConfigError[]
}

/**
 * A mistake in a config, in one sentence: file, option, what was expected, what came.
 *
 * A plugin may throw one from its options function or its set-up, with a `path` below its options; the kernel
 * adds the file and the plugin.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly file: string | null
  readonly path: string | null
  readonly expected: string | null
  readonly received: string | null
  readonly hint: string | null
  /** The message without file and option path. */
  readonly detail: string
  readonly also: readonly ConfigError[]

  constructor(problem: ConfigProblem, options: ConfigErrorOptions = {}) {
    const detail = sentenceOf(problem)
    const where = problem.path === undefined || problem.path === '' ? '' : `${problem.path}: `
    super(`${fileLabel(problem.file ?? null)}: ${where}${detail}`, options)
    this.file = problem.file ?? null
    this.path = problem.path ?? null
    this.expected = problem.expected ?? null
    this.received = problem.received ?? null
    this.hint = problem.hint ?? null
    this.detail = detail
    this.also = options.also ?? []
  }
}

/** One error for several mistakes: the first one's sentence, the others in `also`. */
export function configErrorOf(problems: readonly ConfigProblem[], options: ErrorOptions = {}): ConfigError {
  const [first, ...rest] = problems
  if (first === undefined) throw new TypeError('configErrorOf: expected at least one problem, got none')
  return new ConfigError(first, { ...options, also: rest.map(problem => new ConfigError(problem)) })
}

/** Whether a value is a {@link ConfigError}, also one of another copy of rawhttp. */
export const isConfigError = (value: unknown): value is ConfigError =>
  value instanceof ConfigError || (value instanceof Error && value.name === 'ConfigError')

/**
 * What a plugin threw over its options, with the file and the plugin in front, and the option where it names one.
 * `at` is the plugin's place and name: `sites[0].plugins[2] (static)`.
 */
export function optionsError(thrown: unknown, at: string, file: string | null): ConfigError {
  const named = isConfigError(thrown) ? thrown : null
  const path = `${at}: options${named?.path ? `.${named.path}` : ''}`
  return new ConfigError({ file, path, problem: named?.detail ?? messageOf(thrown) }, { cause: thrown })
}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** A problem in a sentence, without file and option path. */
export function sentenceOf(problem: ConfigProblem): string {
  const text = problem.problem ?? `expected ${problem.expected}, got ${problem.received}`
  return problem.hint === undefined ? text : `${text}; ${problem.hint}`
}

/** A file as messages name it: relative where it lies in the working directory, else whole. */
export function fileLabel(file: string | null): string {
  if (file === null) return 'config'
  const inside = relative(process.cwd(), file)
  const label = inside === '' || inside.startsWith('..') || isAbsolute(inside) ? file : inside
  return basename(file) === 'package.json' ? `${label}#rawhttp` : label
}
