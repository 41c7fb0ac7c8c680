import type { Declaration, Declarations, Member } from './declarations.ts'
import { tagsOf, withoutLinks } from './tsdoc.ts'

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

/** The pages of what `rawhttp` exports, and of the entries beside it that are no plugins. */
export function apiPages(declarations: Declarations): ApiPage[] {
  const others = [...declarations].filter(
    ([name]) => name !== 'rawhttp' && !name.startsWith('rawhttp/plugins/'),
  )
  return [...corePages(declarations.get('rawhttp') ?? []), ...others.map(entryPage)]
}

function entryPage([name, own]: readonly [string, readonly Declaration[]]): ApiPage {
  const sections = own.map(entry => section(entry, '##'))
  const path = `/reference/api/${name.replace('rawhttp/', '')}`
  return { path, markdown: `# API: ${name}\n\nWhat \`${name}\` exports.\n\n${sections.join('\n')}` }
}

function corePages(all: readonly Declaration[]): ApiPage[] {
  const rest = new Set(all)
  return groups.map(({ path, title, about, files }) => {
    const own = [...rest].filter(({ file }) => files.test(file))
    for (const declaration of own) rest.delete(declaration)
    const sections = own
      .toSorted((a, b) => a.name.localeCompare(b.name, 'en'))
      .map(entry => section(entry, '##'))
    return { path: `/reference/api/${path}`, markdown: `# ${title}\n\n${about}\n\n${sections.join('\n')}` }
  })
}

/** What the module of a plugin exports: the end of the plugin's page. */
export function pluginExports(plugin: string, declarations: Declarations): string {
  const own = declarations.get(`rawhttp/plugins/${plugin}`) ?? []
  if (own.length === 0) return ''
  const sections = own.map(entry => section(entry, '###'))
  return `## Exports\n\nOf \`rawhttp/plugins/${plugin}\`; [all options](/reference/plugin-options) are on one page.\n\n${sections.join('\n')}`
}

function section({ name, signatures, comment, members }: Declaration, level: string): string {
  const { text, params, returns, throws, examples } = tagsOf(comment)
  const facts = [
    ...params.map(param => param.replace(/^(\w+) (?:- )?/, '- **`$1`**: ')),
    ...(returns === null ? [] : [`- **Gives** ${returns}`]),
    ...throws.map(what => `- **Throws** ${what}`),
  ].map(oneLine)
  return [
    `${level} ${name}`,
    '',
    fenced(signatures.join('\n')),
    '',
    oneParagraphEach(text),
    '',
    ...facts,
    '',
    ...examples.map(fenced),
    '',
    ...members.map(memberItem),
    '',
  ].join('\n')
}

function memberItem({ signature, comment }: Member): string {
  const { text, throws } = tagsOf(comment)
  const told = [text, ...throws.map(what => `Throws ${what}`)].filter(part => part !== '').join(' ')
  return `- ${code(signature)}${told === '' ? '' : `: ${oneLine(told)}`}`
}

/** Code in a line, also with backticks in it. */
function code(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replace(/^readonly /, '')
  return line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``
}

const fenced = (text: string): string => `\`\`\`ts\n${text}\n\`\`\`\n`
const oneLine = (text: string): string => withoutLinks(text).replaceAll(/\s+/g, ' ')
const oneParagraphEach = (text: string): string => withoutLinks(text)
