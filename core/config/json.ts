import { ConfigError, messageOf } from './errors.ts'

/**
 * Parses a JSON config.
 *
 * @throws ConfigError with the line of the mistake.
 */
export function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    const line = text.slice(0, positionOf(messageOf(error), text)).split('\n').length
    const problem = `line ${line}: syntax error: ${withoutQuote(messageOf(error))}`
    throw new ConfigError({ file, problem }, { cause: error })
  }
}

/** V8 quotes the text around the mistake, line breaks and all; the line number says more. */
const withoutQuote = (message: string) =>
  message
    .replace(/, (?:\.\.\.)?".*is not valid JSON$/s, '')
    .replace(/ (?:in|after) JSON at position .*$/s, '')

function positionOf(message: string, text: string): number {
  const told = /at position (\d+)/.exec(message)?.[1]
  if (told !== undefined) return Number(told)
  return message.startsWith('Unexpected end') ? text.length : searchPosition(text)
}

/** V8 leaves the position out of some messages. It is the end of the shortest beginning that is already wrong. */
function searchPosition(text: string): number {
  let [right, wrong] = [0, text.length]
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1
    if (isWrong(text.slice(0, middle))) wrong = middle
    else right = middle
  }
  return right
}

function isWrong(beginning: string): boolean {
  try {
    JSON.parse(beginning)
    return false
  } catch (error) {
    return messageOf(error).startsWith('Unexpected token')
  }
}
