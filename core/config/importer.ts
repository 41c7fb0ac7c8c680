/** How the modules of a config are imported. */
export interface Importer {
  /** Imports a module by its `file:` URL. */
  import(url: string): Promise<unknown>
  /** The URL of a config file as the parent of the packages that it names. */
  parent(url: string): string
  /** A file that the config is made of, but is no module. */
  noteFile(file: string): void
}

/** For who loads a config once. */
export const plainImporter: Importer = {
  import: url => import(url),
  parent: url => url,
  noteFile: () => undefined,
}
