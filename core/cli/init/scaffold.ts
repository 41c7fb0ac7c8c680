/** A file that is there already, with what it lacked. */
export interface Merged {
  readonly text: string
  /** What was added, as the report names it. */
  readonly added: readonly string[]
  /** What it has in its own way. */
  readonly kept: readonly string[]
}

/** A file to be written. */
export interface ScaffoldFile {
  /** Below the folder, with `/`. */
  readonly path: string
  readonly text: string
  /** Adds what a file that is there already lacks. Without it such a file is in the way. */
  readonly merge?: ((present: string) => Merged) | undefined
}

/** What `rawhttp init` writes, and what is to be done with it. */
export interface Scaffold {
  /** What it is: `a site`. */
  readonly what: string
  readonly files: readonly ScaffoldFile[]
  /** The scripts of package.json to run next, with what each does. */
  readonly next: readonly (readonly [script: string, what: string])[]
  readonly scripts: Readonly<Record<string, string>>
}

/** A package.json that says more of what it holds than that it is JSON. */
export type Manifest = Readonly<Record<string, unknown>> & {
  readonly scripts: Readonly<Record<string, string>>
}
