import { type PatternMatch, PatternTable, type RequestTest } from 'rawhttp'
import { circleFrom } from './circle.ts'
import type { Rule } from './rule.ts'

/** The rules of one instance. */
export class RuleTable {
  readonly #patterns = new PatternTable<Rule>()
  readonly #rules: Rule[] = []

  /** @throws Error that names the rule, when no table can take its pattern or it would never be reached. */
  add(rule: Rule): void {
    const { pattern } = rule
    const cover = this.#patterns.coverOf(pattern, ({ isWide }) => isWide)
    if (cover !== null)
      throw named(
        rule,
        `is never reached; ${JSON.stringify(cover.pattern.text)} stands before it and takes its path`,
      )
    try {
      this.#patterns.add(pattern, rule)
    } catch (error) {
      throw named(rule, `from: ${(error as Error).message}`, error)
    }
    this.#rules.push(rule)
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0
  }

  /** The first rule for a path, of those that are for the request. */
  find(path: string, request: Parameters<RequestTest>[0]): PatternMatch<Rule> | null {
    return this.#patterns.find(path, rule => rule.fits(request))
  }

  /** A sentence for each rule that leads round in a circle, when all are there. */
  circles(): string[] {
    return this.#rules.flatMap(rule => {
      const circle = circleFrom(rule, this)
      return circle === null ? [] : [named(rule, `leads round in a circle: ${circle}`).message]
    })
  }
}

const named = ({ pattern }: Rule, sentence: string, cause?: unknown): Error =>
  new Error(`${JSON.stringify(pattern.text)}: ${sentence}`, { cause })
