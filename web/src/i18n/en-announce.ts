export const announce = {} as const;
