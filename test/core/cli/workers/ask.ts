import { get } from '../../../support/messages.ts'
import { exchangeBytes } from '../../../support/raw-client.ts'

/** What a path answers over a connection of its own, which any worker may get. */
export async function ask(url: string, path = '/', ...fields: readonly string[]): Promise<string> {
  const answer = await exchangeBytes(Number(new URL(url).port), get(path, 'Connection: close', ...fields))
  const end = answer.indexOf('\r\n\r\n')
  if (!answer.startsWith('HTTP/1.1 200 ') || end === -1)
    throw new Error(`not answered: ${answer.slice(0, 80)}`)
  return answer.slice(end + 4)
}

/** Asks for something until it is so. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + 20_000
  while (!(await isSo())) if (performance.now() > end) throw new Error('it did not come to be so')
}

/** Asks until so many different answers have come: of a path that tells the process, one of each worker. */
export async function askAll(url: string, count: number, path = '/'): Promise<string[]> {
  const answers = new Set<string>()
  await until(async () => answers.add(await ask(url, path)).size >= count)
  return [...answers].sort()
}
