export type Role = 'recorder' | 'replayer'
