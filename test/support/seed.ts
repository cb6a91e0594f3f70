/**
 * Where all random choices of the tests come from. `npm test` makes the same ones each time; `npm run test:long` draws
 * a fresh seed. Both print it, and `TEST_SEED=7 npm test` makes the choices of that run again.
 */
export const SEED = Number(process.env.TEST_SEED ?? 1)
