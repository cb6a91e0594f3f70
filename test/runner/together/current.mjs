/** Test that the file which loads now adds its tests to. */
export const current = { t: undefined }
