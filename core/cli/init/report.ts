import { relative } from 'node:path'
import type { Step } from './plan.ts'
import type { Scaffold } from './scaffold.ts'

/** What was written, and what to do next, as lines for people. */
export function report(scaffold: Scaffold, steps: readonly Step[], folder: string, cwd: string): string {
  const where = relative(cwd, folder)
  const lines = [
    ...written(scaffold, steps, where === '' ? 'this folder' : where),
    '',
    'Next:',
    ...(where === '' ? [] : [`  cd ${forShell(where)}`]),
    '  npm install',
    ...nextLines(scaffold, steps),
  ]
  return `${lines.join('\n')}\n`
}

function written({ what }: Scaffold, steps: readonly Step[], where: string): string[] {
  const changed = steps.filter(({ change }) => change !== 'same')
  const title = changed.length === 0 ? `${where} has all of ${what} already.` : `Wrote ${what} to ${where}:`
  return [title, ...changed.map(fileLine), ...steps.flatMap(keptLine)]
}

function fileLine({ path, change, merged }: Step): string {
  if (merged === null) return `  ${path}${change === 'overwritten' ? ' (overwritten)' : ''}`
  return `  ${path} (added ${merged.added.join(', ')})`
}

function keptLine({ path, merged }: Step): string[] {
  return merged === null || merged.kept.length === 0
    ? []
    : [`${path} keeps its own ${merged.kept.join(', ')}.`]
}

function nextLines(scaffold: Scaffold, steps: readonly Step[]): string[] {
  const lines = scaffold.next.map(([script, what]) => [commandOf(script, scaffold, steps), what] as const)
  const width = Math.max(...lines.map(([command]) => command.length))
  return lines.map(([command, what]) => `  ${command.padEnd(width)}  # ${what}`)
}

/** A script by npm, or what it would have run where package.json has another one of that name. */
function commandOf(script: string, { scripts }: Scaffold, steps: readonly Step[]): string {
  const isKept = steps.some(({ merged }) => merged?.kept.includes(`scripts.${script}`))
  if (!isKept) return script === 'test' ? 'npm test' : `npm run ${script}`
  return scripts[script]!.split(' && ')
    .map(command => (command.startsWith('node ') ? command : `npx ${command}`))
    .join(' && ')
}

const forShell = (path: string): string =>
  /^[\w./][\w./-]*$/.test(path) ? path : `'${`./${path}`.replaceAll("'", "'\\''")}'`
