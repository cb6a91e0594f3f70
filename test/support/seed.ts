/**
 * Seed of all random choices in the tests. `npm test` uses the same seed each time; `npm run test:long` draws one.
 * Both print the seed, and `TEST_SEED=7 npm test` repeats the choices of that run.
 */
export const SEED = Number(process.env.TEST_SEED ?? 1)
