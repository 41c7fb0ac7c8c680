import type { Declaration, Declarations, Member } from './declarations.ts'
import { tagsOf } from './tsdoc.ts'

/** A page of the API, in Markdown. */
interface ApiPage {
  readonly path: string
  readonly markdown: string
}

/** Exports of the core by what one does with them: the first group whose files match has a name. */
const groups: readonly {
  readonly path: string
  readonly title: string
  readonly about: string
  readonly files: RegExp
}[] = [
  {
    path: 'config-and-server',
    title: 'API: config and server',
    about: 'What a config file and a program that starts a server import.',
    files: /^core\/(?:config\/(?:define|errors|types)|server|inject|limits)$/,
  },
  {
    path: 'plugins-and-hooks',
    title: 'API: plugins and hooks',
    about: 'What a plugin is made of. The [plugin guide](/plugin-guide) shows it at work.',
    files: /^core\/(?:plugin|hooks|stages|keep|slots|log|listener|stats|tap|scope|site|errors)$/,
  },
  {
    path: 'requests',
    title: 'API: requests',
    about: 'What a handler reads. Everything is lazy: what nobody reads is never parsed.',
    files: /^core\/(?:request|request-init|body|forms|headers|conditional|trusted-proxies)$/,
  },
  {
    path: 'responses',
    title: 'API: responses',
    about: 'What a handler returns.',
    files: /^core\/(?:response|response-body|event-run|event-stream|event-text|file-slice|sink)$/,
  },
  {
    path: 'helpers',
    title: 'API: helpers for plugins',
    about:
      'The parts that the plugins of rawhttp are made of, for yours: paths, patterns, addresses, options.',
    files: /^core\//,
  },
]

/** Where names are documented, for links to them. */
type Addresses = ReadonlyMap<string, string>

/** The pages of what `rawhttp` exports, and of the entries beside it that are no plugins. */
export function apiPages(declarations: Declarations): ApiPage[] {
  const addresses = coreAddresses(declarations)
  const others = [...declarations].filter(
    ([name]) => name !== 'rawhttp' && !name.startsWith('rawhttp/plugins/'),
  )
  return [
    ...grouped(declarations).map(({ group, own }) =>
      pageOf(group.path, group.title, group.about, own, addresses),
    ),
    ...others.map(([name, own]) =>
      pageOf(name.replace('rawhttp/', ''), `API: ${name}`, `What \`${name}\` exports.`, own, addresses),
    ),
  ]
}

/** What the module of a plugin exports: the end of the plugin's page. */
export function pluginExports(plugin: string, declarations: Declarations): string {
  const own = declarations.get(`rawhttp/plugins/${plugin}`) ?? []
  if (own.length === 0) return ''
  const addresses = new Map([...coreAddresses(declarations), ...addressesOn('', own)])
  const sections = own.map(entry => section(entry, '###', addresses))
  return `## Exports\n\nOf \`rawhttp/plugins/${plugin}\`; its options and those of [all plugins](/reference/plugin-options) are on one page.\n\n${sections.join('\n')}`
}

const addressOf = (path: string): string => `/reference/api/${path}`

function pageOf(
  path: string,
  title: string,
  about: string,
  own: readonly Declaration[],
  addresses: Addresses,
): ApiPage {
  const all = new Map([...addresses, ...addressesOn('', own)])
  const sections = own.map(entry => section(entry, '##', all))
  return { path: addressOf(path), markdown: `# ${title}\n\n${about}\n\n${sections.join('\n')}` }
}

/** The exports of the core by group, each in the first that its file fits, by name. */
function grouped(declarations: Declarations) {
  const rest = new Set(declarations.get('rawhttp') ?? [])
  return groups.map(group => {
    const own = [...rest].filter(({ file }) => group.files.test(file))
    for (const declaration of own) rest.delete(declaration)
    return { group, own: own.toSorted((a, b) => a.name.localeCompare(b.name, 'en')) }
  })
}

const coreAddresses = (declarations: Declarations): Addresses =>
  new Map(grouped(declarations).flatMap(({ group, own }) => [...addressesOn(addressOf(group.path), own)]))

const addressesOn = (page: string, own: readonly Declaration[]): Addresses =>
  new Map(own.map(({ name }) => [name, `${page}#${name.toLowerCase()}`]))

function section(declaration: Declaration, level: string, addresses: Addresses): string {
  const { name, signatures, comment, members } = declaration
  const { text, params, returns, throws, examples } = tagsOf(comment)
  const facts = [
    ...params.map(param => param.replace(/^(\w+) (?:- )?/, '* **`$1`**: ')),
    ...(returns === null ? [] : [`* **Gives** ${returns}`]),
    ...throws.map(what => `* **Throws** ${what}`),
    ...typesOf(declaration, addresses),
  ]
  return [
    `${level} ${name}`,
    fenced(signatures.join('\n')),
    linked(text, addresses),
    facts.map(fact => linked(oneLine(fact), addresses)).join('\n'),
    ...examples.map(fenced),
    members.map(member => memberItem(member, addresses)).join('\n'),
    '',
  ].join('\n\n')
}

/** Other documented names in a declaration: its code cannot have links. */
function typesOf({ name, signatures, members }: Declaration, addresses: Addresses): string[] {
  const code = [...signatures, ...members.map(({ signature }) => signature)].join(' ')
  const names = new Set(code.match(/\b[A-Z]\w+\b/g) ?? [])
  const known = [...names].filter(other => other !== name && addresses.has(other))
  return known.length === 0 ? [] : [`* **Types**: ${known.map(other => `{@link ${other}}`).join(', ')}`]
}

function memberItem({ signature, comment }: Member, addresses: Addresses): string {
  const { text, throws } = tagsOf(comment)
  const told = [text, ...throws.map(what => `Throws ${what}`)].filter(part => part !== '').join(' ')
  return `- ${code(signature)}${told === '' ? '' : `: ${linked(oneLine(told), addresses)}`}`
}

/** `{@link name}` as a link, or as code where the name is that of a member. */
const linked = (text: string, addresses: Addresses): string =>
  text.replaceAll(/\{@link (\S+?)\}/g, (_, name: string) => {
    const address = addresses.get(name)
    return address === undefined ? `\`${name}\`` : `[\`${name}\`](${address})`
  })

/** Code in a line, also with backticks in it. */
function code(text: string): string {
  const line = oneLine(text).replace(/^readonly /, '')
  return line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``
}

const fenced = (text: string): string => `\`\`\`ts\n${text}\n\`\`\``
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ')
