/** What Nest injects that is no class. */
export const gatewaySettingsToken = Symbol('GatewaySettings');
