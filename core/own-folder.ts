/**
 * The URL of the folder of the core's own files, `core/`. This module may have been bundled with others into one file,
 * which lies in that folder too, but maybe at another depth.
 */
export const ownFolder: string = import.meta.url.slice(
  0,
  import.meta.url.lastIndexOf('/core/') + '/core/'.length,
)
