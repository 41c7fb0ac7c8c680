/** One instruction of a Dockerfile: its name in capitals, and the rest of its line. */
export interface Instruction {
  readonly name: string
  readonly rest: string
}

/** What stands behind one FROM. */
export interface Stage {
  readonly image: string
  readonly name: string | null
  readonly instructions: readonly Instruction[]
}

/**
 * Reads as much of the Dockerfile language as ours is written in: comments, continued lines, stages. What it does not
 * know (here-documents, variables, a second parser directive) it refuses.
 */
export function readDockerfile(text: string): Stage[] {
  const lines = text.split('\n').filter(line => !/^\s*(?:#|$)/.test(line))
  const whole = lines
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
  const stages: { image: string; name: string | null; instructions: Instruction[] }[] = []
  for (const line of whole) {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.+)$/.exec(line.trim()) ?? []
    if (name === '' || /<<|\$/.test(rest)) throw new Error(`not understood: ${line}`)
    if (name === 'FROM') {
      const [image = '', , stage = null] = rest.split(/\s+/)
      stages.push({ image, name: stage, instructions: [] })
    } else stages.at(-1)!.instructions.push({ name, rest })
  }
  return stages
}

/** The last stage's instruction of that name; later ones take the place of earlier ones. */
export function last(stage: Stage, name: string): string {
  const found = stage.instructions.findLast(each => each.name === name)
  if (found === undefined) throw new Error(`the stage of ${stage.image} has no ${name}`)
  return found.rest
}

/** The words of ENTRYPOINT, CMD and the like in their exec form. */
export function words(rest: string): string[] {
  const found: unknown = JSON.parse(rest.slice(rest.indexOf('[')))
  if (!Array.isArray(found)) throw new Error(`not in exec form: ${rest}`)
  return found.map(String)
}
