import { createRequire } from 'node:module'

/** The parts of this package's own package.json that the command line reads. */
interface Manifest {
  readonly version: string
  readonly engines: { readonly node: string }
  readonly devDependencies: Readonly<Record<string, string>>
}

/** This package's package.json; found by its own name, since sources and dist lie at different depths. */
export const ownManifest = (): Manifest => createRequire(import.meta.url)('rawhttp/package.json') as Manifest

/** The version of this package. */
export const version = (): string => ownManifest().version
