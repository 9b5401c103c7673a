/** Where relative paths on the command line start. */
export const workingDirectory = (): string => process.cwd();
