/** What a scenario has measured, and what of it should not be. */
export interface Report {
  readonly name: string
  readonly figures: readonly string[]
  /** Sentences of what was promised and does not hold, whatever the machine does meanwhile. */
  readonly faults: readonly string[]
  /** Figures over their limit. Without these and faults all is well. */
  readonly excesses: readonly string[]
}

export const isWell = ({ faults, excesses }: Report): boolean => faults.length + excesses.length === 0

/** A report that is being written. */
export class Findings implements Report {
  readonly name: string
  readonly figures: string[] = []
  readonly faults: string[] = []
  readonly excesses: string[] = []

  constructor(name: string) {
    this.name = name
  }

  note(figure: string): void {
    this.figures.push(figure)
  }

  /** What must hold, and what a reader is told when it does not. */
  must(holds: boolean, fault: string): void {
    if (!holds) this.faults.push(fault)
  }

  /** A figure that has an upper limit. */
  atMost(what: string, figure: number, limit: number, unit: string): void {
    const text = `${what}: ${rounded(figure)} ${unit} (at most ${rounded(limit)})`
    this.note(text)
    if (figure > limit) this.excesses.push(text)
  }
}

export const rounded = (value: number): string => String(Number(value.toFixed(value < 100 ? 2 : 0)))

export function textOf(report: Report): string {
  const { name, figures, faults, excesses } = report
  const lines = [`${isWell(report) ? 'ok    ' : 'FAULT '} ${name}`]
  for (const figure of figures) lines.push(`         ${figure}`)
  for (const fault of [...faults, ...excesses]) lines.push(`       ! ${fault}`)
  return lines.join('\n')
}

/** What a promise gives, or something else when it takes so long that it never will. */
export async function within<T>(
  milliseconds: number,
  promise: Promise<T>,
  instead: () => Promise<T>,
): Promise<T> {
  const late = Promise.withResolvers<null>()
  const timer = setTimeout(late.resolve, milliseconds, null)
  try {
    const first = await Promise.race([promise.then(value => ({ value })), late.promise])
    return first === null ? await instead() : first.value
  } finally {
    clearTimeout(timer)
  }
}
