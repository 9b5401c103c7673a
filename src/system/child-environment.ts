/** What a child process sees: PATH, HOME and LANG of ours, fixed messages and time zone, and what it was given. */
export function childEnvironment(
  own: NodeJS.ProcessEnv,
  workDir: string,
  added: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const environment: Record<string, string> = { LC_ALL: 'C', TZ: 'UTC', TMPDIR: workDir };
  for (const name of ['PATH', 'HOME', 'LANG'] as const) {
    const value = own[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...added };
}
