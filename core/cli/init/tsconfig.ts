/** What Node asks of modules that it runs as they are: what it cannot strip, or cannot find, is an error here too. */
const strict = `"module": "nodenext",
    "noEmit": true,
    "strict": true,
    "exactOptionalPropertyTypes": true,
    "noUncheckedIndexedAccess": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true`

/** The compiler options of what is written, with the library and how modules name each other. */
export const compilerOptions = (lib: readonly string[], extensions: string): string => `"compilerOptions": {
    "target": "es2024",
    "lib": [${lib.map(name => `"${name}"`).join(', ')}],
    "types": ["node"],
    ${strict},
    "${extensions}": true,
    "skipLibCheck": true
  }`
