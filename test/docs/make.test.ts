import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { beforeAll, describe, expect, test } from 'vitest'
import { configSchema } from '../../core/config/schema.ts'
import { isDuration, isSize, parseDuration, parseSize } from '../../core/config/units.ts'
import * as core from '../../core/index.ts'
import { apiPages, pluginExports } from '../../sites/docs/make/api.ts'
import { commandLinePage } from '../../sites/docs/make/command-line.ts'
import { type Declarations, readDeclarations } from '../../sites/docs/make/declarations.ts'
import { checkLinks } from '../../sites/docs/make/links.ts'
import { render } from '../../sites/docs/make/markdown.ts'
import { configOptionsPage, documented, pluginOptions } from '../../sites/docs/make/options-page.ts'
import { hasPage, pluginNames } from '../../sites/docs/make/root.ts'
import { optionsOf } from '../../sites/docs/make/schema.ts'
import { Slugs } from '../../sites/docs/make/slug.ts'
import { readSources } from '../../sites/docs/make/sources.ts'
import { tagsOf, tsdocText } from '../../sites/docs/make/tsdoc.ts'
import { numberUnits } from '../../sites/docs/make/units.ts'

const root = join(import.meta.dirname, '../..')
const nowhere = { link: (href: string) => href, picture: () => ({ src: '', width: 1, height: 1 }) }
/** The options in the first table of a plugin's page, with their defaults. */
function written(plugin: string): [option: string, value: string][] {
  const text = readFileSync(join(root, 'plugins', plugin, 'README.md'), 'utf8')
  const [, table = ''] = /^\| option \|.*\n\|[-|]*\n((?:\|.*\n)+)/m.exec(text) ?? []
  return table.split('\n').flatMap(row => {
    const [, names = '', , value = ''] = row.split(/(?<!\\)\|/)
    return [...names.matchAll(/`([\w.]+)`/g)].map(([, name]): [string, string] => [name!, value.trim()])
  })
}

/** A default as a value, however it is written; null for what is told in words. */
function literalOf(cell: string): number | string | null {
  const text = cell
    .replace(/^`(.*)`$/, '$1')
    .replace(/^'(.*)'$/, '$1')
    .replaceAll(/(?<=\d)[_,](?=\d{3})/g, '')
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text)
  if (isSize(text)) return parseSize(text)
  if (isDuration(text)) return parseDuration(text)
  return /^(?:[\w.-]+|\[.*\])$/.test(text) ? text : null
}

describe('the options of plugins', () => {
  const plugins = pluginNames()
  const shown = plugins.filter(hasPage)

  test('are read of every plugin, and of the interface where they are read by a function', async () => {
    const without = []
    for (const name of plugins) if ((await pluginOptions(name)).options.length === 0) without.push(name)
    expect(without).toEqual([])
    const { options } = await pluginOptions('router')
    expect(options).toContainEqual({
      path: 'trailingSlash',
      type: '`TrailingSlash`',
      unit: '',
      default: "`'strict'`",
      description: expect.stringContaining('(`ignore`)'),
    })
  })

  test.each(shown.filter(name => name !== 'router'))('%s: its page has those that there are', async name => {
    const { options } = await pluginOptions(name)
    const paths = options.map(({ path }) => path.replaceAll('[]', '').replace(/^\./, ''))
    expect(written(name).filter(([option]) => !paths.includes(option))).toEqual([])
    const readme = readFileSync(join(root, 'plugins', name, 'README.md'), 'utf8')
    for (const { path } of options)
      expect(readme, path).toMatch(new RegExp(`\\b${path.split(/[.\]]+/).at(-1)}\\b`))
  })

  test.each(shown)('%s: its page and its schema have the same defaults', async name => {
    const { options } = await pluginOptions(name)
    const made = new Map(options.map(option => [option.path.replaceAll('[]', ''), option.default]))
    for (const [option, cell] of written(name)) {
      const [here, there] = [literalOf(cell), literalOf(made.get(option) ?? '')]
      // 'none', 'all' and the like are words, of which each place has its own.
      const isWord = [here, there].some(
        value => value === null || (/^[a-z]+$/.test(String(value)) && !cell.includes('`')),
      )
      if (!isWord) expect([option, there]).toEqual([option, here])
    }
  })

  test('have a type, a default, and a unit where they are numbers, all that units.ts knows', async () => {
    const all = await Promise.all(plugins.map(pluginOptions))
    const units = all.flatMap(({ name, options }) =>
      options.flatMap(({ path, type, default: value, description, unit }) => {
        expect([type, value, description], `${name}: ${path}`).not.toContain('')
        return Object.values(numberUnits).includes(unit) ? [`${name}.${path}`] : []
      }),
    )
    const known = Object.keys(numberUnits).filter(path => !path.startsWith('config.'))
    expect(units.sort()).toEqual(known.sort())
  })
})

describe('an option is told of by its schema', () => {
  const one = (entry: v.GenericSchema) => optionsOf(v.strictObject({ it: entry }))[0]!

  test.each([
    [v.optional(v.boolean(), true), { expects: 'true or false', default: 'true', isRequired: false }],
    [v.string(), { expects: 'a text', default: null, isRequired: true }],
    [
      v.optional(v.picklist(['a', 'b'], core.expected("'a' or 'b'")), 'a'),
      { expects: "'a' or 'b'", default: "'a'" },
    ],
    [v.optional(v.array(v.string()), () => ['x']), { expects: 'a list', default: "['x']" }],
    [v.custom<number>(value => Number(value) > 3, 'a whole number above 3'), { takesNumber: true }],
    [v.any(), { expects: 'anything', takesNumber: false }],
  ])('%#', (entry, told) => {
    expect(one(entry)).toMatchObject(told)
  })

  test('those of objects in it stand behind it, through lists, defaults, pipes and kinds', () => {
    const inner = v.strictObject({ b: v.string() })
    const schema = v.pipe(
      v.optional(
        v.strictObject({ a: v.optional(inner), list: v.array(inner), either: v.union([v.boolean(), inner]) }),
      ),
      v.check(() => true),
    )
    const paths = optionsOf(schema).map(({ path }) => path)
    expect(paths).toEqual(['a', 'a.b', 'list', 'list[].b', 'either', 'either.b'])
  })

  test('one that no comment describes ends the build, as does a number without a unit', () => {
    const schema = v.strictObject({ size: v.number() })
    const [option] = optionsOf(schema)
    expect(() => documented('p', option!, [])).toThrow('p: no comment describes the option size')
    const described = [new Map([['size', { comment: 'How many. Default: 1.', type: null }]])]
    expect(() => documented('p', option!, described)).toThrow('p: expected the unit of the option size')
  })
})

test('the page of the config has every option, with the units of its numbers', () => {
  const page = configOptionsPage()
  for (const name of ['listen', 'unknownHost', 'reload.oldStreams', 'fd', 'without', 'headBytes', 'methods'])
    expect(page).toContain(`| \`${name}\` |`)
  const all = optionsOf(configSchema).map(({ path }) => path.replace(/^(?:listen|sites)\[\]\.|^limits\./, ''))
  // Those of listeners are among those of the whole config.
  const own = all.filter(path => !/^(?:limits|trustedProxies)\./.test(path))
  expect(own.filter(path => !page.includes(`| \`${path}\` |`))).toEqual([])
  const known = Object.keys(numberUnits).filter(path => path.startsWith('config.'))
  for (const path of known)
    expect(page).toMatch(new RegExp(`\`${path.split('.').at(-1)}\` \\|.*\\| ${numberUnits[path]} \\|`))
})

test('every page of docs/ is on the site, and its place is found once', async () => {
  const sections = await readSources(new Map())
  const files = sections.flatMap(({ pages }) => pages.flatMap(({ file }) => file ?? []))
  const written = globSync('docs/**/*.md', { cwd: root })
  expect(written.filter(file => !files.includes(file))).toEqual([])
  const paths = sections.flatMap(({ pages }) => pages.map(({ path }) => path))
  expect(new Set(paths).size).toBe(paths.length)
})

test('the page of the command line has every command and flag', () => {
  const page = commandLinePage()
  expect(page).toContain('## rawhttp reload')
  expect(page).toContain('| `--port N`, `-p` | Port of the first listener; 0 picks a free one. | `PORT` |')
})

describe('the API', () => {
  let declarations: Declarations
  beforeAll(async () => {
    declarations = await readDeclarations()
  }, 120_000)

  test('has every export of the core, once', () => {
    const names = apiPages(declarations).flatMap(({ markdown }) =>
      [...markdown.matchAll(/^## (\w+)$/gm)].map(([, name]) => name!),
    )
    expect(new Set(names).size).toBe(names.length)
    for (const name of Object.keys(core)) expect(names).toContain(name)
    expect(names).toEqual(expect.arrayContaining(['Config', 'SiteHooks', 'Outcome', 'Answer'].slice(0, 3)))
  })

  test('shows signatures, comments and members, and nothing that is internal', () => {
    const text = apiPages(declarations)
      .map(({ markdown }) => markdown)
      .join('\n')
    expect(text).toContain('function parseSize(value: Size): number')
    expect(text).toContain('* **Throws** TypeError when the value is no size.')
    expect(text).toContain(
      '- `get hostname(): string`: The host in lower case, without port and trailing dot.',
    )
    expect(text).toContain('[`Plugins`](/reference/api/plugins-and-hooks#plugins)')
    expect(text).not.toMatch(/#private|\{@link|import\("/)
    // Of HttpRequest, and marked as internal.
    expect(text).not.toContain('canRewrite')
  })

  test('of a plugin has what its module exports', () => {
    const text = pluginExports('router', declarations)
    expect([...text.matchAll(/^### (\w+)$/gm)].map(([, name]) => name)).toEqual(
      expect.arrayContaining(['router', 'route', 'ValidationError', 'RouterOptions']),
    )
  })
})

describe('a comment', () => {
  test('tells of a default apart from what it is', () => {
    expect(tsdocText('How {@link long}: `1.5`.\nDefault: `a. b`, or 10 s. More.')).toEqual({
      text: 'How `long`: `1.5`. More.',
      told: '`a. b`, or 10 s',
    })
    expect(tsdocText('Bytes.\n\n@defaultValue `16`')).toEqual({ text: 'Bytes.', told: '`16`' })
    expect(tsdocText('Whatever.')).toEqual({ text: 'Whatever.', told: null })
  })

  test('is split at its tags', () => {
    expect(
      tagsOf('What.\n\n@param x Of it.\n@throws Error one\n@throws Error two\n@example\ncode()'),
    ).toEqual({
      text: 'What.',
      params: ['x Of it.'],
      returns: null,
      throws: ['Error one', 'Error two'],
      examples: ['code()'],
    })
  })
})

describe('Markdown', () => {
  test('headings have the ids that GitHub gives them', () => {
    const slugs = new Slugs()
    const all = [
      'What is `served`, and what never is',
      'Über uns',
      'scope()',
      'scope()',
      'a - b',
      'rate_limit',
    ]
    expect(all.map(text => slugs.next(text.replaceAll('`', '')))).toEqual([
      'what-is-served-and-what-never-is',
      'über-uns',
      'scope',
      'scope-1',
      'a---b',
      'rate_limit',
    ])
  })

  test('code is coloured by classes, and never runs', () => {
    const { html } = render('# t\n\n```ts\nconst a = "<script>"\n```\n\n```caddyfile\n<b>\n```\n', nowhere)
    expect(html).toContain('<span class="hljs-keyword">const</span>')
    expect(html).toContain('&lt;script&gt;')
    expect(html).toContain('<code>&lt;b&gt;</code>')
    expect(html).not.toMatch(/style=|<script/)
  })

  test('comments go, and HTML is an error', () => {
    expect(render('# t\n\n<!-- given: x -->\n\nb <!-- c --> d', nowhere).html).not.toContain('given')
    expect(() => render('# t\n\n<div>x</div>', nowhere)).toThrow('HTML in Markdown')
  })

  test('text goes to the search by its heading, without code', () => {
    const { parts } = render(
      '# A\n\none `two`\n\n```sh\nthree\n```\n\n## B\n\n- four\n\n| five |\n|---|\n| six |\n',
      nowhere,
    )
    expect(parts.map(({ heading, text }) => [heading.id, text])).toEqual([
      ['a', 'one two'],
      ['b', 'four five six'],
    ])
  })
})

test('a link that leads nowhere is told, those to other sites are counted', () => {
  const pages = new Map([
    ['/a', '<main id="main"></main><h2 id="x"></h2><a href="/b#y"></a><a href="#x"></a><a href="/b#z"></a>'],
    [
      '/b',
      '<main id="main"></main><h2 id="y"></h2><a href="/c"></a><img src="/p.svg"><a href="https://x.example/"></a>',
    ],
  ])
  expect(checkLinks(pages, new Set(['/p.svg']))).toEqual({
    dead: ['/a: /b#z leads nowhere', '/b: /c leads nowhere'],
    external: 1,
  })
})
