import type { StandardSchema } from 'rawhttp'
import { configSchema, scopeSchema } from '../../../core/config/schema.ts'
import { type Described, describedIn, descriptionOf, type Member } from './comments.ts'
import { hasPage } from './root.ts'
import { optionsOf, type SchemaOption } from './schema.ts'
import { tsdocText } from './tsdoc.ts'
import { numberUnits } from './units.ts'

/** An option with all that the pages tell of it. */
export interface DocumentedOption {
  readonly path: string
  readonly type: string
  /** What a number counts; empty where no number is taken. */
  readonly unit: string
  /** Markdown. */
  readonly default: string
  readonly description: string
}

/** A plugin and its options, in the order of its schema. */
export interface PluginOptions {
  readonly name: string
  readonly factory: string
  readonly options: readonly DocumentedOption[]
}

type Factory = ((...input: unknown[]) => { readonly options?: unknown }) & { readonly plugin: string }

/** The options of a plugin, read from the schema of the factory that it exports. */
export async function pluginOptions(name: string): Promise<PluginOptions> {
  const module = (await import(`../../../plugins/${name}/index.ts`)) as Readonly<Record<string, unknown>>
  const [factory, make] =
    Object.entries(module).find(
      (entry): entry is [string, Factory] => typeof entry[1] === 'function' && 'plugin' in entry[1],
    ) ?? []
  // Rules of several plugins say which requests they are for as scope() does.
  const described = [...describedIn(`plugins/${name}`), ...describedScope()]
  const schema = make?.().options as StandardSchema | undefined
  const options =
    schema === undefined
      ? optionsOfInterface(name, described)
      : optionsOf(schema).map(option => documented(name, option, described))
  return { name, factory: factory ?? name, options }
}

/** Options that are read by a function, as the router's are: their interface tells of them. */
function optionsOfInterface(plugin: string, described: readonly Described[]): DocumentedOption[] {
  const wanted = `${plugin[0]!.toUpperCase()}${plugin.slice(1)}Options`
  const found = described.find(({ name }) => name === wanted)
  if (found === undefined) throw new Error(`${plugin}: expected a schema, or an interface ${wanted}`)
  return [...found].map(([path, { comment, type }]) => {
    const { text, told } = tsdocText(comment)
    return { path, type: typeText(type), unit: '', default: defaultOf(null, told), description: text }
  })
}

const typeText = (type: string | null): string => `\`${(type ?? 'unknown').replace(/ \| undefined$/, '')}\``

/** The options of the config itself. */
function configOptions(): DocumentedOption[] {
  const described = [
    ...describedIn('core/config'),
    ...describedIn('core').filter(all => all.has('headBytes') || all.has('bodyBytes')),
  ]
  return optionsOf(configSchema).map(option => documented('config', option, described))
}

/** What `scope()` takes. */
const describedScope = (): Described[] =>
  describedIn('core').filter(all => all.has('methods') && all.has('hosts'))

/** @throws Error for an option that no comment describes, and for a number whose unit nobody knows. */
export function documented(
  owner: string,
  option: SchemaOption,
  described: readonly Described[],
): DocumentedOption {
  const { path, expects, isRequired, takesNumber, siblings } = option
  const name = path.split(/[.\]]+/).at(-1)!
  const member = descriptionOf(name, siblings, described) ?? partOf(path)
  if (member === null) throw new Error(`${owner}: no comment describes the option ${path}`)
  const { text, told } = tsdocText(member.comment)
  return {
    path,
    type: expects === 'anything' && member.type !== null ? typeText(member.type) : expects,
    unit: unitOf(owner, path, expects, takesNumber),
    default: isRequired ? 'required' : defaultOf(option.default, told),
    description: text,
  }
}

/** The schema's word counts before the comment's, where values are not always written as code. */
function defaultOf(value: string | null, told: string | null): string {
  if (value !== null) return `\`${value}\``
  const isCode = /^(?:true|false|[\d.,]+|'[^']*'|\[.*\])$/.test(told ?? '')
  return isCode ? `\`${told}\`` : (told ?? 'none')
}

/** What has no comment of its own is told of by the option that it is a part of. */
function partOf(path: string): Member | null {
  const [whole, ...parts] = path.split('.')
  return parts.length === 0 ? null : { comment: `See \`${whole}\`.`, type: null }
}

function unitOf(owner: string, path: string, expects: string, takesNumber: boolean): string {
  if (/\bdurations?\b/.test(expects)) return 'ms'
  if (/\bsize\b/.test(expects)) return 'bytes'
  if (!takesNumber) return ''
  const unit = numberUnits[`${owner}.${path.replace(/^(?:listen|sites)\[\]\.(?=limits\.)/, '')}`]
  if (unit === undefined) throw new Error(`${owner}: expected the unit of the option ${path} in units.ts`)
  return unit
}

/** The page of all options of a config. */
export function configOptionsPage(): string {
  const all = configOptions()
  const scopes = optionsOf(scopeSchema).map(option => documented('scope', option, describedScope()))
  const under = (test: (path: string) => boolean) => table(all.filter(({ path }) => test(path)))
  return `# Config options

Every option that \`defineConfig\` takes. This page is made of the schema that checks a config, so it says what the server
says: an unknown option, or a value of another type, ends the start with a sentence.

A **duration** is a number of milliseconds, or a text with a unit: \`ms\`, \`s\`, \`m\`, \`h\`, \`d\`. A **size** is a number of
bytes, or a text with a unit: \`b\`, \`kb\`, \`mb\`, \`gb\`, each 1,024 times the one before.

## The config

${under(path => !/^(?:listen|sites)\[\]|^limits\./.test(path))}
## A listener

An entry of \`listen\`.

${under(path => /^listen\[\]\.(?!limits\.|trustedProxies\.)/.test(path))}
## A site

An entry of \`sites\`.

${under(path => /^sites\[\]\.(?!limits\.)/.test(path))}
## Limits

In \`limits\` of the config. Those of a listener may stand in \`limits\` of an entry of \`listen\` too, the others in \`limits\`
of a site. [What becomes of what is beyond them](/limits).

${under(path => /^limits\./.test(path))}
## scope()

The first argument of \`scope()\`, which narrows plugins to some requests.

${table(scopes)}`
}

/** The page of all options of all plugins. */
export async function pluginOptionsPage(names: readonly string[]): Promise<string> {
  const plugins = await Promise.all(names.map(pluginOptions))
  const sections = plugins
    .filter(({ options }) => options.length > 0)
    .map(
      ({ name, factory, options }) =>
        `## ${name}\n\nOf ${hasPage(name) ? `[\`${factory}()\`](/plugins/${name})` : `\`${factory}()\``}.\n\n${table(options)}`,
    )
  return `# Options of plugins

Every option of every plugin, made of the schemas that check them. The page of a plugin says what its options are good for.
Durations and sizes are written as in the [config](/reference/config).

${sections.join('\n')}`
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')

function table(options: readonly DocumentedOption[]): string {
  const rows = options.map(({ path, type, unit, default: value, description }) => {
    return `| \`${path.replace(/^(?:listen|sites)\[\]\.|^limits\./, '')}\` | ${cell(codeIn(type))} | ${unit} | ${cell(value)} | ${cell(description)} |`
  })
  return `| option | type | unit | default | what it is |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}

/** Examples in a phrase as code: `a duration such as '10s'`. */
const codeIn = (phrase: string): string =>
  phrase.replaceAll(
    /\{ .*? \}(?! \})|\[.*?\]|'[^']*'|\btrue\b|\bfalse\b|\{ \w[^}]*\}/g,
    example => `\`${example}\``,
  )
