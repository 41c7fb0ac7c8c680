import { promisify } from 'node:util'
import { Engine } from './engine.ts'

// An import would make a binding of each of some 100 names: 6 ms of a start.
const {
  brotliCompress,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzip,
  zstdCompress,
} = process.getBuiltinModule('node:zlib')

/** A content coding that this plugin makes. */
export type Coding = 'zstd' | 'br' | 'gzip'

/** All of them, in the order in which they are preferred. */
export const codings: readonly Coding[] = ['zstd', 'br', 'gzip']

/** How a coding is made. */
interface Codec {
  /** The whole of a body in one go, on another thread. */
  whole(bytes: Uint8Array, level: number): Promise<Uint8Array>
  /**
   * A body piece by piece.
   *
   * @param isLive Whether each piece must leave at once. Such streams stay open for long and carry little, so they
   * make do with a fraction of the memory.
   */
  stream(level: number, isLive: boolean): Engine
}

const gzipWhole = promisify(gzip)
const brotliWhole = promisify(brotliCompress)
const zstdWhole = promisify(zstdCompress)

/** A live stream's pieces are small: so may be the buffers that they leave by. */
const LIVE_CHUNK = 4_096

/** The codings. Windows are small enough for every client: RFC 9659 allows zstd 8 MB, brotli's largest is 16 MB. */
export const codecs: Readonly<Record<Coding, Codec>> = {
  gzip: {
    whole: (bytes, level) => gzipWhole(bytes, { level }),
    stream(level, isLive) {
      const flush = constants.Z_SYNC_FLUSH
      const live = { flush, memLevel: 6, chunkSize: LIVE_CHUNK }
      return new Engine(createGzip({ level, ...(isLive ? live : {}) }), flush)
    },
  },
  br: {
    whole: (bytes, level) =>
      brotliWhole(bytes, { params: brotli(level, windowFor(bytes.length), bytes.length) }),
    stream(level, isLive) {
      const flush = constants.BROTLI_OPERATION_FLUSH
      const live = { flush, chunkSize: LIVE_CHUNK }
      const params = brotli(level, isLive ? 15 : 17)
      return new Engine(createBrotliCompress({ params, ...(isLive ? live : {}) }), flush)
    },
  },
  zstd: {
    // Without the size the higher levels reserve tables of 80 MB even for a page.
    whole: (bytes, level) => zstdWhole(bytes, { params: zstd(level), pledgedSrcSize: bytes.length }),
    stream(level, isLive) {
      const flush = constants.ZSTD_e_flush
      const live = { flush, chunkSize: LIVE_CHUNK }
      const params = { ...zstd(level), ...(isLive ? zstdTables(15, 13) : zstdTables(18, 16)) }
      return new Engine(createZstdCompress({ params, ...(isLive ? live : {}) }), flush)
    },
  },
}

function brotli(quality: number, window: number, size = 0): Record<number, number> {
  return {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_LGWIN]: window,
    [constants.BROTLI_PARAM_SIZE_HINT]: size,
  }
}

/** The window that holds a whole body: RFC 7932 section 9.1 takes 16 bytes off. */
function windowFor(bytes: number): number {
  const { BROTLI_MIN_WINDOW_BITS: least, BROTLI_MAX_WINDOW_BITS: most } = constants
  return Math.min(Math.max(Math.ceil(Math.log2(bytes + 16)), least), most)
}

const zstd = (level: number): Record<number, number> => ({ [constants.ZSTD_c_compressionLevel]: level })

// A level alone would choose tables for a body without end: 11 MB at level 9.
function zstdTables(window: number, tables: number): Record<number, number> {
  return {
    [constants.ZSTD_c_windowLog]: window,
    [constants.ZSTD_c_hashLog]: tables,
    [constants.ZSTD_c_chainLog]: tables,
  }
}
