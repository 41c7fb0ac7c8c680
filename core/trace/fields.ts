import type { TracedField, TraceSource } from './types.ts'

interface Line {
  readonly name: string
  readonly value: string
  readonly source: TraceSource
  readonly before: readonly TraceSource[]
}

/** Says who set a field line that was not there before. */
export type SourceOf = (name: string, from: string | null, to: string | null) => TraceSource

/** A change of all lines of one name. */
export interface FieldDifference {
  readonly name: string
  readonly from: string | null
  readonly to: string | null
}

/** The field lines of an answer as it goes along the line, and who has set each. */
export class FieldLog {
  #lines: readonly Line[] = []

  /** The lines as they are now, and who must have changed those that are not as they were. */
  become(fields: readonly string[], sourceOf: SourceOf): void {
    const left = [...this.#lines]
    const next: Line[] = []
    const before = joined(this.#flat)
    const after = joined(fields)
    for (let i = 0; i < fields.length; i += 2) {
      const [name, value] = [fields[i]!, fields[i + 1]!]
      const same = left.findIndex(line => line.name === name && line.value === value)
      if (same !== -1) next.push(...left.splice(same, 1))
      else
        next.push({
          name,
          value,
          source: sourceOf(name, before.get(name) ?? null, after.get(name)!),
          before: [],
        })
    }
    // Whoever stood there before has been set by somebody, too.
    this.#lines = next.map(line => {
      if (this.#lines.includes(line)) return line
      const gone = left.filter(({ name }) => name === line.name)
      return { ...line, before: gone.flatMap(each => [...each.before, each.source]) }
    })
  }

  /** Another answer takes the place of this one. */
  clear(): void {
    this.#lines = []
  }

  get lines(): readonly TracedField[] {
    return this.#lines
  }

  get #flat(): readonly string[] {
    return this.#lines.flatMap(({ name, value }) => [name, value])
  }
}

/** What is not the same in two lists of flat fields, by name. */
export function differences(before: readonly string[], after: readonly string[]): FieldDifference[] {
  const [from, to] = [joined(before), joined(after)]
  const names = new Set([...from.keys(), ...to.keys()])
  return [...names]
    .map(name => ({ name, from: from.get(name) ?? null, to: to.get(name) ?? null }))
    .filter(change => change.from !== change.to)
}

function joined(fields: readonly string[]): Map<string, string> {
  const values = new Map<string, string>()
  for (let i = 0; i < fields.length; i += 2) {
    const known = values.get(fields[i]!)
    values.set(fields[i]!, known === undefined ? fields[i + 1]! : `${known}, ${fields[i + 1]}`)
  }
  return values
}
