// `npm pack` and `npm publish`: the package contains exactly the files built from its sources. npm skips this script if
// `ignore-scripts` is set: the .npmrc of the project does not set it, its own `npm ci` passes it as an argument.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { build, prepare, root } from './prepare.mjs'
import { buildForScriptTag } from './script-tag.mjs'

prepare()
if (sources().some((source) => !existsSync(toOutput(source)))) {
  // Deletes the record of the incremental build as well, which would take the deleted files of `dist` as present.
  build()
}
for (const output of filesBelow('dist/lib', 'dist/types')) {
  if (!existsSync(toSource(output))) rmSync(root + output)
}
await buildForScriptTag()

function sources () {
  return filesBelow('lib', 'types').filter((path) => path.endsWith('.ts') && !path.endsWith('.tst.ts'))
}

function toOutput (source) {
  return `${root}dist/${source.replace(/\.ts$/, '.js')}`
}

function toSource (output) {
  return root + output.replace(/^dist\//, '').replace(/(\.d)?\.(js|ts)$/, '.ts')
}

function filesBelow (...folders) {
  return folders.flatMap((folder) => readdirSync(root + folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length)))
}
