import type { Duplex } from 'node:stream'

/** How long what the client still sends is taken and dropped, in milliseconds. */
const LINGER = 1_000

/**
 * Answers whoever sits behind a stream with a 400 and one sentence, then ends it. Closing at once could wipe the
 * answer out before it is read (RFC 9112 section 9.6).
 */
export function refuse(stream: Duplex, sentence: string): void {
  const body = `${sentence}\n`
  const fields = [
    `date: ${new Date().toUTCString()}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${body.length}`,
    'connection: close',
  ]
  stream.on('error', () => undefined)
  stream.end(`HTTP/1.1 400 Bad Request\r\n${fields.join('\r\n')}\r\n\r\n${body}`, 'latin1')
  const end = (): void => void stream.destroy()
  const timer = setTimeout(end, LINGER)
  stream.once('close', () => clearTimeout(timer))
  stream.once('end', end)
  stream.resume()
}

/** A record with the fatal alert protocol_version, in the version that all understand (RFC 8446 sections 5.1 and 6.2). */
const NO_TLS = new Uint8Array([21, 3, 1, 0, 2, 2, 70])

/** Answers bytes that are no TLS at all with an alert, and ends the stream. */
export function alert(stream: Duplex): void {
  stream.on('error', () => undefined)
  stream.end(NO_TLS, () => stream.destroy())
}
