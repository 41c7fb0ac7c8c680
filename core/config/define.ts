import type { Config, ConfigContext, SiteConfig } from './types.ts'

/** A function that makes a config, sync or async. */
type ConfigFunction = (context: ConfigContext) => Config | Promise<Config>

/**
 * Gives a config back as it is, with its type checked: the default export of `rawhttp.config.ts`.
 *
 * @example
 * export default defineConfig({ plugins: [staticFiles({ root: './public' })] })
 */
export function defineConfig(config: Config): Config
/**
 * Gives a function that makes a config, sync or async, back as it is. It is called with the command, the mode and the
 * environment.
 *
 * @example
 * export default defineConfig(({ mode }) => ({ listen: [{ port: mode === 'production' ? 80 : 8080 }] }))
 */
export function defineConfig(config: ConfigFunction): ConfigFunction
export function defineConfig(config: Config | ConfigFunction): Config | ConfigFunction {
  return config
}

/**
 * Gives a site back as it is, with its type checked: an entry of `sites`, usually from a file of its own.
 *
 * @example
 * export const blog = defineSite({ name: 'blog', hosts: ['blog.example.com'], dir: import.meta.dirname })
 */
export function defineSite(site: SiteConfig): SiteConfig {
  return site
}
