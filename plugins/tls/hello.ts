/** The type of a TLS record that carries handshake messages (RFC 8446 section 5.1). */
const HANDSHAKE = 22
const RECORD_HEADER = 5
/** Behind it in the first record: the message's type, and its length in three bytes. */
const MESSAGE_HEADER = RECORD_HEADER + 4
/** 2^14 bytes and what TLS 1.2 may add to them. */
const MAX_RECORD = 16_384 + 2_048
/** A ClientHello is some hundred bytes, two thousand with post-quantum keys, and mostly one record. */
const MAX_HELLO = 16_384
const MAX_RECORDS = 16

/** What a client's first bytes are. A `hello` is whole, or so odd that OpenSSL had better look at it itself. */
export type Opening = 'unfinished' | 'hello' | 'http' | 'other'

/** Gathers the first bytes of a client, until it is clear what they are. */
export class FirstBytes {
  readonly #pieces: Buffer[] = []
  #size = 0
  /** There is nothing new to see before so many bytes are there. */
  #needed = 1

  get bytes(): Buffer {
    return this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces, this.#size)
  }

  add(piece: Buffer): Opening {
    this.#pieces.push(piece)
    this.#size += piece.length
    return this.#size < this.#needed ? 'unfinished' : this.#look(this.bytes)
  }

  #look(bytes: Buffer): Opening {
    if (bytes[0] !== HANDSHAKE) return isLetter(bytes[0]!) ? 'http' : 'other'
    const end = endOfHello(bytes)
    if (end === null || end > MAX_HELLO) return 'hello'
    this.#needed = end
    return bytes.length < end ? 'unfinished' : 'hello'
  }
}

/** Where the ClientHello ends as far as it can be told by now; null when that is odd. */
function endOfHello(bytes: Buffer): number | null {
  if (bytes.length < MESSAGE_HEADER) return MESSAGE_HEADER
  const message = 4 + bytes.readUIntBE(6, 3)
  let at = 0
  let carried = 0
  for (let records = 0; carried < message; records++) {
    if (bytes.length < at + RECORD_HEADER) return at + RECORD_HEADER
    const length = bytes.readUInt16BE(at + 3)
    const isSound = bytes[at] === HANDSHAKE && length >= (at === 0 ? 4 : 1) && length <= MAX_RECORD
    if (!isSound || records === MAX_RECORDS) return null
    at += RECORD_HEADER + length
    carried += length
  }
  return at
}

/** A method begins with a letter, which no TLS or SSL record does. */
const isLetter = (byte: number): boolean => /[a-z]/i.test(String.fromCharCode(byte))
