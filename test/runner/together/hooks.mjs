// Gives each test file a `tap` of its own, see tap.mjs.
const TAP = new URL('tap.mjs', import.meta.url)

export function resolve (specifier, context, next) {
  if (specifier !== 'tap' || !context.parentURL?.endsWith('.test.ts')) return next(specifier, context)
  return { url: `${TAP}?of=${encodeURIComponent(context.parentURL)}`, format: 'module', shortCircuit: true }
}
