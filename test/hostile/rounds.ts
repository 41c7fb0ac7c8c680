import { type Report, textOf } from './report.ts'

const ROUNDS = 3

/**
 * Plays a scenario, whose figures stand in the output, well or not. What must hold has to hold in each round; a figure
 * over its limit may be the doing of a busy machine, so it gets another round: what is slow or leaks by itself will
 * be over it again.
 */
export async function inRounds(play: () => Promise<Report>): Promise<Report> {
  for (let round = 1; ; round++) {
    const report = await play()
    process.stdout.write(`${textOf(report)}\n`)
    if (report.faults.length > 0 || report.excesses.length === 0 || round === ROUNDS) return report
  }
}
