import { execFile } from 'node:child_process'
import { cannotRun, findTools, needTool } from '../../support/tools.ts'

/** The lines of a text with their numbers, by name and labels as they stand: `up{site="a"}`. */
export function linesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

/** A family as Prometheus' own parser for Python reads it. */
export interface ReadFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly (readonly [name: string, labels: Record<string, string>, value: number])[]
}

const READ = `
import importlib, json, sys
parser = importlib.import_module(sys.argv[1])
families = parser.text_string_to_metric_families(sys.stdin.read())
print(json.dumps([dict(name=f.name, type=f.type, help=f.documentation,
  samples=[[s.name, s.labels, s.value] for s in f.samples]) for f in families]))
`
const PARSERS = {
  text: 'prometheus_client.parser',
  // It refuses what the specification forbids: series that are not together, buckets that shrink, a missing end.
  openmetrics: 'prometheus_client.openmetrics.parser',
}

/**
 * Reads a text with the parser of the Prometheus project's Python client, which has nothing in common with ours.
 *
 * @throws what it says about a text that it does not take.
 */
export async function readByPython(text: string, format: keyof typeof PARSERS): Promise<ReadFamily[]> {
  needTool('python3', 'python3')
  // Debian's Python has the module; another one may stand before it on the PATH.
  for (const python of findTools('python3')) {
    const { code, out, err } = await run(python, ['-c', READ, PARSERS[format]], text)
    if (code === 0) return JSON.parse(out) as ReadFamily[]
    if (!err.includes('ModuleNotFoundError')) throw new Error(err)
  }
  return cannotRun(
    'This needs the Python module prometheus_client: install it with "apt-get install python3-prometheus-client".',
  )
}

function run(
  file: string,
  args: string[],
  input: string,
): Promise<{ code: number; out: string; err: string }> {
  return new Promise(resolve => {
    const child = execFile(file, args, { timeout: 20_000, maxBuffer: 1e8 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : 1, out, err }),
    )
    child.stdin!.end(input)
  })
}
