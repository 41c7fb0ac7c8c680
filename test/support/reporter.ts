import type { Reporter, SerializedError, TestModule } from 'vitest/node'

interface Counts {
  passed: number
  failed: number
  skipped: number
}

/**
 * Closes the run with `N passed, N failed, N skipped`, alone on the very last line, which CI reads.
 * A file that did not load, a hook that threw outside of a test and an unhandled error count as one failed each.
 */
class ClosingLine implements Reporter {
  readonly #counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  readonly #notes = new Set<string>()
  #registered = false

  /** The line is printed as the process exits: coverage and slow closing print after `onTestRunEnd`. */
  onInit(): void {
    if (!this.#registered) process.once('exit', code => this.#close(code))
    this.#registered = true
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    Object.assign(this.#counts, { passed: 0, failed: unhandled.length, skipped: 0 })
    this.#notes.clear()
    for (const module of modules) this.#count(module)
  }

  #count(module: TestModule): void {
    for (const suite of [module, ...module.children.allSuites()]) {
      if (suite.errors().length > 0) this.#counts.failed++
    }
    for (const test of module.children.allTests()) {
      const result = test.result()
      this.#counts[result.state === 'pending' ? 'skipped' : result.state]++
      if (result.state === 'skipped' && result.note) this.#notes.add(result.note)
    }
  }

  #close(code: number): void {
    const counts = this.#counts
    const lines = [...this.#notes].map(note => `Skipped: ${note}`)
    const ran = counts.passed + counts.failed > 0
    if (!ran) lines.push('No test ran, which counts as one failed.')
    // A threshold of coverage, or a fault while closing, shows in the exit code only.
    if (counts.failed === 0 && (code !== 0 || !ran)) counts.failed = 1
    if (counts.failed > 0 && code === 0) process.exitCode = 1
    lines.push(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}

// vitest takes a reporter that is named by its path from the default export.
export default ClosingLine
