/**
 * Loads a package that only some verbs need.
 *
 * @throws Error that says how to install it
 */
export async function load<T> (name: string, importIt: () => Promise<T>): Promise<T> {
  try {
    return await importIt()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(`this verb needs the package "${name}": run npm install ${name}, or npx with -p ${name}`, {
      cause: error
    })
  }
}
