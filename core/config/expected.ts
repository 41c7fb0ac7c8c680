/**
 * The message of a check in a plugin's valibot schema. The kernel puts the file, the plugin and the option's path in front
 * of it, and says what came: `options.level: expected a level from 1 to 9, got 12`.
 *
 * @example
 * v.custom<Size>(isSize, expected("a size such as 1024 or '1kb'"))
 */
export const expected =
  (what: string) =>
  ({ received }: { readonly received: string }): string =>
    `Invalid type: Expected ${what} but received ${received}`
