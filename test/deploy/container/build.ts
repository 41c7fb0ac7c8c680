import { cp, mkdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { run } from '../../e2e/package/shell.ts'
import { type Instruction, readDockerfile, type Stage } from './dockerfile.ts'

/** What the final stage holds, and how it is run. */
export interface Built {
  /** The folder that is the root of the image. */
  readonly root: string
  readonly stage: Stage
}

/**
 * Does what a Dockerfile says, without an engine: each stage gets a folder for its root, COPY copies and RUN runs there.
 * The files of the base images are not there; commands run with this machine's npm on this Node.
 */
export async function build(project: string, folder: string): Promise<Built> {
  const stages = readDockerfile(await readFile(join(project, 'Dockerfile'), 'utf8'))
  const context = await contextOf(project, join(folder, 'context'))
  const roots = new Map<string, string>()
  for (const [index, stage] of stages.entries()) {
    const root = join(folder, `stage-${index}`)
    await mkdir(root)
    await buildStage(stage, root, context, roots)
    if (stage.name !== null) roots.set(stage.name, root)
  }
  return { root: join(folder, `stage-${stages.length - 1}`), stage: stages.at(-1)! }
}

/** What .dockerignore lets through: ours begins with `*` and names what may pass. */
async function contextOf(project: string, context: string): Promise<string> {
  const lines = (await readFile(join(project, '.dockerignore'), 'utf8')).split('\n')
  const [all, ...rules] = lines.filter(line => line !== '' && !line.startsWith('#'))
  if (all !== '*' || rules.some(rule => !/^![\w.-]+$/.test(rule)))
    throw new Error('.dockerignore: not a list of exceptions')
  for (const rule of rules)
    await cp(join(project, rule.slice(1)), join(context, rule.slice(1)), { recursive: true })
  return context
}

async function buildStage(
  { instructions }: Stage,
  root: string,
  context: string,
  roots: ReadonlyMap<string, string>,
): Promise<void> {
  let directory = root
  for (const instruction of instructions) {
    if (instruction.name === 'WORKDIR') directory = join(root, instruction.rest)
    await mkdir(directory, { recursive: true })
    if (instruction.name === 'RUN') await run('sh', ['-c', instruction.rest], directory)
    if (instruction.name === 'COPY') await copy(instruction, root, directory, context, roots)
  }
}

async function copy(
  { rest }: Instruction,
  root: string,
  directory: string,
  context: string,
  roots: ReadonlyMap<string, string>,
): Promise<void> {
  const [, stage] = /^--from=(\S+)/.exec(rest) ?? []
  const parts = rest.split(/\s+/).filter(part => !part.startsWith('--'))
  const target = parts.pop()!
  const from = stage === undefined ? context : roots.get(stage)
  if (from === undefined) throw new Error(`COPY ${rest}: no stage of that name`)
  const to = target.startsWith('/') ? join(root, target) : join(directory, target)
  for (const source of parts) {
    const place = target.endsWith('/') ? join(to, basename(source)) : to
    await cp(join(from, source), place, { recursive: true, verbatimSymlinks: true })
  }
}
