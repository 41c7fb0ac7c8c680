import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'

/** The bytes behind a content coding. */
export function decoded(coding: string | undefined, bytes: Uint8Array): Buffer {
  if (coding === 'gzip') return gunzipSync(bytes)
  if (coding === 'br') return brotliDecompressSync(bytes)
  if (coding === 'zstd') return zstdDecompressSync(bytes)
  if (coding === undefined) return Buffer.from(bytes)
  throw new Error(`no decoder for ${coding}`)
}
