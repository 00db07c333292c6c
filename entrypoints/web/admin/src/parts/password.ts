/** As the API wants a password to be at least. */
export const SHORTEST_PASSWORD = 8;
