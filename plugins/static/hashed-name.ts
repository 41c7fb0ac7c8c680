/** What bundlers write: scripts, styles, their maps, pictures, fonts, sounds and films. Never pages or documents. */
const ASSET =
  /\.(?:[cm]?js|css|wasm|json|map|svg|png|jpe?g|gif|webp|avif|ico|woff2?|ttf|otf|eot|mp[34]|webm|ogg|aac|flac|wav)$/

/** `name-hash.js` or `name.hash.css`; further extensions may stand between, as in `app.3f9a2b1c.chunk.js.map`. */
const HASHED = /^.+[.-]([\w-]{8,128}?)(?:\.[a-z]+)*\.[a-z0-9]+$/

/** Whoever numbers files by such a key may write another file under it: a picture of a person, for example. */
const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/i

/** `01feb2024`, `10x20x30`: a day, a size. */
const MEASURE = /^\d{1,4}[a-z]{3}\d{1,4}$|^\d+(?:x\d+)+$/i

/**
 * Whether a name carries a hash of its content, as bundlers write it, so that the file never changes. A wrong yes keeps
 * an old file in browsers for a year, and a wrong no costs a request that is answered 304: so what could be a word, a
 * version, a day or a key is none, though one hash in three or four looks like it.
 */
export function isHashedName(name: string): boolean {
  if (!ASSET.test(name) || UUID.test(name)) return false
  const token = HASHED.exec(name)?.[1]
  return token !== undefined && !MEASURE.test(token) && isHash(token)
}

function isHash(token: string): boolean {
  if (!/\d/.test(token) || !/[A-Za-z]/.test(token)) return false
  // webpack, Parcel, Angular, Rails, Django, Hugo: hexadecimal. 24 digits are the keys of MongoDB.
  if (/^[0-9a-f]+$/.test(token)) return token.length !== 24 && runs(token) >= 3
  if (token.length !== 8) return false
  // esbuild: base32.
  if (/^[A-Z2-7]+$/.test(token)) return runs(token) >= 3
  // Vite and Rollup: base64url.
  return /[a-z]/.test(token) && /[A-Z]/.test(token) && runs(token) >= 5
}

/** How many times capitals, small letters, digits and signs take turns: in words and numbers they rarely do. */
const runs = (token: string): number => token.match(/[A-Z]+|[a-z]+|[0-9]+|[_-]+/g)!.length
