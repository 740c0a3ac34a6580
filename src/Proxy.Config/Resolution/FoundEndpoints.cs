using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Config.Resolution;

/// <summary>What DNS has answered to a <see cref="DnsDiscovery"/>.</summary>
/// <param name="Endpoints">None: there is no such name, or nobody behind it.</param>
/// <param name="Life">How long it is good; the refresh of the question where the answer does not say.</param>
public sealed record FoundEndpoints(IReadOnlyList<EndpointConfig> Endpoints, TimeSpan Life);

/// <summary>Nobody has answered, or not with what can be used: what is known from before is still the best.</summary>
public sealed class NotResolvedException(string reason) : Exception(reason);
