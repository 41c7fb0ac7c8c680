#!/usr/bin/env node
// biome-ignore-all lint: plain old JavaScript, so that a Node too old for the rest can still say what is missing
'use strict'

var version = process.versions.node
if (Number(version.split('.')[0]) < 24) {
  process.stderr.write(
    'rawhttp needs Node 24 or later, this is ' +
      version +
      ': run npx --package=node@24 --package=rawhttp rawhttp\n',
  )
  process.exit(1)
}

if (!require('node:fs').existsSync(require('node:path').join(__dirname, '../dist/core/cli.js'))) {
  process.stderr.write(
    'rawhttp is not built: run npm run build, or npm run rawhttp -- COMMAND, which runs the sources\n',
  )
  process.exit(1)
}

import('../dist/core/cli.js').catch(function (error) {
  process.stderr.write('rawhttp: ' + (error && error.stack ? error.stack : error) + '\n')
  process.exit(1)
})
